"use strict";
const STATE_COLORS = 12;
const HELD_COLORS = 8;
function stateColor(chart, state) {
  return `state-${Math.max(0, chart.states.findIndex((each) => each.id === state)) % STATE_COLORS}`;
}
const bandWords = [];
/** What a band says in a colour: "live" is good; all else takes the next of a few, in the order they are met. */
function bandColor(text) {
  const word = bandWord(text);
  if (word === "live") return "gain";
  if (!bandWords.includes(word)) bandWords.push(word);
  return `held-${bandWords.indexOf(word) % HELD_COLORS}`;
}
/** A band's text without its details. */
function bandWord(text) {
  return text.split(",")[0];
}
/** Stretches, lines and what happened, of the whole run in columns or of the steps around one. Times are seconds. */
function wholeRun(track, prefix, rows) {
  const { overview } = track.entry, width = overview.width / 1e9, begin = secondsOf(BigInt(overview.begin));
  const stretches = [], lines = new Map();
  const add = (name, column, text, color) => {
    const row = rows.indexOf(prefix + name), last = stretches.findLast((each) => each.row === row);
    const from = begin + column.p * width, to = from + width;
    if (last && last.text === text && Math.abs(last.end - from) < width / 2) last.end = to;
    else stretches.push({ row, begin: from, end: to, color, text });
  };
  for (const column of overview.columns) {
    if (column.s) add("state", column, stateName(track.chart, column.s), stateColor(track.chart, column.s));
    for (const [name, text] of Object.entries(column.b ?? {})) add(name, column, text, bandColor(text));
    for (const [name, bit, color] of EVENT_ROWS) {
      const count = column.k?.[bit];
      if (count) add(name, column, `${count} ${name}`, color);
    }
    for (const [name, [low, high]] of Object.entries(column.l ?? {})) {
      if (!lines.has(name)) lines.set(name, { times: [], values: [] });
      lines.get(name).times.push(begin + (column.p + 0.5) * width);
      lines.get(name).values.push((low + high) / 2);
    }
  }
  return { stretches, lines };
}
const EVENT_ROWS = [["fills", "2", "own"], ["faults", "8", "loss"]];
function stateName(chart, state) {
  return chart.states.find((each) => each.id === state)?.name ?? state;
}
function aroundStep(moment, prefix, rows) {
  const { track, content } = moment, { sections } = track.entry.overview, shown = new Map(content.before.map(([name, value]) => [content.names[name], value]));
  const stretches = [], lines = new Map(), open = new Map();
  const set = (name, text, color, at) => {
    const row = rows.indexOf(prefix + name), last = open.get(row);
    if (last && last.text === text) return;
    if (last) last.end = at;
    open.delete(row);
    if (text === null || text === undefined) return;
    const stretch = { row, begin: at, end: at, color, text };
    stretches.push(stretch);
    open.set(row, stretch);
  };
  let at = 0;
  for (const step of content.steps) {
    at = secondsOf(content.begin + BigInt(step.t));
    apply(content, step, shown);
    set("state", stateName(track.chart, step.s), stateColor(track.chart, step.s), at);
    for (const [name, bit, color] of EVENT_ROWS) {
      if (step.k & Number(bit)) stretches.push({ row: rows.indexOf(prefix + name), begin: at, end: at, color, text: `${name}: step ${step.n}, ${step.f}` });
    }
    for (const [name, value] of shown) {
      const [section, inside] = name.split(BETWEEN);
      if (section === sections.bands && inside) set(inside, value, value === null ? "" : bandColor(value), at);
      if (section !== sections.lines || !inside) continue;
      if (!lines.has(inside)) lines.set(inside, { times: [], values: [] });
      lines.get(inside).times.push(at);
      lines.get(inside).values.push(value === null || !Number.isFinite(Number(value)) ? null : Number(value));
    }
  }
  for (const stretch of open.values()) stretch.end = at;
  return { stretches, lines };
}
const LINE_COLORS = ["mid", "bid", "ask", "gain", "loss", "state-2", "state-5", "state-9"];
/** A line's colour: by the side in its name, if it names one. */
function lineColor(name, at) {
  if (/\bbids?\b/.test(name)) return "bid";
  if (/\basks?\b/.test(name)) return "ask";
  return LINE_COLORS[at % LINE_COLORS.length];
}
/** A word with its colour: a square, or a line of a width. */
function legendEntry(word, color, width = null) {
  const swatch = make("span", { class: "swatch" });
  swatch.style.background = `var(--${color})`;
  if (width !== null) swatch.style.height = `${Math.round(width * 1.6)}px`;
  return make("li", {}, swatch, word);
}
/** The machine's own lines are thicker than the market's. */
function lineWidth(name) {
  return name.startsWith("own") ? 2.4 : 1.2;
}
/** The charts over time: the whole run, or the steps around the current one. */
class TimeView {
  constructor(tracks, go) {
    this.tracks = tracks;
    this.isWhole = true;
    const bands = (track) => ["state", ...new Set(track.entry.overview.columns.flatMap((each) => Object.keys(each.b ?? {})))];
    const prefix = (at) => (tracks.length > 1 ? `${at + 1} ` : "");
    this.prefixes = tracks.map((_, at) => prefix(at));
    this.rows = tracks.flatMap((track, at) => [...bands(track), ...EVENT_ROWS.map(([name]) => name)].map((name) => prefix(at) + name));
    this.whole = tracks.map((track, at) => wholeRun(track, prefix(at), this.rows));
    this.names = tracks.flatMap((_, at) => [...this.whole[at].lines.keys()].map((name) => [at, name]));
    this.stretches = [];
    this.time = new TimeWindow(...this.span());
    this.build(go);
    this.fill(this.whole);
    this.legend();
  }
  span() {
    const begins = this.tracks.map((track) => secondsOf(track.begin)), ends = this.tracks.map((track) => secondsOf(track.end));
    return [Math.min(...begins), Math.max(...ends)];
  }
  build(go) {
    const place = (id) => { const fresh = make("div"); document.getElementById(id).replaceChildren(fresh); return fresh; };
    const stretches = this.stretches;
    this.charts = [timeBands(place("bands"), this.time, "States, holds, fills and faults over time", this.rows, stretches, { height: 58 + 22 * this.rows.length })];
    if (this.names.length) {
      const series = this.names.map(([at, name], number) => ({
        label: this.prefixes[at] + name, color: lineColor(name, number), times: [...this.time.whole], values: [null, null], step: true,
        dash: at ? [6, 4] : undefined, width: lineWidth(name),
      }));
      this.charts.push(timeline(place("lines"), this.time, "Figures over time", series, { text: (value) => String(Number(value.toPrecision(9))), height: 190 }));
    }
    const buttons = place("time-buttons");
    timeButtons(buttons, this.time);
    buttons.querySelectorAll("button")[4].remove();  // what it does, the buttons beside it do, for either view
    for (const chart of this.charts) {
      chart.hooks.draw.push((u) => this.mark(u));
      let from = 0;
      chart.over.addEventListener("mousedown", (event) => { from = event.clientX; });
      chart.over.addEventListener("click", (event) => {
        if (Math.abs(event.clientX - from) < 4) go(BigInt(Math.round(chart.posToVal(event.offsetX, "x") * 1e6)) * 1000n);
      });
    }
  }
  fill(parts) {
    this.stretches.splice(0, this.stretches.length, ...parts.flatMap((part) => part.stretches));
    if (this.charts.length > 1) {
      this.charts[1].setData(uPlot.join(this.names.map(([at, name]) => {
        const line = parts[at].lines.get(name);
        return line ? [line.times, line.values] : [[], []];
      })), false);
    }
    this.time.reset();
  }
  /** The current step has changed. */
  follow(moments, isWhole = this.isWhole) {
    this.moments = moments;
    const places = isWhole ? "" : moments.map((moment) => moment.place).join();
    if (isWhole !== this.isWhole || (!isWhole && places !== this.places)) {
      this.time.whole = isWhole ? this.span() : [
        Math.min(...moments.map((each) => secondsOf(each.track.places[each.place].begin))),
        Math.max(...moments.map((each) => secondsOf(each.track.places[each.place].end))) + 1e-6,
      ];
      this.fill(isWhole ? this.whole : moments.map((moment, at) => aroundStep(moment, this.prefixes[at], this.rows)));
    }
    this.isWhole = isWhole;
    this.places = places;
    for (const chart of this.charts) chart.redraw(false);
  }
  mark(u) {
    for (const moment of this.moments ?? []) {
      const x = u.valToPos(secondsOf(moment.time), "x", true);
      if (x < u.bbox.left - 1 || x > u.bbox.left + u.bbox.width + 1) continue;
      u.ctx.save();
      u.ctx.strokeStyle = pageColor("ink");
      u.ctx.lineWidth = 2 * devicePixelRatio;
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
      u.ctx.restore();
    }
  }
  /** What the colours mean, for those that occur. */
  legend() {
    const groups = [["State", new Map()], ["Beside it", new Map()]];
    for (const { text, color, row } of this.whole.flatMap((part) => part.stretches)) {
      const name = this.rows[row];
      if (EVENT_ROWS.some(([event]) => name.endsWith(event))) continue;
      if (name.endsWith("state")) groups[0][1].set(text, color); else groups[1][1].set(bandWord(text), color);
    }
    document.getElementById("band-legend").replaceChildren(...groups.filter(([, seen]) => seen.size).map(([title, seen]) => (
      make("ul", { class: "legend plain" }, make("li", {}, title), ...[...seen].map(([word, color]) => legendEntry(word, color))))));
    document.getElementById("line-legend").replaceChildren(...this.names.map(([at, name], number) => (
      legendEntry(this.prefixes[at] + name, lineColor(name, number), lineWidth(name)))));
  }
}
