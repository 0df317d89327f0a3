// One turn of the trace as a card: what happened, in order, with its facts, and values behind a fold.

import { el, hidden, icon } from "./dom.js";

const EVENTS = { message: "Consumer message", web_view: "Web View call", outcome: "Call came back" };
const LONGEST_VALUE = 20_000;
const SHORT_NOTE = 44;
// The kinds of lines share colours: what came in, what ran, what was decided, what went out.
const KIND = {
  event: "in", session: "in", outcome: "in",
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
    factList(line.facts),
    values(line.values));
}

/** A call that came back with anything but success (200, 201). */
const failed = (line) => line.code === "outcome" && ![200, 201].includes(line.facts?.status);

const spoken = (code) => String(code ?? "").replaceAll("-", " ");

/** A time in words that fit the size. */
export function duration(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${Number(ms).toFixed(1)} ms`;
}

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

function values(all) {
  const entries = Object.entries(all ?? {});
  if (!entries.length) return null;
  const only = entries.length === 1 ? brief(entries[0][1]) : "";
  const summary = only ? [el("span", { class: "value-name", text: entries[0][0] }), el("span", { class: "value-brief", text: only })]
    : [`${entries.length} ${entries.length === 1 ? "value" : "values"}`];
  return el("details", { class: "values" },
    el("summary", {}, icon("i-right"), ...summary),
    ...entries.map(([name, value]) => el("div", { class: "value" }, el("p", { class: "value-title", text: name }), el("pre", { tabindex: "0", text: full(value) }))));
}

function brief(value) {
  const said = typeof value?.text === "string" ? value.text : value;
  const text = typeof said === "string" ? said : JSON.stringify(said) ?? "";
  return text.replace(/\s+/g, " ").slice(0, 80);
}

function full(value) {
  let text = typeof value === "string" ? pretty(value) : JSON.stringify(value, null, 2) ?? "";
  if (text.length > LONGEST_VALUE) text = `${text.slice(0, LONGEST_VALUE)}\n… (${text.length - LONGEST_VALUE} more characters)`;
  return text;
}

function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
