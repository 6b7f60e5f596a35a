"use strict";
/** What one can jump to: names, the bit of each in a step, and its key. */
const KINDS = [
  { name: "transition", bit: 1, key: "t" }, { name: "fill", bit: 2, key: "f" }, { name: "hold", bit: 4, key: "h" },
  { name: "order", bit: 16, key: "o" }, { name: "fault", bit: 8, key: "e" }, { name: "difference", bit: 32, key: "d" },
];
const WINDOWS_KEPT = 8;
const BETWEEN = "\u001f";
/** Nanoseconds, a BigInt, as seconds since 1970. */
function secondsOf(time) {
  return Number(time / 1000n) / 1e6;
}
/** Nanoseconds since 1970 for people, to the last digit that is not 0; simulated times from 0 on stay numbers. */
function timeText(time) {
  const rest = String(time % 1000000000n).padStart(9, "0").replace(/0{1,6}$/, "");
  return `${utcText(Number(time / 1000000000n))}.${rest} UTC`;
}
/** A stretch of nanoseconds, a number, for people. */
function spanText(nanoseconds) {
  const seconds = nanoseconds / 1e9;
  if (seconds >= 120) return `${(seconds / 60).toFixed(1)} min`;
  return seconds >= 1 ? `${seconds.toFixed(3)} s` : `${(seconds * 1000).toFixed(3)} ms`;
}
async function unpacked(bytes) {
  if (!("DecompressionStream" in window)) throw new Error("This browser is too old to unpack the steps: it lacks DecompressionStream.");
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
/** The packed window of a market's track: from the page itself, or from the server that the page came from. */
async function loadWindow(market, track, at, isServed) {
  if (isServed) {
    const answer = await fetch(`windows/${market}/${track}/${at}`);
    if (!answer.ok) throw new Error(`steps could not be loaded (${answer.status}); is mm-fsm inspect still running?`);
    return unpacked(await answer.arrayBuffer());
  }
  const text = document.getElementById(`window-${market}-${track}-${at}`).textContent;
  return unpacked(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}
/** One journal under one version of its machine; its steps are loaded window by window. */
class Track {
  constructor(entry, load, differences) {
    this.entry = entry;
    this.chart = entry.chart;
    this.load = load;
    this.differences = differences;
    this.places = entry.windows.map(([segment, first, last, begin, end, kinds]) => (
      { segment, first, last, begin: BigInt(begin), end: BigInt(end), kinds }
    ));
    for (const sequence of differences) {
      const place = this.places.find((each) => each.first <= sequence && sequence <= each.last);
      if (place) place.kinds |= 32;
    }
    this.kept = new Map();
    /** Sections of what the machine shows, in the order they were first seen. */
    this.sections = [];
  }
  get first() { return this.places[0].first; }
  get last() { return this.places.at(-1).last; }
  get begin() { return this.places[0].begin; }
  get end() { return this.places.at(-1).end; }
  window(at) {
    const found = this.kept.get(at) ?? this.load(at).then((content) => this.prepared(content));
    this.kept.delete(at);
    this.kept.set(at, found);
    found.catch(() => this.kept.delete(at));
    if (this.kept.size > WINDOWS_KEPT) this.kept.delete(this.kept.keys().next().value);
    return found;
  }
  prepared(content) {
    content.begin = BigInt(content.time);
    content.names = content.paths.map((path) => path.join(BETWEEN));
    for (const step of content.steps) if (this.differences.includes(step.n)) step.k |= 32;
    for (const [section] of content.paths) if (!this.sections.includes(section)) this.sections.push(section);
    return content;
  }
  /** The window with the last step at or before a number; the first one where there is none. */
  windowOf(sequence) {
    return Math.max(0, this.places.findLastIndex((place) => place.first <= sequence));
  }
  /** The last step at or before a number, with what was shown before and after it. */
  async at(sequence) {
    const place = this.windowOf(sequence), content = await this.window(place);
    const index = Math.max(0, content.steps.findLastIndex((step) => step.n <= sequence));
    return this.moment(place, content, index);
  }
  /** The last step at or before a time (nanoseconds, a BigInt); the first one where there is none. */
  async atTime(time) {
    const place = Math.max(0, this.places.findLastIndex((each) => each.begin <= time));
    const content = await this.window(place), offset = Number(time - content.begin);
    return this.moment(place, content, Math.max(0, content.steps.findLastIndex((step) => step.t <= offset)));
  }
  moment(place, content, index) {
    const shown = new Map(content.before.map(([name, value]) => [content.names[name], value]));
    let before = shown;
    content.steps.slice(0, index + 1).forEach((step, at) => {
      if (at === index) before = new Map(shown);
      apply(content, step, shown);
    });
    const step = content.steps[index];
    const came = index > 0 ? content.steps[index - 1].s : null;
    return { track: this, place, content, index, step, shown, before, came, sequence: step.n, time: content.begin + BigInt(step.t) };
  }
  /** The number of the step so many steps away, or of the outermost. */
  async away(moment, by) {
    let { place, index } = moment, content = moment.content;
    index += by;
    while (index < 0 && place > 0) {
      content = await this.window(--place);
      index += content.steps.length;
    }
    while (index >= content.steps.length && place < this.places.length - 1) {
      index -= content.steps.length;
      content = await this.window(++place);
    }
    return content.steps[Math.min(Math.max(index, 0), content.steps.length - 1)].n;
  }
  /** The number of the next step of a kind, or of the one before; null when there is none. */
  async next(moment, bit, direction) {
    const isWanted = (step) => (step.k & bit) !== 0;
    let place = moment.place, content = moment.content;
    let found = direction > 0 ? content.steps.slice(moment.index + 1).find(isWanted)
      : content.steps.slice(0, moment.index).findLast(isWanted);
    while (!found) {
      place += direction;
      while (this.places[place] && !(this.places[place].kinds & bit)) place += direction;
      if (!this.places[place]) return null;
      content = await this.window(place);
      found = direction > 0 ? content.steps.find(isWanted) : content.steps.findLast(isWanted);
    }
    return found.n;
  }
}
/** What a step changed, applied to what was shown before it. */
function apply(content, step, shown) {
  for (const [name, value] of step.d ?? []) shown.set(content.names[name], value);
  for (const name of step.g ?? []) shown.delete(content.names[name]);
}
