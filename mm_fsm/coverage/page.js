"use strict";
// Sorting: by number where every cell of the column has one, otherwise by text.
for (const head of document.querySelectorAll("th")) {
  head.tabIndex = 0;
  const sort = () => {
    const table = head.closest("table"), body = table.tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...body.rows], numeric = rows.every((row) => text(row) !== "" && !isNaN(text(row)));
    rows.sort((a, b) => numeric ? text(a) - text(b) : text(a).localeCompare(text(b)));
    if (down) rows.reverse();
    body.append(...rows);
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
}
// What the picture has to say about a state or an edge, beside the pointer.
const hint = document.getElementById("hint");
for (const part of document.querySelectorAll(".map a")) {
  const text = part.getAttribute("xlink:title");
  part.removeAttribute("xlink:title");
  if (!text || !text.trim()) continue;
  const group = part.closest("g.edge, g.node") ?? part;
  group.querySelector("title")?.remove();
  part.addEventListener("mousemove", (event) => {
    hint.textContent = text;
    hint.style.display = "block";
    hint.style.left = Math.min(event.clientX + 16, innerWidth - hint.offsetWidth - 8) + "px";
    hint.style.top = Math.min(event.clientY + 16, innerHeight - hint.offsetHeight - 8) + "px";
  });
  part.addEventListener("mouseleave", () => { hint.style.display = "none"; });
}
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    const large = button.nextElementSibling.classList.toggle("large");
    button.textContent = large ? "Fit to the page" : "Full size";
  });
}
