// Time starts at the event and advances one millisecond with each reading; randomness is seeded. Evaluated inside the
// prelude, by parts: 0 puts `Date` in its place and gives it, 1 does so with `Math.random`.
(part) => {
  if (part) return Math.random = () => {
    random = random + 0x6D2B79F5 | 0;
    let z = Math.imul(random ^ random >>> 15, 1 | random);
    z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z;
    return ((z ^ z >>> 14) >>> 0) / 4294967296;
  };
  const Now = function Date(...a) {
    return new.target ? Reflect.construct(D, a.length ? a : [clock++], new.target) : text(new D(clock++));
  };
  Now.prototype = D.prototype;
  Now.prototype.constructor = Now;
  Now.now = () => clock++;
  Now.UTC = D.UTC;
  Now.parse = D.parse;
  hidden(G, "Date", {value: Now, writable: true, configurable: true});
  return Now;
}
