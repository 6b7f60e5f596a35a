"use strict";
/** A stretch of time that several charts show together: whoever moves it moves all of them. Seconds since 1970. */
class TimeWindow {
  constructor(begin, end) {
    this.whole = [begin, end > begin ? end : begin + 1];
    this.shown = [...this.whole];
    this.followers = [];
    /** Charts with one key show their cursors together. */
    this.key = `time-${TimeWindow.count = (TimeWindow.count ?? 0) + 1}`;
  }
  follow(callback) {
    this.followers.push(callback);
    callback();
  }
  show(begin, end) {
    const [first, last] = this.whole, least = Math.min(1, last - first);
    const length = Math.min(Math.max(end - begin, least), last - first);
    const middle = (begin + end) / 2;
    const start = Math.min(Math.max(middle - length / 2, first), last - length);
    this.shown = [start, start + length];
    for (const callback of this.followers) callback();
  }
  reset() { this.show(...this.whole); }
  /** Moves by a share of what is shown; later is above 0. */
  pan(share) {
    const [begin, end] = this.shown, by = (end - begin) * share;
    this.show(begin + by, end + by);
  }
  /** Shows so many times the length; below 1 is nearer. ``around`` stays where it is. */
  zoom(factor, around = (this.shown[0] + this.shown[1]) / 2) {
    const [begin, end] = this.shown;
    this.show(around - (around - begin) * factor, around + (end - around) * factor);
  }
  get isWhole() { return this.shown[1] - this.shown[0] >= (this.whole[1] - this.whole[0]) * 0.999999; }
}
const TIME_KEYS = {
  "ArrowLeft": (time, more) => time.pan(more ? -0.5 : -0.1),
  "ArrowRight": (time, more) => time.pan(more ? 0.5 : 0.1),
  "+": (time) => time.zoom(0.5), "=": (time) => time.zoom(0.5), "-": (time) => time.zoom(2), "_": (time) => time.zoom(2),
  "0": (time) => time.reset(), "Home": (time) => time.show(time.whole[0], time.whole[0] + time.shown[1] - time.shown[0]),
  "End": (time) => time.show(time.whole[1] - time.shown[1] + time.shown[0], time.whole[1]),
};
/** Lets an element that can have the focus move the window by keys. */
function moveByKeys(element, time) {
  element.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : TIME_KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act(time, event.shiftKey);
  });
}
/** Lets one finger move the window sideways, and two zoom it; up and down stay the page's own. */
function moveByTouch(area, time) {
  const fingers = new Map();
  const middle = () => [...fingers.values()].reduce((sum, x) => sum + x, 0) / fingers.size;
  const apart = () => Math.max(10, Math.abs([...fingers.values()].reduce((one, other) => one - other)));
  area.addEventListener("pointerdown", (event) => { if (event.pointerType === "touch") fingers.set(event.pointerId, event.clientX); });
  area.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId) || fingers.size > 2) return;
    const [middleBefore, apartBefore] = [middle(), fingers.size === 2 ? apart() : 1];
    fingers.set(event.pointerId, event.clientX);
    const { left, width } = area.getBoundingClientRect(), [begin, end] = time.shown;
    time.pan((middleBefore - middle()) / width);
    if (fingers.size === 2) time.zoom(apartBefore / apart(), begin + (end - begin) * (middle() - left) / width);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) area.addEventListener(name, (event) => fingers.delete(event.pointerId));
}
/** Lets keys read a chart's values: comma one point earlier, full stop one later. */
function readByKeys(element, chart) {
  element.querySelector(".u-legend")?.setAttribute("aria-live", "polite");
  element.addEventListener("keydown", (event) => {
    const by = { ",": -1, ".": 1 }[event.key];
    if (!by) return;
    const times = chart.data[0], [begin, end] = [chart.scales.x.min, chart.scales.x.max];
    const at = chart.cursor.left >= 0 && chart.cursor.idx !== null ? chart.cursor.idx + by : chart.valToIdx((begin + end) / 2);
    if (times[at] === undefined || times[at] < begin || times[at] > end) return;
    chart.setCursor({ left: chart.valToPos(times[at], "x"), top: chart.over.clientHeight / 2 });
  });
}
/** Buttons for what the keys do, and in words which part of the time is shown. */
function timeButtons(element, time) {
  element.classList.add("buttons");
  const buttons = [
    ["Earlier", () => time.pan(-0.5)], ["Later", () => time.pan(0.5)], ["Nearer", () => time.zoom(0.5)],
    ["Farther", () => time.zoom(2)], ["Whole run", () => time.reset()],
  ].map(([name, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", act);
    element.append(button);
    return button;
  });
  const shown = document.createElement("output");
  shown.className = "muted small number";
  element.append(shown);
  time.follow(() => {
    const [begin, end] = time.shown, decimals = end - begin < 20 ? 3 : 0;
    const last = utcText(end, decimals);
    const sameDay = utcText(begin).slice(0, 10) === last.slice(0, 10);
    shown.textContent = `${utcText(begin, decimals)} to ${sameDay ? last.slice(11) : last} UTC`;
    buttons[0].disabled = begin <= time.whole[0];
    buttons[1].disabled = end >= time.whole[1];
    buttons[3].disabled = buttons[4].disabled = time.isWhole;
  });
}
/** Times of an axis, 24 hours, UTC: a date where a day begins, and with the first. */
function timeLabels(u, splits, _, __, step) {
  const decimals = step < 1 ? 3 : 0;
  let before = "";
  return splits.map((seconds) => {
    const [date, time] = utcText(seconds, decimals).split(" "), short = step >= 60 ? time.slice(0, 5) : time;
    const isNew = date !== before;
    before = date;
    return isNew ? `${short}\n${date}` : short;
  });
}
const AXIS_FONT = "12px system-ui, \"Segoe UI\", Roboto, Helvetica, Arial, sans-serif";
const LABEL_WIDTH = 68;
function axis(more) {
  return {
    font: AXIS_FONT, stroke: () => pageColor("muted"),
    grid: { stroke: () => pageColor("line"), width: 1 }, ticks: { stroke: () => pageColor("line"), width: 1, size: 4 },
    ...more,
  };
}
/**
 * A chart of series over time, in an element that becomes usable by keyboard.
 *
 * ``series``: a list of ``{label, color, times, values, step, points, width, dash, text, fill}``; ``times`` are seconds
 * since 1970, ``values`` numbers or null where there is none; ``step`` holds a value until the next; ``points`` is
 * "up" or "down" for triangles without a line; ``text(value)`` says it for people; what is ``quiet`` stands in no
 * legend; ``band`` fills, in that colour, what lies between a series and the one before it.
 * ``more``: ``height``, ``text`` of the axis, ``draw(u)`` beneath the series, ``range`` of the axis.
 */
function timeline(element, time, label, series, more = {}) {
  element.classList.add("timeline");
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-roledescription", "chart over time");
  element.setAttribute("aria-label", `${label}. Arrow keys move, plus and minus zoom, 0 shows the whole run, comma and full stop read values.`);
  const text = more.text ?? ((value) => String(value));
  const data = uPlot.join(series.map((one) => [one.times, one.values]));
  const options = {
    width: Math.max(240, element.clientWidth), height: more.height ?? 260,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    scales: {
      x: { time: true, range: () => time.shown },
      y: more.range ? { range: more.range } : {},
    },
    axes: [
      axis({ space: 90, values: timeLabels }),
      axis({ size: LABEL_WIDTH, values: (_, splits) => splits.map((value) => value === null ? "" : text(value)), ...more.axis }),
    ],
    bands: series.flatMap((one, at) => one.band ? [{ series: [at + 1, at], fill: () => pageColor(one.band) }] : []),
    legend: { show: more.legend ?? true },
    cursor: {
      sync: { key: time.key, setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      y: false,
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => { time.reset(); } },
      points: { size: 7 },
    },
    series: [
      { label: "time", value: (_, seconds) => seconds === null ? "-" : utcText(seconds, 3) },
      ...series.map((one) => ({
        label: one.label, stroke: one.color ? () => pageColor(one.color) : undefined, width: one.points ? 0 : one.width ?? 1.5, dash: one.dash,
        fill: one.fill ? () => pageColor(one.fill) : undefined,
        paths: one.points ? () => null : one.step ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
        points: { show: false }, value: (_, value) => value === null || value === undefined ? "-" : (one.text ?? text)(value),
      })),
    ],
    hooks: {
      setSelect: [(u) => {
        if (u.select.width > 4) {
          time.show(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
        }
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
      drawAxes: more.draw ? [more.draw] : [],
      setCursor: [(u) => element.classList.toggle("reading", u.cursor.idx !== null && u.cursor.left >= 0)],
      draw: [(u) => series.forEach((one, at) => { if (one.points && u.series[at + 1].show) triangles(u, at + 1, one); })],
    },
  };
  const chart = new uPlot(options, data, element), rows = element.querySelectorAll(".u-legend .u-series");
  series.forEach((one, at) => { if (one.quiet && rows[at + 1]) rows[at + 1].style.display = "none"; });
  time.follow(() => chart.setScale("x", { min: time.shown[0], max: time.shown[1] }));
  moveByKeys(element, time);
  readByKeys(element, chart);
  moveByTouch(chart.over, time);
  onColorChange(() => chart.redraw(false, true));
  new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width > 0 && width !== chart.width) chart.setSize({ width, height: options.height });
  }).observe(element);
  return chart;
}
/** A triangle for each value in sight: up or down says with shape what colour says, too. */
function triangles(u, at, one) {
  const context = u.ctx, scale = devicePixelRatio, half = 4.5 * scale, tall = (one.points === "up" ? -1 : 1) * 8 * scale;
  const [begin, end] = [u.scales.x.min, u.scales.x.max];
  context.save();
  context.beginPath();
  context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  context.clip();
  context.fillStyle = pageColor(one.color);
  context.strokeStyle = pageColor("paper");
  context.lineWidth = scale;
  one.times.forEach((seconds, place) => {
    if (seconds < begin || seconds > end || one.values[place] === null) return;
    const x = u.valToPos(seconds, "x", true), y = u.valToPos(one.values[place], "y", true);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - half, y - tall);
    context.lineTo(x + half, y - tall);
    context.closePath();
    context.fill();
    context.stroke();
  });
  context.restore();
}
/**
 * Rows of coloured stretches over time, such as why each side was not quoted.
 *
 * ``rows``: names; ``stretches``: a list of ``{row, begin, end, color, text, from, to}``, in seconds since 1970; ``from``
 * and ``to`` are shares of the row's height, from the top, if it is not filled.
 */
