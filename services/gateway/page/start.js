// What stands in place of the messages before there are any: the choice of a bot, its greeting, or what went wrong.

import { el, icon } from "./dom.js";

/** The letter that stands for a bot. */
export const initial = (name) => (name.match(/[\p{L}\p{N}]/u)?.[0] ?? "B").toUpperCase();

/** A bot nobody has spoken to yet; `greet(text)` sends its greeting. */
export function greetingScreen(bot, greet) {
  const begin = bot.greeting
    ? el("button", { type: "button", class: "begin", on: { click: () => greet(bot.greeting) } }, `Say “${bot.greeting}”`, icon("i-right"))
    : null;
  return [
    el("span", { class: "avatar avatar-large", "aria-hidden": "true", text: initial(bot.name) }),
    el("h2", { text: bot.name }),
    el("p", { text: bot.greeting ? "Start with its greeting, or write whatever you like." : "Write a message to begin." }),
    begin,
  ].filter(Boolean);
}

/** The bots to choose from; `pick(bot)` opens one. */
export function chooserScreen(bots, pick) {
  return [
    el("h2", { text: "Who do you want to talk to?" }),
    el("ul", { class: "bots" }, ...bots.map((bot) =>
      el("li", {}, el("button", { type: "button", class: "bot", on: { click: () => pick(bot) } },
        el("span", { class: "avatar", "aria-hidden": "true", text: initial(bot.name) }),
        el("span", { class: "bot-words" },
          el("span", { class: "bot-name", text: bot.name }),
          el("span", { class: "bot-version", text: `version ${String(bot.version ?? "").slice(0, 8)}` })),
        icon("i-right"))))),
  ];
}

/** Something is missing; `again` tries once more. */
export function troubleScreen(title, text, again) {
  return [
    el("span", { class: "avatar avatar-large avatar-trouble", "aria-hidden": "true" }, icon("i-warning")),
    el("h2", { text: title }),
    el("p", { text }),
    el("button", { type: "button", class: "begin", on: { click: again } }, "Try again"),
  ];
}
