"use strict";
/** Steps through one market of the run, or through two tracks of it side by side. */
class Inspector {
  constructor(market, at, data) {
    const tracks = market.tracks.map((entry, number) => new Track(
      entry, (place) => loadWindow(at, number, place, data.isServed), market.differences,
    ));
    this.market = market;
    this.main = tracks[0];
    this.tracks = tracks.filter((track) => track.places.length);
    this.views = this.tracks.map((track) => {
      const picture = track.chart.picture === null ? null : document.getElementById(`picture-${track.chart.picture}`);
      return new SideView(track, picture, tracks.length > 1 ? track.entry.title : "");
    });
    const sides = document.getElementById("sides");
    sides.className = this.views.length > 1 ? "two" : "";
    sides.replaceChildren(...this.views.map((view) => view.element));
    this.time = new TimeView(this.tracks, (time) => this.goToTime(time));
    this.moments = [];
    this.turn = 0;
    this.showAbout();
    for (const [id, value] of [["slider", "first"], ["step", "first"]]) document.getElementById(id).min = this.main[value];
    for (const id of ["slider", "step"]) document.getElementById(id).max = this.main.last;
  }
  /** Goes to the last step at or before a number. The latest wish wins, however long a window takes to load. */
  async go(sequence) {
    const turn = ++this.turn;
    await this.guarded(async () => {
      const moment = await this.main.at(Math.min(Math.max(sequence, this.main.first), this.main.last));
      const others = await Promise.all(this.tracks.slice(1).map((track) => this.beside(track, moment)));
      if (turn === this.turn) this.show([moment, ...others]);
    });
  }
  async goToTime(time) {
    await this.guarded(async () => this.go((await this.main.atTime(time)).sequence));
  }
  async walk(by) {
    if (this.moments.length) await this.guarded(async () => this.go(await this.main.away(this.moments[0], by)));
  }
  async jump(kind, direction) {
    await this.guarded(async () => {
      const found = await this.main.next(this.moments[0], kind.bit, direction);
      if (found !== null) return this.go(found);
      return this.say(`There is no ${kind.name} ${direction > 0 ? "after" : "before"} this step.`);
    });
  }
  /** The other track's step: of the same number as far as both tell the same story, else of the same time. */
  async beside(track, moment) {
    const apart = this.market.isOneJournal ? Infinity : this.market.differences[0] ?? Infinity;
    return moment.sequence > apart ? track.atTime(moment.time) : track.at(moment.sequence);
  }
  async guarded(act) {
    try {
      await act();
    } catch (error) {
      this.say(String(error.message ?? error));
    }
  }
  say(text) {
    const notices = document.getElementById("notices");
    notices.textContent = text;
    notices.hidden = !text;
  }
  show(moments) {
    this.say("");
    this.moments = moments;
    const [main, other] = moments;
    const isBeside = other && other.sequence === main.sequence && other.content.segment === main.content.segment;
    this.views.forEach((view, at) => view.show(moments[at], isBeside ? moments[1 - at] : null, this.notice(at, moments)));
    this.time.follow(moments);
    const { step, content } = main;
    document.getElementById("step").value = step.n;
    document.getElementById("slider").value = step.n;
    const segments = this.main.entry.segments;
    document.getElementById("place").textContent = `step ${step.n} of ${this.main.last}, ${timeText(main.time)}` +
      (segments.length > 1 ? `, segment ${content.segment}` : "");
    const isFirst = step.n === this.main.first, isLast = step.n === this.main.last;
    for (const [id, off] of [["first", isFirst], ["back", isFirst], ["last", isLast], ["forth", isLast]]) document.getElementById(id).disabled = off;
    history.replaceState(null, "", `${location.search}#step=${step.n}`);
  }
  notice(at, moments) {
    const [main] = moments, moment = moments[at];
    if (moment.sequence === main.sequence && this.market.differences.includes(main.sequence)) return "Here both differ for the first time. What differs is framed.";
    if (at === 0) return this.segmentNote(moment);
    if (moment.sequence === main.sequence) return "";
    const ends = this.segmentNote(moment);
    return `This side stands at step ${moment.sequence}, ${timeText(moment.time)}. ${ends ? `Its segment ${ends}.` : ""}`;
  }
  segmentNote(moment) {
    return moment.track.entry.segments.find((segment) => segment.number === moment.content.segment)?.note ?? "";
  }
  /** What a comparison has found, and what it could not look at. */
  verdict() {
    const { differences, isOneJournal, notCompared } = this.market, compared = this.market.tracks[1].windows.length > 0;
    const texts = notCompared.length ? [`Not compared: segment ${notCompared.join(", ")}; the second table says why.`] : [];
    if (differences.length) {
      return [`${isOneJournal ? "First differences, one in each segment" : "First difference"}: step ${differences.join(", step ")}.`, ...texts];
    }
    return compared ? ["Both tell the same story: no fact and no decision differs.", ...texts] : texts;
  }
  showAbout() {
    const about = document.getElementById("about");
    const table = (entry) => make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...["segment", "begun because", "at", "first step", "not known"].map((head) => make("th", {}, head)))),
      make("tbody", {}, ...entry.segments.map((segment) => make("tr", {}, ...[
        segment.number, segment.origin, segment.time, segment.first, segment.note || NONE].map((text) => make("td", {}, String(text))))))));
    const found = this.market.tracks.length < 2 ? [] : this.verdict().map((text) => make("p", {}, text));
    about.replaceChildren(...found, ...this.market.tracks.flatMap((entry) => [
      make("p", {}, make("b", {}, entry.title), `: ${entry.steps} steps, ${entry.chart.name}.`), table(entry)]));
  }
}
let inspector = null;
function readFragment(data) {
  const wish = new URLSearchParams(location.hash.slice(1));
  if (/^\d+$/.test(wish.get("time") ?? "")) return inspector.goToTime(BigInt(wish.get("time")));
  const step = wish.get("step") ?? "";
  return inspector.go(/^\d+$/.test(step) ? Number(step) : inspector.main.first);
}
function choose(data, symbol) {
  const at = Math.max(0, data.markets.findIndex((market) => market.symbol === symbol));
  inspector = new Inspector(data.markets[at], at, data);
  document.getElementById("market").value = String(at);
}
function buildControls(data) {
  const by = (id) => document.getElementById(id);
  for (const kind of KINDS) {
    if (kind.name === "difference" && !data.markets.some((market) => market.tracks.length > 1)) continue;
    const button = (direction, sign, word) => {
      const made = make("button", { type: "button", "aria-label": `${word} ${kind.name}`, title: direction > 0 ? kind.key : `Shift ${kind.key}` }, sign);
      made.addEventListener("click", () => inspector.jump(kind, direction));
      return made;
    };
    by("jumps").append(make("span", { class: "pair" }, button(-1, "\u25C0", "Previous"), make("span", { class: "word" }, kind.name), button(1, "\u25B6", "Next")));
  }
  for (const [id, act] of [["first", () => inspector.go(inspector.main.first)], ["last", () => inspector.go(inspector.main.last)],
    ["back", () => inspector.walk(-1)], ["forth", () => inspector.walk(1)], ["keys-button", toggleKeys]]) by(id).addEventListener("click", act);
  by("step").addEventListener("change", () => inspector.go(Number(by("step").value)));
  by("step").addEventListener("keydown", (event) => { if (event.key === "Escape") by("step").blur(); });
  by("slider").addEventListener("input", () => inspector.go(Number(by("slider").value)));
  for (const [id, isWhole] of [["whole", true], ["around", false]]) by(id).addEventListener("click", () => {
    by("whole").setAttribute("aria-pressed", isWhole);
    by("around").setAttribute("aria-pressed", !isWhole);
    inspector.time.follow(inspector.moments, isWhole);
    inspector.time.time.reset();
  });
  by("market").append(...data.markets.map((market, at) => make("option", { value: at }, market.symbol)));
  by("market-choice").hidden = data.markets.length < 2;
  by("market").addEventListener("change", () => {
    const { symbol } = data.markets[Number(by("market").value)];
    choose(data, symbol);
    history.replaceState(null, "", `?symbol=${encodeURIComponent(symbol)}`);
    inspector.go(inspector.main.first);
  });
}
function toggleKeys() {
  const keys = document.getElementById("keys");
  keys.hidden = !keys.hidden;
  document.getElementById("keys-button").setAttribute("aria-expanded", !keys.hidden);
}
function onKey(event) {
  const isTyping = event.target.closest("input, select, textarea, .timeline, .map") && !(event.target.type === "range" && event.key.length === 1);
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping) return;
  const kind = KINDS.find((each) => each.key === event.key.toLowerCase());
  const acts = {
    ArrowLeft: () => inspector.walk(event.shiftKey ? -100 : -1), ArrowRight: () => inspector.walk(event.shiftKey ? 100 : 1),
    Home: () => inspector.go(inspector.main.first), End: () => inspector.go(inspector.main.last),
    g: () => document.getElementById("step").select(), "?": toggleKeys,
  };
  const act = kind ? () => inspector.jump(kind, event.shiftKey ? -1 : 1) : acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
{
  const data = pageData();
  document.getElementById("time").open = innerWidth > 640;
  buildControls(data);
  choose(data, new URLSearchParams(location.search).get("symbol"));
  readFragment(data);
  addEventListener("hashchange", () => readFragment(data));
  document.addEventListener("keydown", onKey);
  onColorChange(() => inspector.time.follow(inspector.moments));
}
