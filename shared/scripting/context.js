// The context service: evaluated inside rest.js when one of these functions is first asked for.
(function () {
// C maps "scope|namespace" to [whole, {name: value}, characters]; reading what is not there ends the run.
const stored = (scope, ns) => {
  C ??= P(S.context);
  const k = scope + "|" + ns;
  return own(C, k) ? C[k] : C[k] = [scope == "conversation", {}];
};
// Where the time to live of namespaces is kept, with the conversation's own data: no script can name it.
const TTL = "__namespaces";
const usable = (ns) => {
  const why = !/^\w+$/.test(ns) ? "has a name of other characters than letters, digits and _"
    : /^(consumer|operational|conversation|faas|custom|sde|__namespaces)$/.test(ns) ? "has a reserved name" : "";
  if (why) warn("refused", "a context namespace " + why);
  return !why;
};
const copy = (v) => v && typeof v == "object" ? P(J(v)) : v ?? null;
const add = (o, methods) => { for (const n of keys(methods)) own(o, n) || hidden(o, n, {value: methods[n]}); return o; };
// A list that can be used as Java's sets and lists, too.
const collection = (a) => add(a, {
  size: () => a.length, isEmpty: () => !a.length, contains: (v) => a.includes(v), get: (i) => a[i], toArray: () => a,
  iterator: () => { let i = 0; return {hasNext: () => i < a.length, next: () => a[i++]}; },
});
const asMap = (map) => add(map, {
  keySet: () => collection(keys(map)),
  values: () => collection(keys(map).map((n) => map[n])),
  entrySet: () => collection(keys(map).map((key) => ({key, value: map[key], getKey: () => key, getValue: () => map[key]}))),
  get: (n) => own(map, n) ? map[n] : null,
  getOrDefault: (n, other) => own(map, n) ? map[n] : other,
  containsKey: (n) => own(map, n),
  containsValue: (v) => keys(map).some((n) => map[n] === v),
  forEach: (f) => keys(map).forEach((n) => f(n, map[n])),
  size: () => keys(map).length,
  isEmpty: () => !keys(map).length,
  toString: () => "{" + keys(map).map((n) => n + "=" + map[n]).join(", ") + "}",
});
const read = (scope, ns, name) => {
  if (!usable(ns = text(ns))) return null;
  const [whole, data] = stored(scope, ns);
  if (name !== undefined) return own(data, name) ? copy(data[name]) : whole ? null : miss(scope + "|" + ns);
  if (!whole) miss(scope + "|" + ns);
  return keys(data).length ? asMap(copy(data)) : null;
};
const put = (scope, ns, name, v, ttl) => {
  const t = json(v), c = stored(scope, ns), held = c[1];
  c[2] ??= J(held).length;
  const size = c[2] + name.length + t.length + 4 - (own(held, name) ? J(held[name]).length + name.length + 4 : 0);
  if (size > 800000 || S.context.length + t.length > 2e6) {
    warn("refused", "context data " + ns + " is larger than the limit: it is not saved");
    return false;
  }
  emit("context", "scope", J(scope), "namespace", J(ns), "name", J(name), "value", t, "ttl_ms", J(ttl));
  held[name] = P(t);
  c[2] = size;
  return true;
};
// Time to live is a property of a namespace from its registration on.
const write = (scope, ns, name, v) => {
  if (!usable(ns = text(ns))) return false;
  const ttl = stored("conversation", TTL)[1];
  return put(scope, ns, text(name), v, own(ttl, ns) ? ttl[ns] : 0);
};
const erase = (scope, ns, name) => {
  emit("context", "scope", J(scope), "namespace", J(ns), "name", J(name), "delete", "true");
  const c = stored(scope, ns);
  c[2] = undefined;
  if (name === null) { c[0] = true; c[1] = {}; }
  else if (c[0]) delete c[1][name];
  else c[1][name] = null;
  return true;
};
const remove = (scope, ns, name) => usable(ns = text(ns)) && erase(scope, ns, name);

const functions = {
  registerContextNamespace(ns, seconds) {
    if (!usable(ns = text(ns))) return false;
    return seconds > 0 ? put("conversation", TTL, ns, Math.round(seconds * 1000), 0) : true;
  },
  deleteContextNamespace(ns) {
    if (!usable(ns = text(ns))) return false;
    for (const scope of ["conversation", "user", "global"]) erase(scope, ns, null);
    if (own(stored("conversation", TTL)[1], ns)) erase("conversation", TTL, ns);
    return true;
  },
  getGlobalContextData: (ns, name) => read("global", ns, text(name)),
  setGlobalContextData: (ns, name, v) => write("global", ns, name, v),
  deleteGlobalContextData: (ns, name) => remove("global", ns, text(name)),
};
for (const [n, scope] of [["ContextDataForUser", "user"], ["ContextDataForConversation", "conversation"]]) {
  functions["get" + n] = (ns, name) => read(scope, ns, name);
  functions["set" + n] = (ns, name, v) => write(scope, ns, name, v);
  functions["delete" + n] = (ns, name) => remove(scope, ns, text(name));
  functions["deleteAll" + n] = (ns) => remove(scope, ns, null);
}
return functions;
})()
