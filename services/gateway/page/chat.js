// The chat page: one conversation at a time with one of the gateway's bots. This file puts the parts together.

import { listBots } from "./api.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { el, icon } from "./dom.js";
import { choice, choose } from "./memory.js";
import { Panel } from "./panel.js";
import { chooserScreen, greetingScreen, initial, troubleScreen } from "./start.js";
import { Transcript } from "./transcript.js";
import { View } from "./view.js";

const part = (id) => document.getElementById(id);
const STATES = {
  ready: "Ready",
  connecting: "Connecting",
  online: "Online",
  reconnecting: "Connection lost, trying again",
  transferred: "With a person",
  closed: "Ended",
  none: "No bot chosen",
  trouble: "Not available",
};

const composer = new Composer({ form: part("composer"), field: part("composer-text"), button: part("send"), say: (text) => say({ text }) });
const view = new View({ scroller: part("scroller"), newer: part("newer"), field: part("composer-text") });
const panel = new Panel({ panel: part("panel"), toggle: part("panel-toggle"), closer: part("panel-close"), turns: part("turns"), chat: part("chat") });

let bots = [];
let bot = null;
let line = null;
let transcript = null;
let standing = "open";
const said = new Map();

async function begin() {
  show("connecting");
  try {
    bots = await listBots();
  } catch (error) {
    return trouble("The bots cannot be listed", error.message);
  }
  if (!bots.length) return trouble("There is no bot here yet", "Publish one with “botlane deploy” or start “botlane run” with an export.");
  const wanted = new URLSearchParams(location.search).get("bot") ?? choice("bot");
  const found = bots.find((one) => one.id === wanted) ?? (bots.length === 1 ? bots[0] : null);
  if (found) open(found);
  else chooser();
}

function trouble(title, text) {
  leave();
  show("trouble");
  part("start").replaceChildren(...troubleScreen(title, text, begin));
}

function chooser() {
  leave();
  bot = null;
  choose("bot", null);
  address(null);
  show("none");
  part("bot-name").textContent = "Botlane";
  part("avatar").replaceChildren(icon("i-grid"));
  part("start").replaceChildren(...chooserScreen(bots, (one) => {
    open(one);
    focusStart();
  }));
}

function open(one) {
  leave();
  bot = one;
  choose("bot", bot.id);
  address(bot.id);
  standing = "open";
  document.title = `${bot.name} · Botlane`;
  part("bot-name").textContent = bot.name;
  part("avatar").textContent = initial(bot.name);
  part("choose").hidden = bots.length < 2;
  part("restart").hidden = false;
  part("start").replaceChildren(...greetingScreen(bot, (text) => say({ text }, { fromStart: true })));
  transcript = new Transcript({ log: part("log"), quick: part("quick"), typing: part("typing"), view, tap: say, retry: resend });
  transcript.onShown = shown;
  composer.enable(true);
  line = new Connection(bot.id, handlers(transcript));
  panel.follow(line);
  line.resume();
}

/** What a line tells the page; `own` is the transcript it belongs to, so that a late word of an old line is dropped. */
function handlers(own) {
  const current = (handle) => (...values) => own === transcript && handle(...values);
  return {
    state: current(show),
    history: current((messages, gap, pending) => {
      started();
      for (const message of pending) said.set(message.id, message);
      own.history(messages, gap, pending);
      panel.soon();
    }),
    message: current((message) => {
      own.receive(message);
      panel.soon();
    }),
    gap: current(() => own.notice("Older messages are no longer kept.")),
    acked: current((id, sequence) => own.acked(id, sequence)),
    failed: current((id, text, code) => {
      own.failed(id, text, code === "gone" ? undefined : said.get(id));
      if (code === "closed") close();
    }),
    ended: current((text) => {
      own.notice(text);
      close();
    }),
  };
}

function say(message, { fromStart = false } = {}) {
  if (!line || standing === "closed") return;
  const focused = document.activeElement;
  const complete = { id: newId(), ...message };
  said.set(complete.id, complete);
  started();
  transcript.own(complete);
  line.send(complete);
  panel.soon();
  if (fromStart || !document.contains(focused)) view.refocus();
}

function resend(message) {
  transcript.own(message);
  line.send(message);
  view.refocus();
}

function shown(message) {
  if (message.type === "transfer") standing = "transferred";
  else if (message.type === "closed") return close();
  else if (message.from === "bot" && standing === "transferred") standing = "open";
  show(part("status").dataset.line);
}

function close() {
  standing = "closed";
  composer.enable(false);
  show("closed");
  notice("This conversation has ended.", "Start a new one", restart);
}

function restart() {
  line?.close(true);
  line = null;
  open(bot);
  focusStart();
}

function leave() {
  line?.close(false);
  transcript?.close();
  line = transcript = null;
  said.clear();
  panel.leave();
  composer.enable(false);
  notice(null);
  part("start").hidden = false;
  for (const id of ["choose", "restart"]) part(id).hidden = true;
}

function started() {
  part("start").hidden = true;
}

function focusStart() {
  (part("start").querySelector("button") ?? part("composer-text")).focus();
}

function notice(text, label, act) {
  part("notice").hidden = !text;
  part("notice").replaceChildren(...(text ? [el("span", { text }), el("button", { type: "button", class: "notice-button", text: label, on: { click: act } })] : []));
}

function show(state) {
  part("status").dataset.line = state;
  const word = standing === "open" || !["online", "ready", "closed"].includes(state) ? state : standing;
  part("status").dataset.state = word;
  if (part("status-text").textContent !== STATES[word]) part("status-text").textContent = STATES[word];
}

function address(botId) {
  const url = new URL(location.href);
  if (botId) url.searchParams.set("bot", botId);
  else url.searchParams.delete("bot");
  history.replaceState(null, "", url);
}

// crypto.randomUUID exists only on secure origins; a page on a plain inner address still needs ids.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

part("restart").addEventListener("click", restart);
part("choose").addEventListener("click", () => {
  chooser();
  focusStart();
});
begin();
