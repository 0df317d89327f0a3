// Sending, jumping and logging, evaluated inside the prelude when first asked for.
(function () {
const list = (a) => a == null ? [] : (isArray(a) ? a : [a]).map(text);
const say = (t, replies) => {
  if (halted) throw halted;
  if (S.replies-- <= 0) rest().refuse("a turn sends no more messages than the limit");
  emit("say", "text", J(text(t)), "quick_replies", row(list(replies)));
};
return {
  list, say,
  trigger: (n) => emit("trigger", "interaction", n == null ? "null" : J(text(n))),
  log: (m) => emit("log", "text", J(m && typeof m == "object" ? rest().shown(m) : text(m))),
};
})()
