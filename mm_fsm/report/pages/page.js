"use strict";
/** What the page was given: the JSON in it. */
function pageData() {
  return JSON.parse(document.getElementById("page-data").textContent);
}
/** A colour of the style sheet, by its name without dashes in front, as it is in this light. */
function pageColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
/** Calls back whenever the reader's system turns from light to dark, or back. */
function onColorChange(callback) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}
/** UTC for people, of seconds since 1970: "2026-03-01 12:00:05", with as many decimals as asked for. */
function utcText(seconds, decimals = 0) {
  if (!Number.isFinite(seconds)) return "-";
  const text = new Date(Math.floor(seconds * 1000 + 1e-6)).toISOString();
  return text.slice(0, 10) + " " + (decimals ? text.slice(11, 20 + Math.min(3, decimals)) : text.slice(11, 19));
}
/** Makes a table's headlines buttons that sort it: by number where every cell of the column has one, else by text. */
function makeSortable(table) {
  const body = table.tBodies[0];
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const text = ({ cells: { [column]: cell } }) => cell.dataset.value ?? cell.querySelector("data")?.value ?? cell.textContent.trim();
      const rows = [...body.rows], numeric = rows.every((row) => text(row) !== "" && !isNaN(text(row)));
      rows.sort((a, b) => numeric ? text(a) - text(b) : text(a).localeCompare(text(b)));
      if (down) rows.reverse();
      body.append(...rows);
    });
  }
}
/** Shows a text beside the pointer, or beside what has the focus. */
function showHint(text, left, top) {
  const hint = document.getElementById("hint");
  hint.textContent = text;
  hint.hidden = false;
  hint.style.left = Math.max(4, Math.min(left + 16, innerWidth - hint.offsetWidth - 8)) + "px";
  hint.style.top = Math.max(4, Math.min(top + 16, innerHeight - hint.offsetHeight - 8)) + "px";
}
function hideHint() {
  document.getElementById("hint").hidden = true;
}
/** What a picture of a chart has to say about each state and edge, on hover; ``data-node`` keeps a state's name. */
function makeHints(picture) {
  for (const part of picture.querySelectorAll("a")) {
    const text = part.getAttribute("xlink:title");
    part.removeAttribute("xlink:title");
    if (!text || !text.trim()) continue;
    const group = part.closest("g.edge, g.node") ?? part;
    const title = group.querySelector("title");
    if (title) group.dataset.node = title.textContent;
    title?.remove();
    part.setAttribute("aria-label", text);
    part.addEventListener("mousemove", (event) => showHint(text, event.clientX, event.clientY));
    part.addEventListener("mouseleave", hideHint);
  }
}
for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
for (const map of document.querySelectorAll(".map")) {
  makeHints(map);
  map.scrollLeft = (map.scrollWidth - map.clientWidth) / 2;
}
for (const button of document.querySelectorAll("button.full-size")) {
  button.addEventListener("click", () => {
    const large = button.nextElementSibling.classList.toggle("large");
    button.textContent = large ? "Fit to the page" : "Full size";
  });
}