function timeBands(element, time, label, rows, stretches, more = {}) {
  const draw = (u) => {
    const context = u.ctx, gap = 3 * devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    context.clip();
    const tall = u.bbox.height / rows.length, colors = new Map();
    for (const one of stretches) {
      if (one.end < u.scales.x.min || one.begin > u.scales.x.max) continue;
      // Whole pixels, so that neighbours meet without a seam.
      const [left, right] = [one.begin, one.end].map((seconds) => Math.round(u.valToPos(seconds, "x", true)));
      if (!colors.has(one.color)) colors.set(one.color, pageColor(one.color));
      context.fillStyle = colors.get(one.color);
      const top = u.bbox.top + one.row * tall + gap, inside = tall - 2 * gap, from = one.from ?? 0, to = one.to ?? 1;
      context.fillRect(left, top + from * inside, Math.max(right - left, devicePixelRatio), (to - from) * inside);
    }
    context.restore();
  };
  const series = [{ label: "row", color: "paper", times: [...time.whole], values: [null, null], points: "none" }];
  const chart = timeline(element, time, label, series, {
    height: 40 + 34 * rows.length, legend: false, draw, range: () => [0, rows.length],
    axis: {
      splits: () => rows.map((_, at) => rows.length - at - 0.5), grid: { show: false }, ticks: { show: false },
      values: () => rows,
    },
    ...more,
  });
  chart.over.addEventListener("mousemove", (event) => {
    const seconds = chart.posToVal(event.offsetX, "x"), row = Math.floor(event.offsetY / (chart.over.clientHeight / rows.length));
    const found = stretches.find((one) => one.row === row && one.begin <= seconds && seconds < one.end);
    if (found) showHint(found.text, event.clientX, event.clientY); else hideHint();
  });
  chart.over.addEventListener("mouseleave", hideHint);
  return chart;
}
