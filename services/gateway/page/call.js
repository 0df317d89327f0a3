// A call that came back: request, attempts with their times, response. Secrets are masked before they get here.

import { el, hidden, icon, words } from "./dom.js";
import { block, duration } from "./values.js";

const LEAST_BAR = 1.5;
const LONGEST_FIELD = 400;

/** Whether a line of the trace tells of a call with what was exchanged. */
export const isCall = (line) => line.code === "outcome" && Array.isArray(line.values?.attempts);

/** What the panel shows of a call, below the name of its interaction. */
export function callParts(line) {
  const { request, attempts, headers, body, address } = line.values;
  const method = request?.method ?? line.facts?.method;
  return [
    el("p", { class: "call-address" }, el("span", { class: "call-method", text: words(method) }), " ", words(request?.address ?? address)),
    attempts.length ? attemptList(attempts, line.facts) : null,
    exchange("Request", request?.headers, request?.body, request?.cut),
    line.facts?.status ? exchange("Response", headers, body) : null,
  ];
}

/** The custom data fields that a call brought, in rows behind a fold. */
export function fieldParts(fields) {
  const rows = Object.entries(fields ?? {}).map(([name, value]) => [name, short(JSON.stringify(value) ?? "")]);
  if (!rows.length) return [];
  return [el("details", { class: "values" },
    el("summary", {}, icon("i-right"), `${rows.length} custom data ${rows.length === 1 ? "field" : "fields"}`), pairs(rows))];
}

const short = (text) => (text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD)}…` : text);

const pairs = (rows) => el("dl", { class: "call-pairs" }, ...rows.map(([name, value]) =>
  el("div", {}, el("dt", { text: name }), el("dd", { text: words(value) }))));

function attemptList(attempts, facts) {
  const success = facts?.success ? String(facts.status) : null;
  const began = Math.min(...attempts.map((attempt) => Date.parse(attempt.at)));
  const end = Math.max(...attempts.map((attempt) => Date.parse(attempt.at) + attempt.ms));
  return el("ol", { class: "attempts", "aria-label": "Attempts" },
    ...attempts.map((attempt, at) => attemptRow(attempt, at, [began, Math.max(end - began, 1)], attempt.outcome === success)));
}

function attemptRow(attempt, at, [began, span], good) {
  const bar = el("span", { class: "attempt-bar", "aria-hidden": "true" }, el("span", {}));
  const share = Math.max((attempt.ms / span) * 100, LEAST_BAR);
  bar.firstChild.style.width = `${Math.min(share, 100)}%`;
  const after = Date.parse(attempt.at) - began;
  bar.firstChild.style.marginInlineStart = `${Math.min((after / span) * 100, 100 - share)}%`;
  const details = [duration(attempt.ms), after > 0 && `${duration(after)} after the first`,
    attempt.waited > 0 && `waited ${duration(attempt.waited)}`, attempt.renewed && "with a new token"].filter(Boolean);
  return el("li", { class: good ? "attempt" : "attempt is-bad" },
    el("span", { class: "attempt-number" }, hidden("Attempt "), String(at + 1)),
    el("span", { class: "attempt-outcome", text: words(attempt.outcome) }),
    bar,
    el("span", { class: "attempt-times", text: details.join(", ") }));
}

function exchange(title, headers, body, cut = 0) {
  const rows = Object.entries(headers ?? {});
  if (!rows.length && !body) return null;
  const brief = body ? words(body).replace(/\s+/g, " ").slice(0, 80) : "no body";
  return el("details", { class: "values" },
    el("summary", {}, icon("i-right"), el("span", { class: "value-name", text: title }), el("span", { class: "value-brief", text: brief })),
    rows.length > 0 && pairs(rows),
    body ? el("div", { class: "value" }, block(body)) : null,
    cut > 0 && el("p", { class: "value-title", text: `${cut} more characters` }));
}
