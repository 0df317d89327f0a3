// One turn of the trace as a card: what happened, in order, with its facts, and values behind a fold.

import { callParts, fieldParts, isCall } from "./call.js";
import { el, hidden, icon } from "./dom.js";
import { duration, fold } from "./values.js";

const EVENTS = { message: "Consumer message", web_view: "Web View call", outcome: "Call came back" };
const SHORT_NOTE = 44;
// The kinds of lines share colours: what came in, what ran, what was decided, what went out.
const KIND = {
  event: "in", session: "in", outcome: "in", fields: "in",
  starter: "decide", rule: "decide", "no-match": "decide", fallback: "decide", jump: "decide", return: "decide",
  interaction: "run", script: "run", log: "run", variable: "run", "custom-event": "run",
  reply: "out", "private-message": "out", call: "out", transfer: "out", close: "out",
};

/** A card for one TurnTrace. */
export function turnCard(turn) {
  const lines = Array.isArray(turn.lines) ? turn.lines : [];
  const warnings = lines.filter((line) => line.level === "warning").length;
  const at = new Date(turn.at);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const facts = [el("time", { datetime: at.toISOString(), text: time }), el("span", { text: duration(turn.ms ?? 0) })];
  if (turn.runs > 1) facts.push(el("span", { text: `${turn.runs} runs` }));
  if (warnings) facts.push(el("span", { class: "badge-warning" }, icon("i-warning"), `${warnings} ${warnings === 1 ? "warning" : "warnings"}`));
  return el("article", { class: "turn", "aria-label": `Turn ${turn.turn}` },
    el("header", { class: "turn-head" },
      el("h3", {}, el("span", { class: "turn-number", text: String(turn.turn) }), hidden(". "), EVENTS[turn.event] ?? String(turn.event)),
      el("p", { class: "turn-facts" }, ...facts)),
    el("ol", { class: "lines" }, ...lines.map(row)));
}

function row(line) {
  const warning = line.level === "warning";
  const kind = warning ? "warning" : failed(line) ? "bad" : KIND[line.code] ?? "run";
  const brief = !warning && line.note?.length <= SHORT_NOTE;
  return el("li", { class: `line line-${kind}` },
    el("div", { class: "line-head" },
      el("span", { class: "code" }, warning && icon("i-warning"), warning && hidden("Warning: "), spoken(line.code)),
      line.interaction && el("span", { class: "line-name", text: line.interaction }),
      brief && el("span", { class: "line-brief", text: line.note })),
    line.note && !brief && el("p", { class: "line-note", text: line.note }),
    ...parts(line));
}

function parts(line) {
  if (isCall(line)) return callParts(line);
  return line.code === "fields" ? fieldParts(line.values) : [factList(line.facts), fold(line.values)];
}

/** A call that came back without success. */
const failed = (line) => line.code === "outcome" && !line.facts?.success;

const spoken = (code) => String(code ?? "").replaceAll("-", " ");

function factList(facts) {
  const entries = Object.entries(facts ?? {});
  if (!entries.length) return null;
  return el("dl", { class: "facts" }, ...entries.map(([name, value]) =>
    el("div", {}, el("dt", { text: name === "ms" ? "took" : name.replaceAll("_", " ") }), el("dd", { text: fact(name, value) }))));
}

function fact(name, value) {
  if (typeof value === "number" && /(^|_)ms$/.test(name)) return duration(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
