"use strict";
/** An element with attributes and children; texts are only ever texts. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const NONE = "\u2013";
/** Characters from which on an answer is folded. */
const LONG_ANSWER = 160;
function valueText(value) {
  return value === null || value === undefined ? NONE : value === "" ? "(empty)" : value;
}
/** Fields of a fact or an intent, as a list of names and values. */
function fieldList(fields) {
  return make("dl", { class: "fields" }, ...Object.entries(fields ?? {}).flatMap(([name, value]) => (
    [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, value)]
  )));
}
/** The picture of a chart in which states and edges can be lit; a list where no picture could be drawn. */
class ChartView {
  constructor(chart, picture) {
    this.chart = chart;
    this.element = picture ? make("div", { class: "map", tabindex: "0", role: "group", "aria-label": "The chart" }) : make("ul", { class: "states" });
    this.states = new Map();
    this.edges = new Map();
    if (picture) this.read(picture); else this.list();
  }
  read(picture) {
    this.element.append(picture.content.cloneNode(true));
    makeHints(this.element);
    for (const group of this.element.querySelectorAll("g.node, g.edge")) {
      const lines = (group.querySelector("a")?.getAttribute("aria-label") ?? "").split("\n");
      for (const [at, edge] of this.chart.edges.entries()) if (lines.includes(edge.id)) this.edges.set(at, group);
      const state = this.chart.states.find((each) => each.name === lines[0]);
      if (state && group.classList.contains("node")) this.states.set(state.id, group);
    }
  }
  list() {
    for (const state of this.chart.states) {
      const edges = make("ul");
      const item = make("li", {}, state.name, edges);
      this.chart.edges.forEach((edge, at) => {
        if (edge.source !== state.id) return;
        const guards = edge.guards.map(([name, expected]) => (expected ? name : `not ${name}`)).join(", ");
        const line = make("li", {}, `${edge.event}${guards ? ` [${guards}]` : ""} \u2192 ${this.name(edge.target)}`);
        this.edges.set(at, line);
        edges.append(line);
      });
      this.states.set(state.id, item);
      this.element.append(item);
    }
  }
  name(state) {
    return this.chart.states.find((each) => each.id === state)?.name ?? state;
  }
  /** Light a state, the one it came from, and the edges taken. */
  light(current, came, edges) {
    for (const lit of this.element.querySelectorAll(".current, .left, .taken")) lit.classList.remove("current", "left", "taken");
    this.states.get(came)?.classList.add("left");
    this.states.get(current)?.classList.add("current");
    for (const at of edges) {
      const edge = this.chart.edges[at];
      const group = this.edges.get(at) ?? this.states.get(edge.source);
      if (this.edges.has(at)) group.classList.add("taken");
      for (const text of group?.querySelectorAll("text") ?? []) {
        if (text.textContent.trim() === edge.event) text.classList.add("taken");
      }
    }
    this.lit = this.states.get(current);
    this.show(this.lit);
  }
  /** Scrolls within the picture, never the page, so that what is lit is in sight. */
  show(lit) {
    const frame = this.element;
    if (!lit) return;
    const box = lit.getBoundingClientRect(), around = frame.getBoundingClientRect();
    if (box.left < around.left || box.right > around.right) {
      frame.scrollLeft += (box.left + box.right) / 2 - (around.left + around.right) / 2;
    }
    if (box.top < around.top || box.bottom > around.bottom) {
      frame.scrollTop += (box.top + box.bottom) / 2 - (around.top + around.bottom) / 2;
    }
  }
}
/** A part of a step without what differs between any two runs: names of questions, and tokens in order ids. */
function comparable(moment, name) {
  const text = JSON.stringify(moment.step[name] ?? null).replace(/"question_id":"[^"]*"/g, "");
  return moment.track.entry.ownNames.reduce((found, token) => found.replaceAll(`-${token}-`, "-~-"), text);
}
/** One journal's half of the page: what is known of one step. */
class SideView {
  constructor(track, picture, heading) {
    this.track = track;
    this.opensLong = false;
    this.chart = new ChartView(track.chart, picture);
    this.now = make("p", { class: "now" });
    this.notice = make("p", { class: "notice" });
    this.happened = make("div");
    this.books = make("div", { class: "books" });
    const words = make("div", {}, this.now, this.notice, this.happened);
    this.element = make("article", { class: "side" }, heading ? make("h2", {}, heading) : null,
      make("div", { class: "side-body" }, words, make("div", { class: "picture" }, this.sizeButton(picture), this.chart.element)), make("h3", {}, "What the machine shows"), this.books);
  }
  sizeButton(picture) {
    if (!picture) return null;
    const button = make("button", { type: "button", class: "size" }, "Full size");
    button.addEventListener("click", () => {
      button.textContent = this.chart.element.classList.toggle("large") ? "Fit to the page" : "Full size";
      this.chart.show(this.chart.lit);
    });
    return button;
  }
  /** Shows a moment; ``other`` is the other half's, if both are at one step; ``notice`` says what is amiss. */
  show(moment, other, notice) {
    const { step } = moment, edges = this.edgesOf(moment);
    const first = edges.length ? this.track.chart.edges[edges[0]].source : step.e?.[0]?.[0] ?? step.s;
    this.chart.light(step.s, first === step.s ? null : first, edges);
    const names = [first, ...(step.e ?? []).map(([, , target]) => target)].map((state) => this.chart.name(state));
    this.now.replaceChildren(...names.flatMap((name, at) => (at ? [make("span", { class: "arrow" }, " \u2192 "), name] : [name])));
    this.notice.hidden = !notice;
    this.notice.textContent = notice ?? "";
    this.happened.replaceChildren(...this.parts(moment, other));
    this.showBooks(moment, other);
  }
  edgesOf(moment) {
    const trace = moment.content.traces[moment.step.a] ?? [];
    const taken = trace.map((at) => moment.content.entries[at]).filter(([kind]) => kind === "EdgeTaken").map(([, edge]) => edge);
    if (taken.length || !moment.step.e) return taken;
    const { edges } = this.track.chart;
    return moment.step.e.map(([source, event]) => edges.findIndex((edge) => edge.source === source && edge.event === event)).filter((at) => at >= 0);
  }
  *parts(moment, other) {
    const { step } = moment, differs = (name) => other !== null && comparable(moment, name) !== comparable(other, name);
    const part = (title, name, body) => make("section", { class: differs(name) ? "differs" : "" }, make("h3", {}, title), body);
    yield part(`Fact: ${step.f}`, "f", fieldList(step.v));
    if (step.x) yield part("Faults", "x", make("ul", { class: "reasons" }, ...step.x.map(([code, reason, passes]) => (
      make("li", { class: "fault" }, `${code}: ${reason} (${passes ? "may pass by itself" : "for good"})`)))));
    if (step.r) yield part("Reasons", "r", make("ul", { class: "reasons" }, ...step.r.map((reason) => make("li", {}, reason))));
    if (step.i) yield part("Intents", "i", make("ul", { class: "messages" }, ...step.i.map(([kind, fields]) => (
      make("li", {}, make("b", {}, kind), " ", Object.entries(fields).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", "))))));
    yield part("Asked and answered, in order", "e", this.traceList(moment));
    const wake = step.w === undefined ? "Nothing is waited for but the next fact." : `Wakes by itself after ${spanText(step.w)}.`;
    yield make("p", { class: "small muted" }, wake);
  }
  traceList(moment) {
    const trace = moment.content.traces[moment.step.a];
    if (!trace) return make("p", { class: "muted" }, "Not known: this step is shown as recorded, without a replay.");
    const list = make("ol", { class: "trace" });
    let asking = null, line = null;
    for (const at of trace) {
      const [kind, ...rest] = moment.content.entries[at];
      if (kind === "GuardAnswer") {
        const [number, guard, answer] = rest, edge = this.track.chart.edges[number];
        if (asking !== number || !line) {
          line = make("li", {}, make("span", { class: "muted" }, `${edge.event}? `));
          list.append(line);
        } else line.append(", ");
        asking = number;
        const [name, expected] = edge.guards[guard];
        line.append(`${name} `, make("span", { class: answer === expected ? "yes" : "no" }, `${answer}${answer === expected ? " \u2713" : ""}`));
      } else {
        if (kind !== "ServiceAnswer") line = null;
        list.append(this.traceLine(kind, rest));
      }
    }
    if (!list.children.length) list.append(make("li", { class: "muted" }, "Nothing was asked: the machine has ended."));
    return list;
  }
  traceLine(kind, rest) {
    if (kind === "EdgeTaken") {
      const edge = this.track.chart.edges[rest[0]];
      const way = edge.internal ? `stays in ${this.chart.name(edge.target)}` : `${this.chart.name(edge.source)} \u2192 ${this.chart.name(edge.target)}`;
      return make("li", { class: "taken" }, `${edge.event}: ${way}`, edge.note ? make("span", { class: "muted small" }, ` (${edge.note})`) : null);
    }
    if (kind === "CommandRefused") return make("li", {}, `the command ${rest[0]} is not taken in this state`);
    return make("li", { class: "service" }, ...this.answerParts(...rest));
  }
  /** A service's answer; a long one opens on request, and then so do those of later steps. */
  answerParts(method, asked, answer) {
    const question = make("span", { class: "code" }, `${method}(${asked})`);
    if (answer.length <= LONG_ANSWER) return [question, ` \u2192 ${answer}`];
    const whole = make("details", { open: this.opensLong }, make("summary", {}, question, ` \u2192 ${answer.slice(0, LONG_ANSWER / 2)}\u2026`),
      make("div", { class: "whole" }, answer));
    whole.querySelector("summary").addEventListener("click", () => { this.opensLong = !whole.open; });
    return [whole];
  }
  showBooks(moment, other) {
    const names = new Set([...moment.before.keys(), ...moment.shown.keys()]);
    const sections = new Map(this.track.sections.map((section) => [section, []]));
    for (const name of names) sections.get(name.split(BETWEEN)[0]).push(name);
    const parts = [];
    for (const [section, inside] of sections) if (inside.length) parts.push(this.section(section, inside, moment, other));
    if (!parts.length) parts.push(make("p", { class: "muted" }, "Nothing: the machine has no method shown()."));
    this.books.replaceChildren(...parts);
  }
  section(section, names, moment, other) {
    const paths = names.map((name) => name.split(BETWEEN).slice(1));
    const isTable = paths.every((path) => path.length === 2);
    const body = isTable ? this.table(section, paths, moment, other) : this.values(section, paths, moment, other);
    return make("section", { class: isTable ? "wide" : "" }, make("h3", {}, section), make("div", { class: "scroll" }, body));
  }
  values(section, paths, moment, other) {
    return make("table", {}, make("tbody", {}, ...paths.map((path) => make("tr", {},
      make("th", { scope: "row" }, path.join(" ") || "value"), this.cell([section, ...path], moment, other)))));
  }
  table(section, paths, moment, other) {
    const rows = [...new Set(paths.map(([row]) => row))], columns = [...new Set(paths.map(([, column]) => column))];
    return make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, ""), ...columns.map((column) => make("th", { scope: "col" }, column)))),
      make("tbody", {}, ...rows.map((row) => {
        const isGone = columns.every((column) => !moment.shown.has([section, row, column].join(BETWEEN)));
        return make("tr", {}, make("th", { scope: "row", class: isGone ? "gone" : "" }, row),
          ...columns.map((column) => this.cell([section, row, column], moment, other)));
      })));
  }
  cell(path, moment, other) {
    const name = path.join(BETWEEN), isThere = moment.shown.has(name), was = moment.before.get(name), now = moment.shown.get(name);
    const isChanged = isThere !== moment.before.has(name) || was !== now;
    const differs = other !== null && (other.shown.get(name) !== now || other.shown.has(name) !== isThere);
    const cell = make("td", { class: ["value", isChanged ? "changed" : "", differs ? "differs" : "", isThere ? "" : "gone"].join(" ").trim() });
    cell.append(isThere ? valueText(now) : valueText(was));
    if (isChanged && isThere) cell.append(make("span", { class: "was" }, moment.before.has(name) ? `was ${valueText(was)}` : "new"));
    else if (!isThere) cell.append(make("span", { class: "was" }, "gone"));
    return cell;
  }
}
