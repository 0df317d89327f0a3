// What few scripts ask for: evaluated inside rest.js when one of these functions is.
(function () {
const DAYS = "SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY".split(" ");
const ENTRY = /^\s*(?:([^|~]*)\|)?([^|~]*)~\s*(\d\d?):(\d\d)\s*~\s*(\d\d?):(\d\d)\s*$/;
const two = (n) => (n < 10 ? "0" : "") + n;
// What an entry calls a day: its name, or MM.DD.YYYY.
const called = (d) => [DAYS[d.getUTCDay()], [two(d.getUTCMonth() + 1), two(d.getUTCDate()), d.getUTCFullYear()].join(".")];
const offset = (zone) => {
  if (!own(S.zones, zone)) miss("zone|" + zone);
  return S.zones[zone];
};
// Entries are `[day|]TYPE~start~end`. The last one that holds counts; a range over midnight belongs to the day on which
// it starts; the start is in it, the end is not, except that 23:59 means midnight.
const getHoursType = (entries, zone) => {
  const ahead = offset(text(zone));
  if (ahead === null) return warn("refused", "getHoursType: there is no such time zone"), null;
  const local = new D(clock + ahead), now = local.getUTCHours() * 60 + local.getUTCMinutes();
  const today = called(local), yesterday = called(new D(clock + ahead - 864e5));
  let found = null;
  for (const entry of list(entries)) {
    const [, day, type, h, m, hh, mm] = ENTRY.exec(entry) || [];
    if (type === undefined) { warn("refused", "getHoursType: an entry is not [day|]TYPE~start~end"); continue; }
    const start = h * 60 + +m, end = hh * 60 + +mm == 1439 ? 1440 : hh * 60 + +mm;
    const on = (names) => day === undefined || names.includes(day.trim().toUpperCase());
    const holds = end > start ? now >= start && now < end && on(today) : now >= start && on(today) || now < end && on(yesterday);
    if (holds) found = type.trim();
  }
  return found;
};

// A token for a form is made by the worker, which has the secret: the run ends here and begins again with it. The seed
// tells the scripts of a turn apart, the count the tokens of a script.
const getWebViewToken = (wanted) => {
  const {variables, expiresIn, once} = wanted ?? {};
  S.tokens = (S.tokens ?? 0) + 1;
  const k = "token|" + J([list(variables), +expiresIn || 0, !!once && once !== "false", S.seed, S.tokens]);
  C ??= P(S.context);
  if (!own(C, k)) miss(k);
  const token = C[k][1].token;
  if (!token) warn("refused", "getWebViewToken: this token cannot be made: see docs/web-view.md");
  return token ?? null;
};

// What another service of the platform did: `value` stands for its answer.
const without = (n, value) => () => { warn("unsupported-function", n); return value; };

const functions = {
  getHoursType,
  getWebViewToken,
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
  // The documents' older samples leave the brackets of `getPhrase()` out: such a function shows what it would give.
  getNamedEntities(n) {
    const shows = (v) => Object.assign(() => v, {toString: () => v, toJSON: () => v});
    const plain = (t) => text(t).trim().replace(/^@/, "").toLowerCase(), name = plain(n);
    const found = S.entities.filter((e) => plain(e.name) == name).map(({phrase, value}) =>
      ({phrase, dataValue: value, getPhrase: shows(phrase), getDataValue: shows(value)}));
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
for (const n of ["transferToBotDialog", "setBotTransferIntentbyDomain", "setBotTransferIntentId", "setBotTransferIntentID",
  "setBotTransferUserMessage"]) functions[n] = without(n);

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
  const install = (n) => hidden(p, n, {value: methods[n], writable: true, configurable: true});
  if (!javaIn) for (const n of keys(methods)) if (!own(p, n) || p[n] == replaceAll) install(n);
  javaIn = true;
};

functions.java = java;
return functions;
})()
