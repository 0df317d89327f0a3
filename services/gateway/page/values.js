// How values and times are written in the panel.

import { el, icon } from "./dom.js";

const LONGEST_VALUE = 20_000;

/** A time in words that fit the size. */
export function duration(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${Number(ms).toFixed(1)} ms`;
}

/** Named values behind a fold; null when there are none. */
export function fold(all) {
  const entries = Object.entries(all ?? {});
  if (!entries.length) return null;
  const only = entries.length === 1 ? brief(entries[0][1]) : "";
  const summary = only ? [el("span", { class: "value-name", text: entries[0][0] }), el("span", { class: "value-brief", text: only })]
    : [`${entries.length} ${entries.length === 1 ? "value" : "values"}`];
  return el("details", { class: "values" },
    el("summary", {}, icon("i-right"), ...summary),
    ...entries.map(([name, value]) => el("div", { class: "value" }, el("p", { class: "value-title", text: name }), block(value))));
}

function brief(value) {
  const said = typeof value?.text === "string" ? value.text : value;
  const text = typeof said === "string" ? said : JSON.stringify(said) ?? "";
  return text.replace(/\s+/g, " ").slice(0, 80);
}

/** A value in full, as far as that can be read: JSON on lines of its own. */
export const block = (value) => el("pre", { tabindex: "0", text: full(value) });

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
