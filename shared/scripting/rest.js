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
  const long = a.some((t) => t.split("~")[0].trim().length > 20);
  if (long) warn("refused", "the title of a quick reply has more than 20 characters: channels may cut it");
  return a.slice(0, 10);
};

// That a form's variable was read is told to the form's owner, once for each name; null is all of them.
const posted = (n) => {
  const told = S.told ??= new M();
  if (!told.has(n)) { told.set(n, 1); out[count++] = '{"type":"form_read","name":' + J(n) + "}"; }
  return n === null ? S.web_view : S.web_view[n];
};

const more = {
  getEnvVariable: (n) => own(S.environment, n) ? S.environment[n] : null,
  getWebViewVariable: (n) => own(S.web_view, n = text(n)) ? posted(n) : null,
  getWebViewVariables: () => posted(null),
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
};
const plain = {
  getQuickReplyPayload: "quick_reply_payload", getButtonPayload: "button_payload",
  getChatBotId: "bot_id", getConversationId: "conversation_id", getLPAccountId: "account_id",
  getUserPlatformId: "user_id", getUserChannel: "channel", getLPCustomerInfo: "customer_info",
  getDialogStarterIntent: "starter_intent", isApiExecutionSuccessful: "api_success", getApiStatusCode: "api_status",
  getDisambiguatedIntentName: "disambiguated_intent_name", getDisambiguatedIntentId: "disambiguated_intent_id",
};
for (const n of keys(plain)) more[n] = () => S[plain[n]] ?? null;
more.addQuickReples = more.addQuickReplies;
// What is asked for less often are parts of their own: part 1 is context.js, part 2 rare.js.
const parts = [], part = (i) => parts[i] ??= eval(source[i]), where = {};
const elsewhere = (i, names) => { for (const n of names.split(" ")) where[n] = i; };
for (const n of ["ContextDataForUser", "ContextDataForConversation"])
  elsewhere(1, "get" + n + " set" + n + " delete" + n + " deleteAll" + n);
elsewhere(1, "registerContextNamespace deleteContextNamespace getGlobalContextData setGlobalContextData "
  + "deleteGlobalContextData");
elsewhere(2, "getWebViewToken getChannel getUserPlatformType getUserLocation getNamedEntities getNlpResponse getSentiment getFileCaption "
  + "getFileType isContextApiEnabled logEscalationEvent setUserName getUserName setEmail getEmail evaluateOptions askMaven "
  + "getHoursType transferToBotDialog setBotTransferIntentbyDomain setBotTransferIntentId setBotTransferIntentID "
  + "setBotTransferUserMessage");

const known = (n) => own(more, n) ? more[n] : own(where, n) && part(where[n])[n];
// A function, a bean property (`botContext.chatBotId`), or a function that does nothing but leave a warning.
const find = (n) => {
  const f = known(n);
  if (f || n == "toJSON" || n == "then") return f || undefined;
  const name = n.slice(0, 1).toUpperCase() + n.slice(1);
  const getter = own(api, "get" + name) ? api["get" + name] : known("get" + name) || known("is" + name);
  return getter && !getter.length ? getter()
    : () => { warn("unknown-function", /^\w{1,64}$/.test(n) ? n : "(its name is no word)"); };
};
const shown = (m) => text(m) == "[object Object]" ? J(m) : text(m);

// Where an exception comes from: [line in the script, line in the Global Functions], 0 if not there.
// An error of the parser names the place in what it parsed first, without brackets: that may be a text of the script.
const place = (e, syntax) => {
  const lines = [0, 0];
  try {
    for (const m of text(e.stack).matchAll(syntax ? /<input>:(\d+)/g : /\(<input>:(\d+)/g)) {
      const n = +m[1], which = n < first ? 0 : 1;
      if (n != first) lines[which] ||= which ? n - first : n;
      if (lines[0]) break;
    }
  } catch {}
  return lines;
};
// Without memory for an error the engine throws null, or a value of no type: null is the script's own if its text
// throws anything else than new objects.
const exhausted = (e) => typeof e == "unknown" || e instanceof InternalError && e.message === "out of memory"
  || e === null && !/\bthrow\b(?!\s+new\b)/.test(S?.code + functions);
const describe = (e, syntax) => {
  if (exhausted(e)) return ["", 0, 0, true];
  let message = "an exception that cannot be shown";
  try { message = e instanceof Error ? e.name + ": " + e.message : text(e); } catch {}
  message = text(message).slice(0, 500);
  const names = /^ReferenceError: (Java|Packages|javax?|org|com|importClass|importPackage|JavaImporter|load) is not defined$/;
  if (names.test(message)) message += ": scripts cannot use classes of Java here";
  const lines = place(e, syntax);
  return [message, lines[0], lines[1]];
};
// Which parts were parsed: 1 for this one, 2 for context.js, 4 for rare.js; and the names, after parsing such parts.
const used = () => 1 + (parts[1] ? 2 : 0) + (parts[2] ? 4 : 0);
const names = (wanted) => {
  for (const i of [1, 2]) if (wanted & 1 << i) part(i);
  return J([...keys(api), ...keys(more), ...keys(where)]);
};
return {find, warn, refuse, fits, shown, describe, used, names, java: () => part(2).java()};
})()
