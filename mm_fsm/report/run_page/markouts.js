"use strict";
const MARKOUT_GROUPS = { all: "", side: "By side", level: "By level", age: "By age of the quote" };
const MARKOUT_SIDES = { bid: "Bought (bid)", ask: "Sold (ask)" };
const MARKOUT_AXIS = "ring gross, dot net of fees with its interval; left of the line the price went against us";
/** A number as the report has it, exactly, shown as people read it. */
function marked(exact, name, shown) {
  const made = element("data", exact === null ? NOTHING : shown(Number(exact)));
  made.value = exact ?? "";
  made.dataset.of = name;
  return made;
}
/** From numbers around zero to percent of a drawing's width; the edges stay free, so that whole dots are seen. */
function drawnScale(numbers) {
  const low = Math.min(0, ...numbers), high = Math.max(0, ...numbers), span = high - low || 1;
  return (number) => 3 + 94 * (Math.min(Math.max(number, low), high) - low) / span;
}
/** For all points; intervals of few fills that reach further than half of that again are cut at the edge. */
function markoutScale(rows) {
  const known = (names) => rows.flatMap((row) => names.map((name) => row[name])).filter((text) => text !== null).map(Number);
  const points = known(["gross_bps", "net_bps"]), most = 1.5 * Math.max(0, ...points.map(Math.abs));
  return drawnScale([...points, ...known(["low", "high"]).map((bound) => Math.min(Math.max(bound, -most), most))]);
}
/** What the numbers of a row say, drawn: the style sheet has what lies from top to bottom. */
function markoutDrawing(row, scale) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), side = row.of.split(" ")[0] in MARKOUT_SIDES ? ` ${row.of.split(" ")[0]}` : "";
  const draw = (shape, look, places) => {
    const part = document.createElementNS("http://www.w3.org/2000/svg", shape);
    part.setAttribute("class", look);
    for (const [name, place] of Object.entries(places)) part.setAttribute(name, `${Math.round(10 * place) / 10}%`);
    svg.append(part);
  };
  draw("rect", "zero", { x: scale(0) });
  if (row.low !== null) {
    const [left, right] = [row.low, row.high].map((bound) => scale(Number(bound)));
    draw("rect", `whisker${side}`, { x: left, width: Math.max(right - left, 0.2) });
  }
  if (row.gross_bps !== null) draw("circle", `ring${side}`, { cx: scale(Number(row.gross_bps)) });
  if (row.net_bps !== null) draw("circle", `dot${side}`, { cx: scale(Number(row.net_bps)) });
  return svg;
}
function markoutCells(row) {
  const bps = (value) => numberText(value, 2, true), cell = (...content) => { const made = element("td"); made.append(...content); return made; };
  const drawing = cell(row.scale ? markoutDrawing(row, row.scale) : "");
  drawing.setAttribute("aria-hidden", "true");
  return [
    Object.assign(element("th", row.group === "all" ? "All" : MARKOUT_SIDES[row.of] ?? row.of), { scope: "row" }),
    cell(marked(row.count, "count", (value) => numberText(value, 0))), cell(marked(row.quantity, "quantity", short)),
    ...["gross_by_fill_bps", "gross_bps", "net_bps"].map((name) => cell(marked(row[name], name, bps))),
    row.low === null ? cell(NOTHING) : cell(marked(row.low, "net_interval_bps.0", bps), " to ", marked(row.high, "net_interval_bps.1", bps)),
    drawing,
  ];
}
/** One table a horizon, each drawn on a scale of its own: what happens later is larger. */
function markoutTable(horizon, rows, base) {
  const figure = element("figure", "", "drawn-figure"), region = element("div", "", "scroll"), table = element("table", "", "drawn");
  table.createCaption().textContent = `What a fill was worth ${Number(horizon)}\u202fs later, bps`;
  const head = table.createTHead().insertRow(), body = table.createTBody(), scale = markoutScale(rows);
  for (const name of ["Fills", "Number", `Quantity, ${base}`, "By fill", "Gross", "Net of fees", "95\u202f% interval"]) head.append(Object.assign(element("th", name), { scope: "col" }));
  const drawn = element("th", MARKOUT_AXIS, "drawing-head");
  drawn.setAttribute("aria-hidden", "true");
  head.append(drawn);
  let group = "all";
  for (const row of rows) {
    if (row.group !== group) {
      group = row.group;
      const line = body.insertRow();
      line.className = "group";
      line.append(Object.assign(element("th", MARKOUT_GROUPS[group] ?? group.replaceAll("_", " ")), { scope: "rowgroup", colSpan: 8 }));
    }
    const line = body.insertRow();
    line.dataset.place = `markouts.rows.${row.place}`;
    line.append(...markoutCells({ ...row, scale }));
  }
  region.append(table);
  figure.append(region, element("figcaption", `Drawn: ${MARKOUT_AXIS}.`, "axis-note"));
  return figure;
}
/** A table for each horizon; the one that is chosen is shown, all are printed. */
function makeMarkouts(article, data) {
  const buttons = article.querySelector(".horizons");
  if (!buttons) return;
  const { names, rows } = data.markouts, place = article.querySelector(".markouts");
  const named = rows.map((row, at) => Object.fromEntries([["place", at], ...names.map((name, column) => [name, row[column]])]));
  const tables = [...buttons.querySelectorAll("button")].map((button) => {
    const horizon = button.querySelector("data").value, made = element("div", "", "markout-table");
    made.classList.toggle("other", button.getAttribute("aria-pressed") !== "true");
    made.append(markoutTable(horizon, named.filter((row) => row.horizon_seconds === horizon), data.base));
    place.append(made);
    return made;
  });
  chooseOne(buttons, ({ horizon }) => tables.forEach((table, at) => table.classList.toggle("other", String(at) !== horizon)));
}
