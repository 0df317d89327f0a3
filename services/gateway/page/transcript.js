// The messages on the page, in the order of the conversation. Own messages appear at once and are matched with their
// echo by client id; the bot's wait out their delay behind the typing dots.

import { quickReplies } from "./actions.js";
import { el, hidden, linked } from "./dom.js";
import { rich } from "./rich.js";

const LONGEST_DELAY = 10_000;
const JOINED_WITHIN = 120_000;
const SPEAKER = { consumer: "You", bot: "Bot", system: "Notice" };

/** `parts`: log, quick and typing elements and the View; `tap(message)` and `retry(message)` send. */
export class Transcript {
  #log;
  #quick;
  #typing;
  #view;
  #tap;
  #retry;
  #shown = new Set();
  #own = new Map();
  #queue = [];
  #hurry = null;
  #busy = false;
  #gone = false;
  #last = null;

  /** Called with every message once it is on the page. */
  onShown = () => {};

  constructor({ log, quick, typing, view, tap, retry }) {
    this.#log = log;
    this.#quick = quick;
    this.#typing = typing;
    this.#view = view;
    this.#tap = tap;
    this.#retry = retry;
    this.#wipe();
  }

  /** Shows what was said before this page was loaded, without delays and without reading it out. */
  history(messages, gap, pending) {
    this.#log.setAttribute("aria-live", "off");
    this.#wipe();
    if (gap) this.notice("Older messages are no longer kept.");
    for (const message of messages) this.#show(message);
    for (const message of pending) if (!this.#own.has(message.id)) this.own(message);
    this.#view.toEnd();
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), 500);
  }

  /** Shows an own message at once, before the gateway has it. */
  own(message) {
    this.#hurry?.();
    this.#hurry = null;
    for (const waiting of this.#queue.splice(0)) this.#show(waiting);
    const known = this.#own.get(message.id);
    if (known) return this.#mark(known, "is-sending", "Sending");
    const node = this.#bubble({ ...message, from: "consumer", type: "text", at: new Date().toISOString() });
    this.#own.set(message.id, node);
    this.#mark(node, "is-sending", "Sending");
    this.#view.toEnd();
  }

  /** Takes a message of the conversation; one that is already shown is dropped. */
  receive(message) {
    const own = message.clientId && this.#own.get(message.clientId);
    if (own) return this.acked(message.clientId, message.id);
    if (message.from === "consumer" || !message.delayMs) {
      if (!this.#busy) return this.#show(message);
    }
    this.#queue.push(message);
    this.#pump();
  }

  /** The gateway has this own message. */
  acked(id, sequence) {
    const node = this.#own.get(id);
    if (!node) return;
    this.#shown.add(sequence);
    this.#mark(node, "is-sent", "");
  }

  /** The gateway refused this own message: it stays, with a way to send it again. */
  failed(id, text, message) {
    const node = this.#own.get(id);
    if (!node) return;
    this.#mark(node, "is-failed", `Not sent. ${text}`);
    node.querySelector(".state").setAttribute("role", "alert");
    if (!message) return;
    const again = el("button", { type: "button", class: "retry", text: "Send again", on: { click: () => this.#retry(message) } });
    node.querySelector(".meta").append(again);
  }

  /** A line of the page itself, such as "Conversation closed". */
  notice(text) {
    this.#last = null;
    this.#log.append(el("p", { class: "log-notice", text }));
    this.#view.grown();
  }

  /** Forgets everything; late timers no longer show anything. */
  close() {
    this.#gone = true;
    this.#hurry?.();
    this.#queue.length = 0;
    this.#wipe();
  }

  #wipe() {
    this.#log.replaceChildren();
    this.#own.clear();
    this.#shown.clear();
    this.#last = null;
    this.#offer(null);
    this.#typing.hidden = true;
  }

  async #pump() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#queue.length && !this.#gone) {
      const message = this.#queue[0];
      if (message.delayMs) await this.#pause(Math.min(message.delayMs, LONGEST_DELAY));
      if (this.#queue[0] !== message) continue;
      this.#queue.shift();
      this.#show(message);
    }
    this.#busy = false;
  }

  async #pause(ms) {
    this.#typing.hidden = false;
    this.#view.grown();
    await new Promise((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, ms);
    });
    this.#typing.hidden = true;
  }

  #show(message) {
    if (this.#gone || this.#shown.has(message.id)) return;
    this.#shown.add(message.id);
    if (message.type === "closed") this.notice("This conversation has ended.");
    else {
      const empty = message.text === undefined && message.content === undefined;
      const node = empty ? null : this.#bubble(message);
      if (node && message.clientId) this.#own.set(message.clientId, node);
      if (message.type === "transfer") this.notice("You are being connected with a person.");
    }
    this.#view.grown();
    this.onShown(message);
  }

  #bubble(message) {
    const { from, text, content } = message;
    const at = new Date(message.at);
    const said = [];
    if (text !== undefined && text !== "") said.push(el("div", { class: "bubble", dir: "auto" }, ...linked(text)));
    if (content) said.push(rich(content, this.#tap));
    const offered = quickReplies(message.quickReplies, this.#tap);
    if (offered.length) said.push(hidden(`Quick replies: ${offered.map((one) => one.textContent).join(", ")}.`));
    const node = el("div", { class: `message from-${from}` },
      hidden(`${SPEAKER[from] ?? "Bot"}: `), ...said,
      el("div", { class: "meta" },
        el("time", { datetime: at.toISOString(), text: at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) }),
        el("span", { class: "state" })));
    this.#join(node, from, at);
    this.#log.append(node);
    this.#offer(offered);
    return node;
  }

  #join(node, from, at) {
    if (this.#last?.from === from && at - this.#last.at < JOINED_WITHIN) this.#last.node.classList.add("is-joined");
    this.#last = { node, from, at };
  }

  #offer(replies) {
    const focused = this.#quick.contains(document.activeElement);
    this.#quick.replaceChildren(...(replies ?? []));
    this.#quick.hidden = !replies?.length;
    if (focused) this.#view.refocus();
  }

  #mark(node, state, text) {
    node.classList.remove("is-sending", "is-sent", "is-failed");
    node.classList.add(state);
    node.querySelector(".retry")?.remove();
    const line = node.querySelector(".state");
    line.removeAttribute("role");
    line.textContent = text;
  }
}
