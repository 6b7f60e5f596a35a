"use strict";
const SECONDS_OF_SILENCE = 5;
const at = (id) => document.getElementById(id);
let token = null, run = null, isAsking = false, lastGood = null;

/** An element with a class and a text. */
function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
/** Writes a text only where it is another: what a reader has selected, or a screen reader follows, stays. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function dress(element, className) {
  if (element.className !== className) element.className = className;
}
/** Fills a list with elements made of items, anew only when an item has changed. */
function fill(list, items, make) {
  const told = JSON.stringify(items);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.replaceChildren(...items.flatMap(make));
}
function rung(row) {
  const who = row.kind === "own" ? `own ${row.side}` : `market ${row.side}`;
  const line = made("tr", row.kind === "own" ? (row.is_resting ? "" : "asked") : "others");
  line.append(made("td", row.side, who), ...[row.price, row.quantity, row.far].map((text) => made("td", "number", text)));
  if (!row.is_resting) line.title = "a request about it awaits the venue's answer";
  return line;
}
function answer(each) {
  return [made("dt", "", each.question), made("dd", each.tone, each.words)];
}
function silence(each) {
  const about = made("dl", "answers");
  about.append(...each.answers.flatMap(answer));
  return [made("h4", each.side, each.side), about];
}
function limit(each) {
  const line = made("li", each.tone), words = made("p"), bar = made("span", "bar"), used = made("i");
  words.append(made("span", "", each.name), made("span", "used", each.words));
  used.style.width = `${Math.min(1, each.share ?? 0) * 100}%`;
  bar.append(used);
  line.append(words, bar);
  if (each.tone !== "plain") line.append(made("small", "", `${each.tone === "bad" ? "now" : "then"} ${each.then}`));
  return line;
}
function consequence(each) {
  return [made("dt", "", each.name), made("dd", "", `${each.then} (${each.setting})`)];
}
function news(each) {
  const line = made("li", each.kind);
  line.append(made("time", "", each.clock), each.words);
  return line;
}
function showMarket(market) {
  let section = [...document.querySelectorAll("section.market")].find((each) => each.dataset.symbol === market.symbol);
  if (!section) {
    section = at("market").content.firstElementChild.cloneNode(true);
    section.dataset.symbol = market.symbol;
    write(section.querySelector(".symbol"), market.symbol);
    at("markets").append(section);
  }
  const badge = section.querySelector(".headline");
  write(badge, market.headline);
  dress(badge, `badge headline ${market.tone}`);
  write(section.querySelector(".state"), market.state.replaceAll("_", " "));
  write(section.querySelector(".doing"), market.is_over ? "How it was left" : "What it does");
  section.querySelector(".quotes").hidden = market.ladder.length === 0;
  section.querySelector(".silent").hidden = market.silences.length === 0;
  fill(section.querySelector(".silences"), market.silences, silence);
  section.querySelector(".distances").hidden = market.is_over;
  fill(section.querySelector(".ladder tbody"), market.ladder, rung);
  fill(section.querySelector(".answers"), market.answers, answer);
  fill(section.querySelector(".limits"), market.limits, limit);
  fill(section.querySelector(".then"), market.limits.map(({ name, then, setting }) => ({ name, then, setting })), consequence);
  fill(section.querySelector(".news"), market.news.length ? market.news : [{ clock: "", kind: "", words: "none yet" }], news);
}
const TONES = { running: "good", silent: "bad", gone: "bad", left: "bad", ended: "plain", unreadable: "warning" };
function show(state) {
  run = state.run;
  write(at("condition"), state.condition);
  dress(at("condition"), `badge ${TONES[state.condition]}`);
  const name = state.directory.split("/").pop();
  write(at("headline"), name);
  document.title = `${state.markets.map((each) => `${each.symbol} ${each.headline}`).join(", ") || state.condition} - ${name}`;
  const wished = [state.pause && `Paused: ${state.pause}.`, state.stop && `Asked to stop: ${state.stop}.`].filter(Boolean);
  write(at("words"), [state.words, ...wished, ...(state.rescues ?? [])].join(" "));
  at("next").hidden = !state.next;
  write(at("next"), state.next ? state.next.words : "");
  dress(at("next"), `next ${state.next ? state.next.tone : ""}`);
  showPlace(state);
  at("control").hidden = !state.may_control;
  for (const id of ["pause", "resume", "stop", "stop-now"]) at(id).disabled = !["running", "silent"].includes(state.condition);
  const symbols = state.markets.map((each) => each.symbol);
  for (const section of document.querySelectorAll("section.market")) if (!symbols.includes(section.dataset.symbol)) section.remove();
  state.markets.forEach(showMarket);
}
/** Where it stands, how old it is, and what else there is of the run. */
function showPlace(state) {
  const links = { "report.html": "report", "inspect.html": "inspector" };
  const age = state.age_seconds === null || state.next ? "" : `, written ${state.age_seconds.toFixed(0)} s ago`;
  const place = at("place"), told = `${state.directory}${age}|${state.pages}`;
  if (place.dataset.told === told) return;
  const had = [...place.querySelectorAll("a")].map((link) => link.getAttribute("href")).join();
  place.dataset.told = told;
  if (!place.firstChild || had !== state.pages.join()) {
    place.replaceChildren(made("span"), ...state.pages.flatMap((page) => {
      const link = made("a", "", links[page]);
      link.href = page;
      return [" \u00b7 ", link];
    }));
  }
  write(place.firstChild, state.directory + age);
}
/** Says that nothing new comes; what the page shows stays, pale. */
function complain(words) {
  const since = lastGood === null ? "" : ` What stands here is from ${utcText(lastGood / 1000)} UTC.`;
  write(at("problem"), words + since);
  at("problem").hidden = false;
  document.body.classList.add("stale");
}
async function look() {
  if (isAsking) return;
  isAsking = true;
  try {
    const answered = await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(SECONDS_OF_SILENCE * 1000) });
    if (!answered.ok) throw new Error(`status ${answered.status}`);
    show(await answered.json());
    lastGood = Date.now();
    at("problem").hidden = true;
    document.body.classList.remove("stale");
  } catch (error) {
    const why = error instanceof TypeError || error.name === "TimeoutError" ? "" : ` (${error.message})`;
    complain(`mm-fsm serve does not answer${why}: start it again. The run itself may well go on.`);
  } finally {
    isAsking = false;
    setTimeout(look, document.hidden ? 5000 : 1000);
  }
}
/** Asks for something that needs the token; says what came of it, and whether it was done. */
async function ask(what) {
  const content = JSON.stringify({ run, reason: at("reason").value });
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  try {
    const answered = await fetch(`/api/${what}`, { method: "POST", headers, body: content, cache: "no-store" });
    const told = await answered.json();
    write(at("answer"), told.words === "unlocked" ? "" : told.words);
    if (answered.status === 401) lock();
    return answered.ok;
  } catch {
    write(at("answer"), "mm-fsm serve does not answer: use mm-fsm pause, resume or stop.");
    return false;
  }
}
function lock() {
  token = null;
  at("token").value = "";
  at("unlock").hidden = false;
  at("wishes").hidden = true;
  at("sure").hidden = true;
  at("token").focus();
}
function beSure(isOpen) {
  at("sure").hidden = !isOpen;
  at("stop").setAttribute("aria-expanded", String(isOpen));
  at(isOpen ? "stop-not" : "stop").focus();
}
at("unlock").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  at("token").value = "";
  if (!(await ask("unlock"))) return;
  at("unlock").hidden = true;
  at("wishes").hidden = false;
  at("reason").focus();
});
at("pause").addEventListener("click", () => ask("pause"));
at("resume").addEventListener("click", () => ask("resume"));
at("stop").addEventListener("click", () => beSure(at("sure").hidden));
at("stop-not").addEventListener("click", () => beSure(false));
at("stop-now").addEventListener("click", async () => {
  await ask("stop");
  beSure(false);
});
at("lock").addEventListener("click", () => {
  lock();
  write(at("answer"), "");
});
look();
