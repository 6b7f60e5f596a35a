"use strict";
const DIGITS = Object.fromEntries([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((digit, value) => [digit, value]));
/** A packed column as numbers; null where there is none. Differences are in the code of source maps: base64 VLQ. */
function unpacked(column) {
  if (column.texts) return column.texts.map((text) => text === null ? null : Number(text));
  const unit = 10 ** column.decimals, numbers = [];
  let whole = column.first, rest = 0, place = 1;
  for (const digit of column.steps) {
    if (digit === "~") { numbers.push(null); continue; }
    const value = DIGITS[digit];
    rest += (value & 31) * place;
    place *= 32;
    if (value & 32) continue;
    whole += (rest % 2 ? -1 : 1) * Math.floor(rest / 2) * column.by;
    numbers.push(whole / unit);
    [rest, place] = [0, 1];
  }
  return numbers;
}
/** A packed column as texts with all of its decimals. */
function unpackedTexts(column) {
  if (column.texts) return column.texts.map((text) => text?.replace("-", "\u2212") ?? null);
  return unpacked(column).map((value) => value === null ? null : numberText(value, column.decimals));
}
function unpackedWords(column) { return unpacked(column.places).map((place) => column.words[place]); }
function seconds(column) { return unpacked(column).map((milliseconds) => milliseconds / 1000); }
const NOTHING = "\u2013";
function numberText(value, decimals, signed = false) {
  if (value === null || value === undefined) return NOTHING;
  const digits = Math.abs(value).toFixed(decimals), isZero = Number(digits) === 0;
  const [whole, part] = digits.split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (part ? "." + part : "");
  return (isZero ? "" : value < 0 ? "\u2212" : signed ? "+" : "") + text;
}
/** Decimals that show each number of an axis as it is. */
function decimalsOf(splits) {
  const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : Math.abs(splits[0] ?? 1) || 1;
  for (let decimals = 0; decimals < 8; decimals++) {
    const rest = step * 10 ** decimals;
    if (Math.abs(rest - Math.round(rest)) < 1e-6 * rest && Math.round(rest) > 0) return decimals;
  }
  return 8;
}
function lengthText(length) {
  if (length < 0.1) return `${(1000 * length).toPrecision(3)}\u202fms`;
  if (length < 60) return `${length.toFixed(length < 10 ? 1 : 0)}\u202fs`;
  const inTwo = (whole, long, name, short, shortName) => `${Math.floor(whole / long)}\u202f${name}` + (whole % long ? ` ${Math.floor(whole % long / short)}\u202f${shortName}` : "");
  const whole = Math.round(length);
  return whole < 3600 ? inTwo(whole, 60, "min", 1, "s") : inTwo(Math.round(whole / 60) * 60, 3600, "h", 60, "min");
}
function element(name, text = "", look = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (look) made.className = look;
  return made;
}
/** A text as one word of a command line, whatever is in it. */
function shellWord(text) { return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`; }
/** What each colour or shape means, drawn small. */
function addLegend(list, entries) {
  for (const [shape, color, text] of entries) {
    const item = element("li"), canvas = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    canvas.setAttribute("class", "swatch");
    canvas.setAttribute("viewBox", "0 0 14 14");
    canvas.setAttribute("aria-hidden", "true");
    const paths = { line: "M0 6h14v2h-14z", up: "M7 1 13 12H1z", down: "M7 13 1 2h12z", box: "M0 1h14v12H0z", dash: "M0 6h5v2H0zM9 6h5v2H9z" };
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", paths[shape]);
    path.style.fill = `var(--${color})`;
    canvas.append(path);
    item.append(canvas, text);
    list.append(item);
  }
}
/** Rows of a long list, some at a time; ``rows()`` is asked again whenever it is drawn. */
function pagedTable(place, label, heads, length = 12) {
  const region = element("div", "", "scroll"), table = element("table"), body = table.createTBody();
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", label);
  const row = table.createTHead().insertRow();
  for (const [name, look] of heads) {
    const head = element("th", name, look);
    head.scope = "col";
    row.append(head);
  }
  region.append(table);
  const pager = element("div", "", "buttons pager"), shown = element("output", "", "muted small");
  const [back, on] = ["Previous", "Next"].map((name) => { const made = element("button", name); made.type = "button"; return made; });
  pager.append(back, on, shown);
  place.append(region, pager);
  let first = 0, rows = { length: 0 };
  const draw = () => {
    first = Math.max(0, Math.min(first, Math.floor(Math.max(0, rows.length - 1) / length) * length));
    body.replaceChildren();
    const last = Math.min(first + length, rows.length);
    for (let at = first; at < last; at++) {
      const line = body.insertRow();
      rows.cells(at).forEach((cell, column) => {
        const made = line.insertCell();
        made.className = heads[column][1];
        made.append(cell ?? NOTHING);
      });
    }
    shown.textContent = rows.length ? `${first + 1} to ${last} of ${rows.length}${rows.note ?? ""}` : `none${rows.note ?? ""}`;
    back.disabled = first === 0;
    on.disabled = last >= rows.length;
  };
  back.addEventListener("click", () => { first -= length; draw(); });
  on.addEventListener("click", () => { first += length; draw(); });
  return (found) => { rows = found; first = 0; draw(); };
}
/** A link to a step of the inspector's page beside this one. */
function stepLink(symbol, step) {
  if (step === null) return NOTHING;
  const link = element("a", String(step));
  link.href = `inspect.html?symbol=${encodeURIComponent(symbol)}#step=${step}`;
  return link;
}
function extremes(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  return low > high ? [null, null] : [low, high];
}
function lastKnown(values) {
  for (let at = values.length - 1; at >= 0; at--) if (values[at] !== null) return values[at];
  return null;
}
/** The decimals that a column needs, at least two. */
function shownDecimals(column) { return Math.max(2, Math.min(column.decimals, 8)); }
/** A number of a sentence: no decimals that say nothing. */
function short(value, signed = false) {
  if (value === null || value === undefined) return NOTHING;
  const rounded = Number(value.toPrecision(6)), decimals = (String(Math.abs(rounded)).split(".")[1] ?? "").length;
  return numberText(rounded, Math.min(decimals, 8), signed);
}

/** What lies between the lowest and the highest of each moment, shaded. */
function envelope(times, low, high, step = false) {
  return [
    { label: "lowest", times, values: low, width: 0, step, quiet: true }, { label: "highest", times, values: high, width: 0, step, quiet: true, band: "line" },
  ];
}

class MarketCharts {
  constructor(article, data) {
    this.article = article;
    this.data = data;
    this.symbol = data.symbol;
    this.readFills();
    this.time = new TimeWindow(data.begin / 1000, data.end / 1000);
    this.isOneDay = utcText(data.begin / 1000).slice(0, 10) === utcText(data.end / 1000).slice(0, 10);
  }
  readFills() {
    const { fills } = this.data;
    this.fills = {
      time: seconds(fills.time), step: unpacked(fills.step), price: unpacked(fills.price), side: unpackedWords(fills.side),
      texts: Object.fromEntries(["price", "quantity", "fee", "mid", "inventory", "net"].map((name) => [name, unpackedTexts(fills[name])])),
      purpose: unpackedWords(fills.purpose), liquidity: unpackedWords(fills.liquidity), level: unpacked(fills.level),
      age: unpacked(fills.age), order: fills.order.rests.map((rest) => fills.order.begin + rest),
      markouts: Object.entries(fills.markouts).map(([horizon, column]) => [horizon, unpacked(column)]),
    };
  }
  /** A time in a list: without the date where all have the same. */
  timeText(seconds) { return utcText(seconds, 3).slice(this.isOneDay ? 11 : 0); }
  place(name) { return this.article.querySelector(`.${name}`); }
  draw() {
    timeButtons(this.place("time-buttons"), this.time);
    this.series = Object.fromEntries(Object.entries(this.data.series).map(([name, column]) => [name, unpacked(column)]));
    this.series.time = this.series.time.map((milliseconds) => milliseconds / 1000);
    if (this.series.time.length) {
      this.drawPrices();
      this.drawHolds();
      this.drawPosition();
      this.drawProfit();
      this.drawDrawdown();
    } else {
      const charts = this.place("charts");
      charts.replaceChildren(element("p", charts.dataset.empty, "empty muted"));
    }
    this.listFills();
    this.listStretches();
  }
  chart(name, label, series, decimals, more = {}) {
    const text = (value) => numberText(value, decimals);
    const values = (_, splits) => splits.map((value) => numberText(value, decimalsOf(splits)));
    return timeline(this.place(name), this.time, `${label} of ${this.symbol} over time`, series, { text, ...more, axis: { values, ...more.axis } });
  }
  drawPrices() {
    const { time, mid, mid_low, mid_high, bid, ask } = this.series, { fills } = this;
    const own = (side) => {
      const at = fills.side.flatMap((one, place) => one === side ? [place] : []);
      return { times: at.map((place) => fills.time[place]), values: at.map((place) => fills.price[place]) };
    };
    const decimals = shownDecimals(this.data.series.mid);
    this.chart("prices", "Market, own quotes and fills", [
      ...envelope(time, mid_low, mid_high),
      { label: "mid", color: "mid", times: time, values: mid, width: 1.25 },
      { label: "own bid", color: "bid", times: time, values: bid, step: true, width: 1.5 },
      { label: "own ask", color: "ask", times: time, values: ask, step: true, width: 1.5 },
      { label: "bought", color: "bid", ...own("bid"), points: "up" },
      { label: "sold", color: "ask", ...own("ask"), points: "down" },
    ], decimals, { height: 340 });
    addLegend(this.place("prices-legend"), [
      ["line", "mid", "middle of the market"], ["line", "bid", "own best bid"], ["line", "ask", "own best ask"],
      ["up", "bid", "bought"], ["down", "ask", "sold"],
    ]);
    const [low, high] = [extremes(mid_low)[0], extremes(mid_high)[1]];
    const bought = fills.side.filter((side) => side === "bid").length;
    this.place("prices-text").textContent = `The middle went from ${numberText(mid.find((value) => value !== null) ?? null, decimals)} to `
      + `${numberText(lastKnown(mid), decimals)} ${this.data.quote}, between ${numberText(low, decimals)} and ${numberText(high, decimals)}. `
      + `${bought} fills bought, ${fills.side.length - bought} sold${this.data.fills.total > fills.side.length ? `; ${fills.side.length} of ${this.data.fills.total} are drawn` : ""}.`;
  }
  drawHolds() {
    const { holds } = this.data, times = seconds(holds.time), reasons = holds.reasons;
    const colors = Object.fromEntries(reasons.filter((reason) => reason !== "live").map((reason, place) => [reason, `hold-${Math.min(place + 1, 6)}`]));
    const sides = ["bid", "ask"].filter((side) => side in holds.seconds), stretches = [];
    sides.forEach((side, row) => {
      const columns = Object.entries(holds.seconds[side]).map(([reason, column]) => [reason, unpacked(column)]);
      columns.sort((a, b) => reasons.indexOf(a[0]) - reasons.indexOf(b[0]));
      times.forEach((begin, at) => {
        const end = Math.min(at + 1 < times.length ? times[at + 1] : begin + holds.bin, this.time.whole[1]);
        const whole = columns.reduce((sum, [, column]) => sum + column[at], 0);
        if (!whole) return;
        const text = `${side}, ${utcText(begin)} UTC\n` + columns.filter(([, column]) => column[at] > 0)
          .map(([reason, column]) => `${(100 * column[at] / whole).toFixed(1)} % ${reason === "live" ? "live" : holds.why[reason] ?? reason}`).join("\n");
        let below = 0;
        for (const [reason, column] of columns) {
          if (!column[at]) continue;
          const share = column[at] / whole;
          stretches.push({ row, begin: Math.max(begin, this.time.whole[0]), end, from: below, to: below + share, color: reason === "live" ? `${side}-soft` : colors[reason], text });
          below += share;
        }
      });
    });
    timeBands(this.place("holds"), this.time, `Why each side of ${this.symbol} was not quoted`, sides, stretches, { height: 44 + 56 * sides.length });
    const shown = reasons.filter((reason) => reason !== "live").slice(0, 5);
    addLegend(this.place("holds-legend"), [
      ["box", "bid-soft", "bid live"], ["box", "ask-soft", "ask live"],
      ...shown.map((reason) => ["box", colors[reason], holds.why[reason] ?? reason]),
      ...(reasons.length > shown.length + 1 ? [["box", "hold-6", "another reason"]] : []),
    ]);
  }
  drawPosition() {
    const { time, inventory, inventory_low, inventory_high } = this.series, limit = Number(this.data.limit);
    const [low, high] = [extremes(inventory_low)[0], extremes(inventory_high)[1]], decimals = shownDecimals(this.data.series.inventory);
    const near = Math.max(-low, high) > limit / 4;
    const lines = near ? [limit, -limit].map((value) => ({ label: value > 0 ? "limit" : "limit below", color: "warn", times: this.time.whole, values: [value, value], width: 1, dash: [6, 4] })) : [];
    this.chart("position", "Position less the target", [
      ...envelope(time, inventory_low, inventory_high, true),
      { label: "position", color: "own", times: time, values: inventory, step: true, width: 1.5 }, ...lines,
    ], decimals, { height: 190 });
    this.place("position-text").textContent = `Base units of ${this.data.base}, less the target: between ${short(low)} and ${short(high)}; `
      + `the limit of ${short(limit)} is ${near ? "dashed" : "beyond the chart"}.`;
  }
  drawProfit() {
    const { time, net, net_low, net_high } = this.series, { parts, baseline, quote } = this.data;
    const decimals = shownDecimals(this.data.series.net), ends = seconds(parts.end);
    const part = (label, color, name, sign = 1) => ({ label, color, times: ends, values: unpacked(parts[name]).map((value) => sign * value), width: 1.25, dash: [5, 3] });
    const plain = baseline ? unpacked(baseline.net) : [];
    this.chart("profit", "Net profit and its parts", [
      ...envelope(time, net_low, net_high),
      ...(ends.length ? [part("spread capture", "gain", "spread_capture"), part("inventory", "hold-2", "inventory"), part("fees", "loss", "fees", -1)] : []),
      ...(plain.length ? [{ label: "plain quoter", color: "warn", times: time, values: plain, width: 1.5 }] : []),
      { label: "net profit", color: "own", times: time, values: net, width: 2 },
    ], decimals, { height: 260 });
    addLegend(this.place("profit-legend"), [
      ["line", "own", "net profit"], ...(ends.length ? [["dash", "gain", "spread capture"], ["dash", "hold-2", "inventory"], ["dash", "loss", "fees"]] : []),
      ...(plain.length ? [["line", "warn", "a plain quoter on the same data"]] : []),
    ]);
    const [low, high] = [extremes(net_low)[0], extremes(net_high)[1]], money = (value) => numberText(value, this.data.decimals, true);
    this.place("profit-text").textContent = `${quote}. Net profit ended at ${money(lastKnown(net))}, between ${money(low)} and `
      + `${money(high)}${plain.length ? `; the plain quoter's at ${money(Number(baseline.final))}` : ""}.`;
  }
  drawDrawdown() {
    const { time, drawdown } = this.series, decimals = shownDecimals(this.data.series.drawdown);
    const below = drawdown.map((value) => value === null ? null : -value);
    this.chart("drawdown", "Drawdown", [{ label: "below the best so far", color: "loss", times: time, values: below, step: true, width: 1, fill: "loss-soft" }], decimals,
      { height: 120, axis: { space: 20 }, range: (_, low) => [Math.min(low ?? 0, -1e-9) * 1.08, 0] });
    this.place("drawdown-text").textContent = `${this.data.quote} below the best net profit so far; at most ${numberText(extremes(drawdown)[1], this.data.decimals)}.`;
  }
  listFills() {
    const { fills } = this;
    const show = pagedTable(this.place("fill-list"), `Fills of ${this.symbol} in the time shown`, [
      ["Time, UTC", "nowrap"], ["Side", ""], [`Price, ${this.data.quote}`, "number"], [`Quantity, ${this.data.base}`, "number"],
      [`Fee, ${this.data.quote}`, "number"], ["Middle", "number"], ["Level", "number"], ["Age, s", "number"],
      ...fills.markouts.map(([horizon]) => [`${horizon} s, bps`, "number"]),
      ["Position", "number"], [`Net, ${this.data.quote}`, "number"], ["Purpose", ""], ["Liquidity", ""], ["Step", "number"], ["Order", "code"],
    ]);
    const fee = (place) => {
      const exact = fills.texts.fee[place];
      return exact === null ? NOTHING : exact.length <= 10 ? exact : short(Number(exact.replace("\u2212", "-").replaceAll("\u202f", "")));
    };
    const list = () => {
      const [begin, end] = this.time.shown;
      const sight = fills.time.flatMap((one, place) => one >= begin && one <= end ? [place] : []);
      const left = this.data.fills.total - fills.time.length;
      show({
        length: sight.length, note: left > 0 ? `; ${left} more of the run are in the table beside this page` : "",
        cells: (at) => {
          const place = sight[at], text = (name) => fills.texts[name][place], side = fills.side[place];
          return [
            this.timeText(fills.time[place]), element("span", side === "bid" ? "bought" : "sold", side), text("price"), text("quantity"), fee(place), text("mid"),
            numberText(fills.level[place], 0), numberText(fills.age[place], 3), ...fills.markouts.map(([, column]) => numberText(column[place], 2, true)),
            text("inventory"), text("net"), fills.purpose[place]?.replaceAll("_", " "), fills.liquidity[place], stepLink(this.symbol, fills.step[place]), fills.order[place],
          ];
        },
      });
    };
    this.time.follow(list);
  }
  listStretches() {
    const { stretches, holds } = this.data;
    const [begin, end, step] = [seconds(stretches.begin), seconds(stretches.end), unpacked(stretches.step)];
    const [side, reason, detail, edge, ending] = ["side", "reason", "detail", "edge", "ending"].map((name) => unpackedWords(stretches[name]));
    const held = reason.flatMap((one, place) => one === "live" ? [] : [place]);
    held.sort((a, b) => (end[b] - begin[b]) - (end[a] - begin[a]));
    const command = this.place("why-command"), run = shellWord(report.place), symbol = shellWord(this.symbol);
    const explain = (place) => {
      const middle = utcText((begin[place] + end[place]) / 2, 3).replace(" ", "T");
      command.textContent = `mm-fsm why ${run} --symbol ${symbol} --side ${side[place]} --at ${middle}`;
    };
    if (held.length) explain(held[0]); else command.textContent = `mm-fsm why ${run} --symbol ${symbol}`;
    const show = pagedTable(this.place("stretch-list"), `Longest stretches of ${this.symbol} without a quote`, [
      ["Side", ""], ["Begin, UTC", "nowrap"], ["Length", "number"], ["Why", "why"], ["Decided at", "code"], ["Then", ""], ["Step", "number"], ["Look", ""],
    ], 10);
    show({
      length: held.length,
      note: stretches.total > begin.length ? `; the longest of ${stretches.total}, live ones included` : "",
      cells: (at) => {
        const place = held[at], look = element("button", "Show");
        look.type = "button";
        look.setAttribute("aria-label", `Show ${utcText(begin[place])} in the charts`);
        look.addEventListener("click", () => {
          const length = Math.max(end[place] - begin[place], 5);
          explain(place);
          this.time.show(begin[place] - length, end[place] + length);
          this.article.querySelector(".prices").scrollIntoView({ block: "center" });
        });
        const why = holds.why[reason[place]] ?? reason[place].replaceAll("_", " ");
        return [
          element("span", side[place], side[place]), this.timeText(begin[place]), lengthText(end[place] - begin[place]),
          detail[place] ? `${why}: ${detail[place]}` : why, edge[place] || NOTHING, ending[place] ? ending[place].replaceAll("_", " ") : "end of the run", stepLink(this.symbol, step[place]), look,
        ];
      },
    });
  }
}
/** A table that is made when its details are opened: ``rows`` of cells, each a text or a node. */
function makeOnOpen(details, label, heads, rows) {
  details?.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const region = element("div", "", "scroll"), table = element("table", "", "sortable"), head = table.createTHead().insertRow(), body = table.createTBody();
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", label);
    for (const [name, look] of heads) head.append(Object.assign(element("th", name, look), { scope: "col" }));
    for (const row of rows) {
      const line = body.insertRow();
      row.forEach(([shown, value], at) => {
        const cell = line.insertCell();
        cell.className = heads[at][1];
        if (value !== undefined) cell.dataset.value = value;
        cell.append(shown);
      });
    }
    region.append(table);
    details.append(region);
    makeSortable(table);
  });
}
/** A bar as wide as its share, of 1. */
function barOf(share) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  svg.setAttribute("class", "bar-of");
  svg.setAttribute("aria-hidden", "true");
  rect.setAttribute("width", `${100 * share}%`);
  rect.setAttribute("height", "100%");
  svg.append(rect);
  return svg;
}
function makeTables(article, data) {
  const most = Math.max(1, ...data.life.map(([, orders]) => orders));
  makeOnOpen(article.querySelector(".life"), `Orders of ${data.symbol} by how long they lived`, [["Up to", "number"], ["Orders", "number"], ["", ""]],
    data.life.map(([edge, orders]) => [[lengthText(edge), edge], [numberText(orders, 0), orders], [barOf(orders / most), orders]]));
  makeOnOpen(article.querySelector(".edges"), `Edges of ${data.symbol}`, [["From", ""], ["Event", ""], ["To", ""], ["Taken", "number"]],
    data.edges.map(([source, event, target, taken]) => [[source], [event], [target], [numberText(taken, 0), taken]]));
}
/** One of several buttons is pressed at a time. */
function chooseOne(group, act) {
  const buttons = [...group.querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      act(button.dataset);
    });
  }
}
/** On a small screen rows become blocks: each cell says its head, and roles keep what the table says of itself. */
function labelCells(table) {
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent), isSingle = heads.length <= 3;
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, at) => {
      cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "col" ? "columnheader" : "rowheader");
      if (cell.tagName === "TD" && !cell.hasAttribute("aria-hidden") && !isSingle) cell.dataset.head = heads[at];
    });
  }
}
const HEATS = ["#f3f7fb", "#e3eef8", "#d0e3f4", "#bad6ee", "#a3c8e8"], LOSSES = ["#fbeef5", "#f6dcea", "#eebdd8"], GAINS = ["#eaf7f2", "#d5efe6", "#a9dfcb"];
/** Colours each state of the drawn chart by one of its figures. */
function colorStates(article, figures, measure) {
  const values = Object.values(figures).map((one) => Math.abs(one[measure] ?? 0)), most = Math.max(...values, 0);
  for (const node of article.querySelectorAll(".map g.node")) {
    const one = figures[node.dataset.node];
    if (!one) continue;
    const share = most ? Math.abs(one[measure]) / most : 0, shades = measure === "net" ? (one.net < 0 ? LOSSES : GAINS) : HEATS;
    const shade = share === 0 ? "#ffffff" : shades[Math.min(shades.length - 1, Math.floor(Math.sqrt(share) * shades.length))];
    node.querySelector("path, polygon")?.setAttribute("fill", shade);
  }
}
const report = pageData();
for (const article of document.querySelectorAll("article.market")) makeMarkouts(article, report.markets[Number(article.dataset.market)]);
for (const table of document.querySelectorAll("table.drawn")) labelCells(table);
for (const article of document.querySelectorAll("article.market")) {
  const data = report.markets[Number(article.dataset.market)];
  if (data.begin !== null) {
    const charts = new MarketCharts(article, data);
    article.charts = charts;
    let drawn = false;
    const once = () => { if (!drawn) { drawn = true; charts.draw(); } };
    // Other markets' charts are drawn when they come near, so that the page is there at once.
    if (article.dataset.market === "0") once();
    else new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) once(); }, { rootMargin: "600px" }).observe(article);
  } else article.querySelector(".charts").replaceChildren(element("p", article.querySelector(".charts").dataset.empty, "empty muted"));
  makeTables(article, data);
  const heat = article.querySelector(".heat-buttons");
  if (heat) chooseOne(heat, ({ measure }) => colorStates(article, data.states, measure));
}
