// The part of the prelude that few scripts need, evaluated inside it when first asked for: its names are known here.
(function () {
const RE = RangeError;
const warn = (code, note) => {
  const s = '{"type":"warn","code":' + J(code) + ',"note":' + J(note.slice(0, 200)) + "}";
  if (warned.size < 20 && !warned.has(s)) { warned.set(s, 1); out[count++] = s; }
};
const refuse = (note) => { warn("refused", note); throw new RE(note); };
// The limit counts bytes of UTF-8: one more for what is not ASCII, another for what is beyond two bytes, halves of pairs excepted.
const fits = (what, t, most) => {
  const others = (known) => t.replace(known, "").length;
  const size = () => t.length + others(/[\0-\x7f]+/g) + others(/[\0-\u07ff]+/g) - others(/[^\ud800-\udfff]+/g);
  if (t.length > most || t.length * 3 > most && size() > most) refuse(what + " is larger than the limit");
};

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
// Time to live is a property of a namespace from its registration on: kept with the conversation's own data.
const write = (scope, ns, name, v) => {
  ns = text(ns); name = text(name);
  const ttl = stored("conversation", "__namespaces")[1], t = json(v);
  fits("context data " + ns, t, S.most);
  emit("context", "scope", J(scope), "namespace", J(ns), "name", J(name), "value", t, "ttl_ms", J(own(ttl, ns) ? ttl[ns] : 0));
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

const more = {
  getEnvVariable: (n) => own(S.environment, n) ? S.environment[n] : null,
  getWebViewVariable: (n) => own(S.web_view, n) ? S.web_view[n] : null,
  // A list whose first entry's fields can be read from the list too: the documents show both.
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
  sendMessages: (a) => list(a).forEach((t) => say(t)),
  sendMessageWithQuickReplies: say,
  sendImmediateReply(a) {
    list(a).forEach((t) => say(t));
    flush();
    emit("stop");
    throw halted = new Error("sendImmediateReply");
  },
  sendPrivateMessage: (t) => emit("private", "text", J(text(t))),
  addQuickReplies: (a) => emit("quick_replies", "replies", row(list(a))),
  setMessageDelay: (ms) => emit("delay", "ms", J(Math.min(Math.max(Math.round(ms) || 0, 0), 1e6))),
  setAllowMaxTextResponse: (on) => emit("long_text", "on", J(!!on && on !== "false")),
  logCustomEvent: (m, n, d) =>
    emit("event", "message", J(text(m ?? "")), "name", J(text(n)), "detail", J(text(d ?? "").slice(0, 32000))),
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
  getWebViewVariables: "web_view", getQuickReplyPayload: "quick_reply_payload", getButtonPayload: "button_payload",
  getChatBotId: "bot_id", getConversationId: "conversation_id", getLPAccountId: "account_id",
  getUserPlatformId: "user_id", getUserChannel: "channel", getChannel: "channel", getLPUserPersonalInfo: "personal_info",
  getLPCustomerInfo: "customer_info", getDialogStarterIntent: "starter_intent", isApiExecutionSuccessful: "api_success",
  getApiStatusCode: "api_status", getDisambiguatedIntentName: "", getDisambiguatedIntentId: "", getNamedEntities: "",
  getFileType: "",
};
for (const n of keys(plain)) more[n] = () => S[plain[n]] ?? null;
more.addQuickReples = more.addQuickReplies;
for (const [n, scope] of [["ContextDataForUser", "user"], ["ContextDataForConversation", "conversation"]]) {
  more["get" + n] = (ns, p) => read(scope, ns, p);
  more["set" + n] = (ns, p, v) => write(scope, ns, p, v);
  more["delete" + n] = (ns, p) => erase(scope, ns, text(p));
  more["deleteAll" + n] = (ns) => erase(scope, ns);
}
more.getGlobalContextData = (ns, p) => read("global", ns, text(p));
more.setGlobalContextData = (ns, p, v) => write("global", ns, p, v);
more.deleteGlobalContextData = (ns, p) => erase("global", ns, text(p));

// A function, a bean property (`botContext.chatBotId`), or a function that does nothing but leave a warning.
const find = (n) => {
  if (own(more, n)) return more[n];
  if (n == "toJSON" || n == "then") return;
  const getter = "get" + n.slice(0, 1).toUpperCase() + n.slice(1), f = own(api, getter) ? api[getter] : more[getter];
  return f ? f() : () => { warn("unknown-function", /^\w{1,64}$/.test(n) ? n : "(its name is no word)"); };
};
const shown = (m) => text(m) == "[object Object]" ? J(m) : text(m);

// Where an exception comes from: [line in the script, line in the Global Functions], 0 if not there.
// An error of the parser names the place in what it parsed first, without brackets: that may be a text of the script.
const place = (e, syntax) => {
  const lines = [0, 0];
  try {
    for (const m of text(e.stack).matchAll(syntax ? /<input>:(\d+)/g : /\(<input>:(\d+)/g)) {
      const n = +m[1], which = n < FIRST ? 0 : 1;
      if (n != FIRST) lines[which] ||= which ? n - FIRST : n;
      if (lines[0]) break;
    }
  } catch {}
  return lines;
};
const describe = (e, syntax) => {
  if (e == null || e instanceof InternalError && /memory/.test(e.message)) return ["memory", 0, 0];
  let message = "an exception that cannot be shown";
  try { message = e instanceof Error ? e.name + ": " + e.message : text(e); } catch {}
  return [text(message).slice(0, 500), ...place(e, syntax)];
};
return {find, warn, refuse, fits, shown, describe, names: keys(more)};
})()
