// The world of a bot's scripts: `botContext`, a clock, and a way in and out. One call brings a script's state as JSON
// text, one JSON text takes its effects away; nothing of Python is reachable from here. Parsing this file is the
// largest cost of a turn: it stays small. Whole-line comments and indentation are removed when it is loaded.
(function () {
"use strict";
const J = JSON.stringify, P = JSON.parse, text = String, own = Object.hasOwn, keys = Object.keys, G = globalThis;
const freeze = Object.freeze, hidden = Object.defineProperty, evaluate = eval, D = Date, M = Map, bytes = encodeURIComponent;
const RE = RangeError, isArray = Array.isArray, join = Function.prototype.call.bind([].join);
// S: the state. live: variables seen by the script, name -> [value, JSON text, scope]. C: context data, parsed on demand.
let S, live, C, out, count, missed, halted, warned, clock, random, globals, globalsError;
for (const n of ["performance", "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "queueMicrotask"]) delete G[n];

// Time starts at the event and advances one millisecond with each reading; randomness is seeded.
const Now = function Date(...a) {
  return new.target ? Reflect.construct(D, a.length ? a : [clock++], new.target) : text(new D(clock++));
};
Now.prototype = D.prototype;
Now.prototype.constructor = Now;
Now.now = () => clock++;
Now.UTC = D.UTC;
Now.parse = D.parse;
hidden(G, "Date", {value: Now, writable: true, configurable: true});
Math.random = () => {
  random = random + 0x6D2B79F5 | 0;
  let z = Math.imul(random ^ random >>> 15, 1 | random);
  z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z;
  return ((z ^ z >>> 14) >>> 0) / 4294967296;
};

const warn = (code, note) => {
  const s = '{"type":"warn","code":' + J(code) + ',"note":' + J(note.slice(0, 200)) + "}";
  if (warned.size < 20 && !warned.has(s)) { warned.set(s, 1); out[count++] = s; }
};
const refuse = (note) => { warn("refused", note); throw new RE(note); };
// A script that has sent its immediate reply or missed context data has no further effects, whatever it catches.
const emit = (type, ...fields) => {
  if (halted) throw halted;
  let s = '{"type":"' + type + '"';
  for (let i = 0; i < fields.length; i += 2) s += ',"' + fields[i] + '":' + fields[i + 1];
  if (s.length >= S.left) refuse("the effects of this turn exceed the limit");
  S.left -= s.length + 2;
  out[count++] = s + "}";
};
const json = (v) => {
  if (v instanceof D || typeof v == "bigint" || typeof v == "symbol" || typeof v == "number" && v - v !== 0) v = text(v);
  return J(v) ?? "null";
};
const fits = (what, t, most) => {
  if (t.length > most || t.length * 3 > most && bytes(t).replace(/%../g, "x").length > most) refuse(what + " is larger than the limit");
};
const put = (n, v, t, scope) => {
  fits("variable " + n, t, n.startsWith("api_") ? S.outcome : S.most);
  emit("set", "name", J(n), "value", t, "scope", J(scope));
  live.set(n, [v ?? null, t, scope]);
};
// Objects the script changed without setting them back keep their changes within the message scope.
const flush = () => {
  for (const [n, [v, t, scope]] of live) if (v && typeof v == "object") try {
    const changed = json(v);
    if (changed !== t) put(n, v, changed, scope);
  } catch (e) { warn("refused", "the changed object in variable " + n + " cannot be kept"); }
};
const say = (t, replies) => {
  if (halted) throw halted;
  if (S.replies-- <= 0) refuse("a turn sends no more messages than the limit");
  emit("say", "text", J(text(t)), "quick_replies", J(list(replies)));
};
const list = (a) => a == null ? [] : (isArray(a) ? a : [a]).map(text);

// Context data: C maps "scope|namespace" to [whole, {name: value}]; reading what is not there ends the run.
const stored = (scope, ns) => {
  C ??= P(S.context);
  const k = scope + "|" + ns;
  return own(C, k) ? C[k] : C[k] = [scope == "conversation", {}];
};
const miss = (scope, ns) => {
  const k = scope + "|" + ns;
  if (missed.length < 50 && !missed.includes(k)) missed[missed.length] = k;
  throw halted = new Error("context data not loaded");
};
const copy = (v) => v && typeof v == "object" ? P(J(v)) : v ?? null;
const read = (scope, ns, name) => {
  const [whole, data] = stored(scope, ns = text(ns));
  if (name !== undefined) return own(data, name) ? copy(data[name]) : whole ? null : miss(scope, ns);
  if (!whole) miss(scope, ns);
  if (!keys(data).length) return null;
  const map = copy(data), add = (n, f) => own(map, n) || hidden(map, n, {value: f});
  add("keySet", () => keys(map));
  add("get", (n) => map[n] ?? null);
  add("containsKey", (n) => own(map, n));
  add("size", () => keys(map).length);
  add("isEmpty", () => false);
  add("values", () => keys(map).map((n) => map[n]));
  add("toString", () => "{" + keys(map).map((n) => n + "=" + map[n]).join(", ") + "}");
  return map;
};
const write = (scope, ns, name, v) => {
  ns = text(ns); name = text(name);
  const ttl = stored("conversation", "__namespaces")[1], t = json(v);
  fits("context data " + ns, t, S.most);
  emit("context", "scope", J(scope), "namespace", J(ns), "name", J(name), "value", t, "ttl_ms", own(ttl, ns) ? ttl[ns] : 0);
  stored(scope, ns)[1][name] = P(t);
  return true;
};
const erase = (scope, ns, name) => {
  ns = text(ns); name = name === undefined ? null : text(name);
  emit("context", "scope", J(scope), "namespace", J(ns), "name", J(name), "delete", "true");
  const c = stored(scope, ns);
  if (name === null) { c[0] = true; c[1] = {}; }
  else if (c[0]) delete c[1][name];
  else c[1][name] = null;
  return true;
};

const api = {
  getBotVariable(n) {
    n = text(n);
    if (live.has(n)) return live.get(n)[0];
    if (own(S.objects, n)) {
      const v = P(S.objects[n]);
      live.set(n, [v, J(v), own(S.scopes, n) ? S.scopes[n] : "request"]);
      return v;
    }
    return own(S.values, n) ? S.values[n] : null;
  },
  setBotVariable(n, v, session, forever) {
    const yes = (flag) => flag && flag !== "false";
    put(text(n), v, json(v), yes(forever) ? "forever" : yes(session) ? "session" : "request");
  },
  getEnvVariable: (n) => own(S.environment, n) ? S.environment[n] : null,
  getWebViewVariable: (n) => own(S.web_view, n) ? S.web_view[n] : null,
  getMetadata(type) {
    const found = S.metadata.filter((m) => m.type === type), first = found[0];
    for (const k in first) own(found, k) || hidden(found, k, {value: first[k]});
    return first ? found : null;
  },
  getLPEngagementAttribute(k) {
    const e = S.engagement;
    if (/^rtSess?sionId$/.test(k) && !own(e, k)) k = k == "rtSessionId" ? "rtSesssionId" : "rtSessionId";
    return own(e, k) ? e[k] : null;
  },
  getUserPlatformType() {
    const c = S.channel.replace(/^[a-z]+_/, "").toUpperCase();
    return {WEB: "HTMLCLIENT", FB: "FACEBOOK"}[c] ?? c;
  },
  getUserLocation() {
    const l = {};
    for (const n of ["City", "CityName", "State", "ZipCode", "Latitude", "Longitude"]) l["get" + n] = () => null;
    return l;
  },
  getNlpResponse: () => ({nouns: [], verbs: [], phrases: [], sentences: [S.text], tokens: S.text.split(/\s+/)}),
  getSentiment: () => "Neutral",
  getFileCaption: () => "__EMPTYTEXT__",
  isContextApiEnabled: () => true,
  sendMessage: (t) => say(t),
  sendMessages: (a) => list(a).forEach((t) => say(t)),
  sendMessageWithQuickReplies: say,
  sendImmediateReply(a) {
    list(a).forEach((t) => say(t));
    flush();
    emit("stop");
    throw halted = new Error("sendImmediateReply");
  },
  sendPrivateMessage: (t) => emit("private", "text", J(text(t))),
  addQuickReplies: (a) => emit("quick_replies", "replies", J(list(a))),
  setTriggerNextMessage: (n) => emit("trigger", "interaction", n == null ? "null" : J(text(n))),
  setMessageDelay: (ms) => emit("delay", "ms", J(Math.min(Math.max(Math.round(ms) || 0, 0), 1e6))),
  setAllowMaxTextResponse: (on) => emit("long_text", "on", J(!!on && on !== "false")),
  printDebugMessage(m) {
    emit("log", "text", J(m && typeof m == "object" && text(m) == "[object Object]" ? J(m) : text(m)));
  },
  logCustomEvent: (m, n, d) => emit("event", "message", J(text(m ?? "")), "name", J(text(n)), "detail", J(text(d ?? "").slice(0, 32000))),
  logEscalationEvent() {},
  setUserName: (v) => api.setBotVariable("__userName", v, false, true),
  getUserName: () => api.getBotVariable("__userName"),
  setEmail: (v) => api.setBotVariable("__email", v, false, true),
  getEmail: () => api.getBotVariable("__email"),
  // "A) Yes": the whole option, its letter, its letter with the mark, and its label all match.
  evaluateOptions(answer, options) {
    const plain = (t) => text(t).trim().toLowerCase(), a = plain(answer);
    for (const option of list(options)) {
      const p = /^(\w+)\s*([).:-])\s*(.*)$/.exec(plain(option)) || [];
      if (a && (a == plain(option) || a == p[1] || a == p[1] + p[2] || a == p[3])) return option;
    }
    return null;
  },
  registerContextNamespace(ns, seconds) {
    return seconds > 0 ? write("conversation", "__namespaces", ns, Math.round(seconds * 1000)) : true;
  },
  deleteContextNamespace: (ns) => erase("conversation", ns) && erase("user", ns) && erase("global", ns),
};
const plain = {
  getWebViewVariables: "web_view", getCurrentUserMessage: "text", getQuickReplyPayload: "quick_reply_payload",
  getButtonPayload: "button_payload", getChatBotId: "bot_id", getConversationId: "conversation_id",
  getLPAccountId: "account_id", getUserPlatformId: "user_id", getUserChannel: "channel", getChannel: "channel",
  getLPUserPersonalInfo: "personal_info", getLPCustomerInfo: "customer_info", getDialogStarterIntent: "starter_intent",
  isApiExecutionSuccessful: "api_success", getApiStatusCode: "api_status", getDisambiguatedIntentName: "-",
  getDisambiguatedIntentId: "-", getNamedEntities: "-", getFileType: "-",
};
for (const n of keys(plain)) api[n] = () => S[plain[n]] ?? null;
api.addQuickReples = api.addQuickReplies;
for (const [name, scope] of [["Global", "global"], ["ForUser", "user"], ["ForConversation", "conversation"]]) {
  const n = scope == "global" ? "GlobalContextData" : "ContextData" + name;
  api["get" + n] = (ns, p) => read(scope, ns, scope == "global" ? text(p) : p);
  api["set" + n] = (ns, p, v) => write(scope, ns, p, v);
  api["delete" + n] = (ns, p) => erase(scope, ns, text(p));
  if (scope != "global") api["deleteAll" + n] = (ns) => erase(scope, ns);
}
// What `botContext` has not got: a bean property (`botContext.chatBotId`), or a function that only leaves a warning.
const rest = new Proxy({}, {get(o, n) {
  if (typeof n == "symbol" || n in o || n == "toJSON" || n == "then") return o[n];
  const getter = "get" + n.slice(0, 1).toUpperCase() + n.slice(1);
  return own(api, getter) ? api[getter]() : () => { warn("unknown-function", n); };
}});
hidden(G, "botContext", {value: freeze(Object.setPrototypeOf(api, rest))});

// Lines from FIRST on are not the script's: this file is FIRST, the Global Functions come after it.
const FIRST = 5001;
const place = (e) => {
  const lines = [0, 0];
  try {
    for (const m of text(e.stack).matchAll(/<input>:(\d+)/g)) {
      const n = +m[1], which = n < FIRST ? 0 : 1;
      if (n != FIRST) lines[which] ||= which ? n - FIRST : n;
      if (lines[0]) break;
    }
  } catch {}
  return lines;
};
const describe = (e) => {
  if (e == null || e instanceof InternalError && /memory/.test(e.message)) return ["memory", 0, 0];
  let message = "an exception that cannot be shown";
  try { message = e instanceof Error ? e.name + ": " + e.message : text(e); } catch {}
  return [text(message).slice(0, 500), ...place(e)];
};
// Joined, not added up: the engine's Python side cannot read the ropes that additions make.
const take = (error, syntax) => join(['{"effects":[', join(out, ","), '],"error":', J(error ?? null), ',"syntax":', !!syntax,
  ',"globals":', J(globalsError ?? null), ',"missed":', J(missed), ',"halted":', !!halted, ',"clock":', clock,
  ',"left":', S.left, ',"replies":', S.replies, "}"], "");

const run = () => {
  let inside, panel;
  for (const n of keys(G)) delete G[n];
  out = []; count = 0; missed = []; halted = null; warned = new M(); live = new M(); C = null; globalsError = null;
  clock = S.now; random = S.seed;
  const failed = (e) => halted ? null : describe(e);
  try { globals((f) => { inside ??= f; }); } catch (e) { globalsError = failed(e); }
  if (halted || globalsError?.[0] == "memory") return take(globalsError);
  try { panel = inside("(function(){" + S.code + "\n})"); } catch (e) { return take(failed(e), true); }
  let error = null;
  try { panel(); } catch (e) { error = failed(e); }
  if (!halted) flush();
  return take(error);
};
const load = (source) => {
  // The way in is handed out before the first statement: functions are usable even if a statement throws.
  const way = "(function(){arguments[0](function(){return eval(arguments[0])});" + "\n".repeat(FIRST);
  globals = evaluate(way + "})");
  try { globals = evaluate(way + source + "\n})"); } catch (e) { return J(describe(e)); }
  return "null";
};
return (what, data) => {
  if (what == "load") return load(P(data));
  if (what == "take") return take();
  S = P(data);
  return run();
};
})()
