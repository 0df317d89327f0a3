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
// Something that has to be fetched first: the run ends here, whatever the script catches, and begins again with it.
const miss = (k) => {
  if (missed.length < 50 && !missed.includes(k)) missed[missed.length] = k;
  throw halted = new Error("data not loaded");
};

// What the documents allow of quick replies; longer titles are kept, since some channels show them.
const offered = (a) => {
  a = list(a);
  if (a.length > 10) warn("refused", "a message has more than 10 quick replies: the others are not shown");
  if (a.some((t) => t.split("~")[0].trim().length > 20)) warn("refused", "the title of a quick reply has more than 20 characters: channels may cut it");
  return a.slice(0, 10);
};
// What another service of the platform did: `value` stands for its answer.
const without = (n, value) => () => { warn("unsupported-function", n); return value; };

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
  // Null where nothing tells who the consumer is, though other fields may be known.
  getLPUserPersonalInfo() {
    const p = S.personal_info;
    return p && (p.firstname || p.lastname || p.company) ? p : null;
  },
  getChannel: () => S.channel.replace(/^twilio_/, ""),
  getUserPlatformType() {
    const c = S.channel.replace(/^[a-z]+_/, "").toUpperCase();
    return {WEB: "HTMLCLIENT", FB: "FACEBOOK"}[c] ?? c;
  },
  getUserLocation() {
    const l = {};
    for (const n of ["City", "CityName", "State", "ZipCode", "Latitude", "Longitude"]) l["get" + n] = () => null;
    return l;
  },
  getNamedEntities(n) {
    const plain = (t) => text(t).trim().replace(/^@/, "").toLowerCase(), name = plain(n);
    const found = S.entities.filter((e) => plain(e.name) == name).map(({phrase, value}) =>
      ({phrase, dataValue: value, getPhrase: () => phrase, getDataValue: () => value}));
    return found.length ? found : null;
  },
  getNlpResponse() {
    warn("unsupported-function", "getNlpResponse");
    const words = S.text.split(/[^\p{L}\p{N}'’-]+/u).filter((w) => w), sentences = S.text.match(/[^.!?]+[.!?]*/g) || [];
    return {nouns: [], verbs: [], phrases: [], sentences: sentences.map((s) => s.trim()), tokens: words};
  },
  getSentiment: without("getSentiment", "Neutral"),
  getFileCaption: () => "__EMPTYTEXT__",
  getFileType: () => null,
  isContextApiEnabled: () => true,
  sendMessages: (a) => list(a).forEach((t) => say(t)),
  sendMessageWithQuickReplies: (t, replies) => say(t, offered(replies)),
  sendImmediateReply(a) {
    list(a).forEach((t) => say(t));
    flush();
    emit("stop");
    throw halted = new Error("sendImmediateReply");
  },
  sendPrivateMessage: (t) => emit("private", "text", J(text(t))),
  addQuickReplies: (a) => emit("quick_replies", "replies", row(offered(a))),
  setMessageDelay: (ms) => emit("delay", "ms", J(Math.min(Math.max(Math.round(ms) || 0, 0), 1e6))),
  setAllowMaxTextResponse: (on) => emit("long_text", "on", J(!!on && on !== "false")),
  logCustomEvent(m, n, d) {
    if (n == null) return warn("refused", "logCustomEvent needs the name of the event");
    d = text(d ?? "");
    if (d.length > 32000) warn("refused", "the detail of a custom event is cut to 32,000 characters");
    emit("event", "message", J(text(m ?? "")), "name", J(text(n)), "detail", J(d.slice(0, 32000)));
  },
  logEscalationEvent() {},
  setUserName: (v) => api.setBotVariable("__userName", v, false, true),
  getUserName: () => api.getBotVariable("__userName"),
  setEmail: (v) => api.setBotVariable("__email", v, false, true),
  getEmail: () => api.getBotVariable("__email"),
  // "A) Yes": the whole option, its letter, its letter with the mark, and its label all match.
  evaluateOptions(answer, options) {
    const plain = (t) => text(t).toLowerCase().replace(/\s+/g, " ").trim();
    const parts = (t) => /^[([]?(\w{1,3}) ?([).:\]-]) ?(.*)$/.exec(t) || [], a = plain(answer), said = parts(a);
    for (const option of list(options)) {
      const o = plain(option), p = parts(o);
      if (a && (a == o || a == p[1] || a == p[3] || said[1] && said[1] == p[1] && (!said[3] || said[3] == p[3]))) return option;
    }
    return null;
  },
  // The documents' answer when no policy matches; there are none here.
  askMaven: () => '{"nextActionId":null,"rule":null,"noMatchReason":"NO_MATCHED_RULES"}',
};
const plain = {
  getWebViewVariables: "web_view", getQuickReplyPayload: "quick_reply_payload", getButtonPayload: "button_payload",
  getChatBotId: "bot_id", getConversationId: "conversation_id", getLPAccountId: "account_id",
  getUserPlatformId: "user_id", getUserChannel: "channel", getLPCustomerInfo: "customer_info",
  getDialogStarterIntent: "starter_intent", isApiExecutionSuccessful: "api_success", getApiStatusCode: "api_status",
  getDisambiguatedIntentName: "disambiguated_intent_name", getDisambiguatedIntentId: "disambiguated_intent_id",
};
for (const n of keys(plain)) more[n] = () => S[plain[n]] ?? null;
more.addQuickReples = more.addQuickReplies;
for (const n of ["transferToBotDialog", "setBotTransferIntentbyDomain", "setBotTransferIntentId", "setBotTransferIntentID",
  "setBotTransferUserMessage"]) more[n] = without(n);
// The context service and opening hours are a third part, services.js: parsed when one of its functions is called.
let services;
const far = () => services ??= eval(source[1]);
for (const n of ["getHoursType", "registerContextNamespace", "deleteContextNamespace"]) more[n] = (ns, ...a) => far()[n](ns, ...a);
for (const n of ["GlobalContextData", "ContextDataForUser", "ContextDataForConversation"])
  for (const verb of n[0] == "G" ? ["get", "set", "delete"] : ["get", "set", "delete", "deleteAll"])
    more[verb + n] = (ns, ...a) => far()[verb + n](ns, ...a);

// A function, a bean property (`botContext.chatBotId`), or a function that does nothing but leave a warning.
const find = (n) => {
  if (own(more, n)) return more[n];
  if (n == "toJSON" || n == "then") return;
  const name = n.slice(0, 1).toUpperCase() + n.slice(1), known = (g) => own(api, g) ? api[g] : own(more, g) && more[g];
  const f = known("get" + name) || known("is" + name);
  return f && !f.length ? f() : () => { warn("unknown-function", /^\w{1,64}$/.test(n) ? n : "(its name is no word)"); };
};
const shown = (m) => text(m) == "[object Object]" ? J(m) : text(m);

// Strings were Java's there, so their methods were at hand: installed in worlds whose scripts name one of them.
let javaIn;
const java = () => {
  const p = String.prototype, {includes, replace, replaceAll} = p, lower = (t) => text(t).toLowerCase();
  const made = (pattern, flags) => { try { return new RegExp(pattern, flags); } catch { return pattern; } };
  const methods = {
    equals(o) { return typeof o == "string" && this + "" === o; },
    equalsIgnoreCase(o) { return typeof o == "string" && lower(this) === lower(o); },
    isEmpty() { return this.length == 0; },
    isBlank() { return this.trim().length == 0; },
    contains(o) { return includes.call(this, o); },
    matches(r) { return new RegExp("^(?:" + r + ")$").test(this); },
    replaceFirst(r, by) { return replace.call(this, made(r), by); },
    replaceAll(r, by) { return replaceAll.call(this, typeof r == "string" ? made(r, "g") : r, by); },
    hashCode() { let h = 0; for (let i = 0; i < this.length; i++) h = h * 31 + this.charCodeAt(i) | 0; return h; },
    compareTo(o) { return this < o ? -1 : +(this > o); },
    compareToIgnoreCase(o) { return lower(this) < lower(o) ? -1 : +(lower(this) > lower(o)); },
    toCharArray() { return this.split(""); },
  };
  if (!javaIn) for (const n of keys(methods)) own(p, n) && p[n] != replaceAll || hidden(p, n, {value: methods[n], writable: true, configurable: true});
  javaIn = true;
};

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
  message = text(message).slice(0, 500);
  if (/^ReferenceError: (Java|Packages|javax?|org|com|importClass|importPackage|JavaImporter|load) is not defined$/.test(message)) message += ": scripts cannot use classes of Java here";
  return [message, ...place(e, syntax)];
};
return {find, warn, refuse, fits, shown, describe, java, names: () => J([...keys(api), ...keys(more)])};
})()
