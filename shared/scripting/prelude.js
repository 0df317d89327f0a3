// The world of a bot's scripts: `botContext`, a clock, and a way in and out. One call brings a script's state as JSON
// text, one JSON text takes its effects away; nothing of Python is reachable from here. Parsing this file is the
// largest cost of a turn: what not every script uses is in other files, texts until somebody asks for them (`source`).
// Whole-line comments and indentation are removed when the files are loaded.
(function () {
"use strict";
const J = JSON.stringify, P = JSON.parse, text = String, own = Object.hasOwn, keys = Object.keys, G = globalThis;
const hidden = Object.defineProperty, evaluate = eval, D = Date, M = Map;
const isArray = Array.isArray, bound = (f) => Function.prototype.call.bind(f), join = bound([].join);
// No iterators: an author's own on a prototype must not be met here.
const each = bound(M.prototype.forEach);
// S: the state. live: variables seen by the script, name -> [value, JSON text, scope]. C: context data, parsed on demand.
// first: the line on which what is not a script begins.
let S, live, C, out, count, missed, halted, warned, clock, random, globals, functions, globalsError, source, first, others,
  spoken;
for (const n of ["performance", "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry"]) delete G[n];

// Time and chance are those of the turn (clock.js, parsed when a script first looks at them).
const clockwork = (n) => eval(source[3])(n);
hidden(G, "Date", {get: () => clockwork(0), set: (v) => hidden(G, "Date", {value: v, writable: true}), configurable: true});
Math.random = () => clockwork(1)();

// The other functions and the words of errors: parsed when first asked for (see rest.js).
const rest = () => others ??= eval(source[0]);
// A script that has sent its immediate reply or missed context data has no further effects, whatever it catches.
const emit = (type, ...fields) => {
  if (halted) throw halted;
  let s = '{"type":"' + type + '"';
  for (let i = 0; i < fields.length; i += 2) s += ',"' + fields[i] + '":' + fields[i + 1];
  if (s.length >= S.left) rest().refuse("the effects of this turn exceed the limit");
  S.left -= s.length + 2;
  out[count++] = s + "}";
};
const json = (v) => {
  const t = typeof v;
  if (v instanceof D || t == "bigint" || t == "symbol" || t == "number" && v - v !== 0) v = text(v);
  return J(v) ?? "null";
};
const put = (n, v, t, scope) => {
  const most = n.startsWith("api_") ? S.outcome : S.most;
  if (t.length * 3 > most) rest().fits("variable " + n, t, most);
  emit("set", "name", J(n), "value", t, "scope", J(scope));
  live.set(n, [v ?? null, t, scope]);
};
// Objects the script changed without setting them back keep their changes within the message scope.
const flush = () => {
  each(live, (held, n) => { const v = held[0]; if (v && typeof v == "object") try {
    const changed = json(v);
    if (changed !== held[1]) put(n, v, changed, held[2]);
  } catch (e) { rest().warn("refused", "the changed object in variable " + n + " cannot be kept"); } });
};
// Lists are put together by hand: an author's toJSON on Array.prototype must not change them.
const row = (a) => a ? "[" + join(a.map((x) => J(x)), ",") + "]" : "null";
// What most bots do and some never: sending, jumping, logging.
const talk = () => spoken ??= eval(source[4]);
const list = (a) => talk().list(a), say = (t, replies) => talk().say(t, replies);

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
  getCurrentUserMessage: () => S.text,
  sendMessage: (t) => say(t),
  setTriggerNextMessage: (n) => talk().trigger(n),
  printDebugMessage: (m) => talk().log(m),
};
// Names that `botContext` has not got itself are looked up in the rest, and what is nowhere leaves a warning.
Object.setPrototypeOf(api, new Proxy({}, {get: (o, n) => typeof n == "symbol" || n in o ? o[n] : rest().find(n)}));
hidden(G, "botContext", {value: Object.freeze(api)});
hidden(G, "print", {value: (...a) => api.printDebugMessage(join(a, " ")), writable: true, configurable: true});

// Joined, not added up: the engine's Python side cannot read the ropes that additions make.
const take = (error, syntax) => join(['{"effects":[', join(out, ","), '],"error":', row(error), ',"syntax":', !!syntax,
  ',"globals":', row(globalsError), ',"missed":', row(missed), ',"halted":', !!halted, ',"clock":', clock,
  ',"left":', S.left, ',"replies":', S.replies, ',"rest":', others ? others.used() : 0, "}"], "");
const run = () => {
  let inside, panel, error;
  for (const n of keys(G)) delete G[n];
  out = []; count = 0; missed = []; halted = C = globalsError = null; warned = new M(); live = new M();
  clock = S.now; random = S.seed;
  if (S.java) rest().java();
  const failed = (e, syntax) => halted ? null : rest().describe(e, syntax);
  try { globals((f) => { inside ??= f; }); } catch (e) { globalsError = failed(e); }
  if (halted || globalsError?.[3]) return take(globalsError);
  try { panel = inside("(function(){" + S.code + "\n})"); } catch (e) { return take(failed(e, true), true); }
  try { panel(); } catch (e) { error = failed(e); }
  if (!halted) flush();
  return take(error);
};
// The way in is handed out before the first statement: functions are usable even if a statement throws. Lines from
// `first` on are not the script's: the prelude is `first`, the Global Functions come after it.
const load = (code) => {
  functions = code;
  const way = "(function(){arguments[0](function(){return eval(arguments[0])});" + "\n".repeat(first);
  try { globals = evaluate(way + code + "\n})"); } catch (e) {
    globals = evaluate(way + "})");
    return row(rest().describe(e, true));
  }
  return "null";
};
return (what, data, ...more) => {
  if (what == "rest") return first = data, (source = more).length;
  if (what == "names") return rest().names(data);
  if (what == "load") return load(P(data));
  if (what == "take") return take();
  S = P(data);
  return run();
};
})()
