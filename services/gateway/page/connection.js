// One conversation's line to the gateway. It comes back by itself, goes on after the last cursor it saw, and sends
// again whatever was not acknowledged, under the same id, so that nothing is lost and nothing arrives twice.

import { createConversation, openStream, readMessages, renewToken } from "./api.js";
import { forget, recall, remember } from "./memory.js";

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 10_000;
const RENEW_BEFORE = 3_600_000;
const LONGEST_TIMER = 2 ** 31 - 1;
const FATAL = new Set([401, 403, 404]);
const FATAL_CLOSES = new Set([4401, 4403, 4404]);
const WAIT_AND_REPEAT = new Set(["rate_limited", "inbox_full", "unavailable"]);
const REPEAT_PAUSE = 3000;

/** `handlers`: state(word), history(messages, gap), message(message), gap(), acked(id, sequence),
 *  failed(id, text, code), ended(text). */
export class Connection {
  #botId;
  #handlers;
  #kept;
  #cursor = "";
  #socket = null;
  #timer = 0;
  #renewal = 0;
  #repeat = 0;
  #task = null;
  #losses = 0;
  #over = false;
  #creating = null;

  constructor(botId, handlers) {
    this.#botId = botId;
    this.#handlers = handlers;
    this.#kept = recall(botId);
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** The conversation's ids and token, or null before the first message. */
  get conversation() {
    return this.#kept;
  }

  /** Goes on with the conversation that this tab already has, if any. */
  async resume() {
    if (!this.#kept) return this.#handlers.state("ready");
    this.#handlers.state("connecting");
    try {
      const { messages, gap } = await this.#history();
      if (this.#over) return;
      this.#handlers.history(messages, gap, this.#kept.pending);
      this.#connect();
    } catch (error) {
      if (this.#over) return;
      if (FATAL.has(error.status)) this.#lose();
      else this.#later(() => this.resume());
    }
  }

  /** Sends a message {id, text, payload?, metadata?}, now or as soon as there is a line. */
  async send(message) {
    try {
      if (!this.#kept) await this.#create();
    } catch (error) {
      if (!this.#over) this.#handlers.failed(message.id, error.message);
      return;
    }
    if (this.#over) return;
    this.#pending([...this.#kept.pending.filter((one) => one.id !== message.id), message]);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
    else if (!this.#socket) this.#connect();
  }

  /** Lets go of the conversation; with `forgetIt` the tab does not come back to it. */
  close(forgetIt) {
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    clearTimeout(this.#repeat);
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#socket?.close(1000);
    if (forgetIt) forget(this.#botId);
  }

  async #create() {
    this.#creating ??= createConversation(this.#botId).finally(() => (this.#creating = null));
    const made = await this.#creating;
    if (this.#over || this.#kept) return;
    this.#kept = { ...made, pending: [] };
    remember(this.#botId, this.#kept);
  }

  async #history() {
    const messages = [];
    let gap = false;
    for (;;) {
      const page = await readMessages(this.#kept, this.#cursor);
      gap ||= Boolean(page.gap);
      messages.push(...page.messages);
      if (!page.messages.length || page.cursor === this.#cursor) return { messages, gap };
      this.#cursor = page.cursor;
    }
  }

  #connect() {
    if (this.#over || this.#socket) return;
    this.#handlers.state(this.#losses ? "reconnecting" : "connecting");
    const { token } = this.#kept;
    const socket = openStream(this.#kept, this.#cursor);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#losses = 0;
      this.#handlers.state("online");
      this.#sendPending();
      this.#renewInTime();
    };
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => {
      this.#socket = null;
      if (this.#over) return;
      if (event.code === 4401 && token !== this.#kept.token) this.#connect();
      else this.#lost(opened, event.code);
    };
  }

  async #lost(opened, code) {
    this.#handlers.state("reconnecting");
    if (FATAL_CLOSES.has(code)) return this.#lose();
    if (!opened) {
      // A refused handshake tells a page nothing: a plain read says whether the conversation is still there.
      const status = await readMessages(this.#kept, this.#cursor).then(() => 200, (error) => error.status);
      if (this.#over) return;
      if (FATAL.has(status)) return this.#lose();
    }
    this.#later(() => this.#connect());
  }

  #later(task) {
    this.#losses += 1;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#losses - 1));
    this.#handlers.state("reconnecting");
    clearTimeout(this.#timer);
    this.#task = task;
    this.#timer = setTimeout(() => this.#goOn(), pause * (0.5 + Math.random() / 2));
  }

  #goOn() {
    const task = this.#task;
    this.#task = null;
    clearTimeout(this.#timer);
    task?.();
  }

  #wake = () => {
    if (document.visibilityState === "visible" && this.#task) this.#goOn();
  };

  #lose() {
    this.close(true);
    for (const { id } of this.#kept.pending) this.#handlers.failed(id, "The conversation is gone.", "gone");
    this.#handlers.ended("This conversation is no longer available.");
  }

  #receive(frame) {
    if (frame.message) {
      const { id, clientId } = frame.message;
      this.#cursor = id;
      if (clientId) this.#settle(clientId);
      this.#handlers.message(frame.message);
    } else if (frame.ack) {
      this.#settle(frame.ack.id);
      this.#handlers.acked(frame.ack.id, String(frame.ack.sequence));
    } else if (frame.gap) {
      this.#handlers.gap();
    } else if (frame.error && frame.id) {
      this.#refused(frame.error, frame.id);
    }
  }

  #refused(error, id) {
    if (!this.#kept.pending.some((one) => one.id === id)) return;
    if (WAIT_AND_REPEAT.has(error.code)) {
      clearTimeout(this.#repeat);
      this.#repeat = setTimeout(() => this.#sendPending(), REPEAT_PAUSE);
      return;
    }
    this.#settle(id);
    this.#handlers.failed(id, error.message, error.code);
  }

  #sendPending() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const message of this.#kept.pending) this.#socket.send(JSON.stringify(message));
  }

  #settle(id) {
    if (this.#kept.pending.some((one) => one.id === id)) this.#pending(this.#kept.pending.filter((one) => one.id !== id));
  }

  #pending(pending) {
    this.#kept = { ...this.#kept, pending };
    remember(this.#botId, this.#kept);
  }

  #renewInTime() {
    clearTimeout(this.#renewal);
    const left = Date.parse(this.#kept.expiresAt) - Date.now() - RENEW_BEFORE;
    this.#renewal = setTimeout(() => this.#renew(), Math.min(Math.max(0, left), LONGEST_TIMER));
  }

  async #renew() {
    try {
      this.#kept = { ...this.#kept, ...(await renewToken(this.#kept)) };
      if (this.#over) return;
      remember(this.#botId, this.#kept);
      this.#renewInTime();
    } catch {
      // The line closes with 4401 when the old token ends, and the page says so then.
    }
  }
}
