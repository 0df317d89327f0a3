// The side panel "What happened": each turn of the conversation with what ran in it, as the trace tells it.

import { readTrace } from "./api.js";
import { el } from "./dom.js";
import { choice, choose } from "./memory.js";
import { turnCard } from "./turns.js";

const EVERY = 4000;
const SOON = [250, 900, 2500];
const WIDE = matchMedia("(min-width: 62rem)");

/** `parts`: panel, toggle, closer, turns and the chat beside it. */
export class Panel {
  #parts;
  #line = null;
  #turn = 0;
  #timers = [];
  #reading = false;
  #open = false;

  constructor(parts) {
    this.#parts = parts;
    parts.toggle.addEventListener("click", () => this.#set(!this.#open));
    parts.closer.addEventListener("click", () => this.#set(false));
    parts.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#set(false);
    });
    WIDE.addEventListener("change", () => {
      if (this.#open && !WIDE.matches) this.#set(false, { quiet: true });
      this.#arrange();
    });
    setInterval(() => this.#read(), EVERY);
  }

  /** Shows the turns of this connection's conversation, from the first. */
  follow(line) {
    this.#line = line;
    this.#turn = 0;
    this.#parts.turns.replaceChildren(el("p", { class: "turns-empty", text: "Say something, and each turn of the bot appears here." }));
    this.#parts.toggle.hidden = false;
    const open = choice("panel") ?? WIDE.matches;
    if (open && WIDE.matches && !this.#open) this.#set(true, { quiet: true });
    this.soon();
  }

  /** Stops and hides, when there is no conversation to look into. */
  leave() {
    this.#line = null;
    this.#parts.toggle.hidden = true;
    if (this.#open) this.#set(false, { quiet: true });
  }

  /** Something was said, so a turn is about to end. */
  soon() {
    this.#timers.forEach(clearTimeout);
    this.#timers = SOON.map((pause) => setTimeout(() => this.#read(), pause));
  }

  #set(open, { quiet = false } = {}) {
    this.#open = open;
    this.#parts.panel.hidden = !open;
    this.#parts.toggle.setAttribute("aria-expanded", String(open));
    this.#arrange();
    if (open) this.#read();
    if (quiet) return;
    choose("panel", open);
    (open ? this.#parts.closer : this.#parts.toggle).focus();
  }

  // On a narrow screen the panel covers the chat, which then must not take the focus.
  #arrange() {
    this.#parts.chat.inert = this.#open && !WIDE.matches;
  }

  async #read() {
    const line = this.#line;
    if (!line?.conversation || !this.#open || this.#reading || document.hidden) return;
    this.#reading = true;
    try {
      const turns = await readTrace(line.conversation, this.#turn);
      if (line === this.#line) this.#add(turns);
    } catch (error) {
      if ([401, 403, 404].includes(error.status) && line === this.#line) this.#missing();
    } finally {
      this.#reading = false;
    }
  }

  #missing() {
    if (this.#turn) return;
    const text = "The gateway does not show traces of this conversation.";
    this.#parts.turns.replaceChildren(el("p", { class: "turns-empty", text }));
  }

  #add(turns) {
    const fresh = turns.filter((turn) => turn.turn > this.#turn);
    if (!fresh.length) return;
    const list = this.#parts.turns;
    const atEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 60;
    if (!this.#turn) list.replaceChildren();
    for (const turn of fresh) {
      this.#turn = turn.turn;
      list.append(turnCard(turn));
    }
    if (atEnd) list.scrollTop = list.scrollHeight;
  }
}
