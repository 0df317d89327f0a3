"""Which scripts may be followed by others in the same world: those that cannot have changed it."""

import json
import os
from pathlib import Path

import pytest
import quickjs
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bot.bot import compile_bot
from shared.bot.source import read_bot
from shared.dialog.scripts import ScriptRef, ScriptState
from shared.scripting import traceless
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts
from shared.scripting.traceless import is_traceless
from shared.scripting.world import Worlds

CORPUS = sorted(Path(os.environ.get("BOTLANE_CORPUS", "../shared/corpus/bots")).glob("*.json"))  # noqa: TID251 - where the real bots are

HARMLESS = [
    "",
    "var n = Number(botContext.getBotVariable('n') || 0) + 1;\nbotContext.setBotVariable('n', n, true, false);",
    "// words\n/* more */ var a = [1, 'zwei', \"drei €\"]; a[0]; a.push(4); botContext.sendMessage(a.join(', '));",
    "count = 1; count += 2; count++; --count; if (count === 2) { botContext.printDebugMessage(count) }",
    "function f(a, b) { return a > b ? a : b } for (var i = 0; i < 3; i++) { f(i, 2) } for (const k of [1, 2]) f(k, 1);",
    "try { JSON.parse(botContext.getCurrentUserMessage()) } catch (e) { botContext.sendMessage('no') }",
    "var d = new Date(); botContext.setBotVariable('day', d.getDay()); var r = Math.random() * 10 % 3;",
    "[1, 2].map(x => x * 2).forEach(function (x) { botContext.sendMessage(x) })",
    "var o = {'a b': 1, \"c\": [2]}; var n = o ? 'x' : 'y'; switch (n) { case 'x': n++\nbreak; default: --n }",
]
TRACES = [
    "String.prototype.shout = function () { return 1 }",
    "Array.prototype.last = 1",
    "Math.x = 1",
    "var m = Math; m.x = 1",
    "var t = 'a'.trim; t.x = 1",
    "botContext.sendMessage.x = 1",
    "JSON['x'] = 1",
    "JSON['parse']",
    "var k = 'constructor'; ''[k][k]('return this')().x = 1",
    "''['con' + 'structor']",
    "[]['constructor']",
    "Number = 1",
    "NaN++",
    "var Date = 1",
    "toString.x = 1",
    "Object.freeze(1)",
    "eval('1')",
    "new Function('x = 1')()",
    "new Math.x()",
    "this.x = 1",
    "(function () { return this })().x = 1",
    "globalThis.x = 1",
    "[].push.call(Math, 1)",
    "[Math].forEach(function (m) { m.x = 1 })",
    "for (Math.x in [1]);",
    "for (Math.x of [1]);",
    "for ([Math.x] of [[1]]);",
    "[Math.x] = [1]",
    "({a: Math.x} = {a: 1})",
    "Math.x++",
    "++Math.x",
    "a\n++Math.x",
    "Math.x\n++\na",
    "Math.x--\na",
    "delete Math.abs",
    "'a'.replace(/a/, 'b')",
    "`a`",
    "\\u0065val('1')",
    "}); Math.x = 1; (function () {",
    "} function f() {",
    "a <!-- b\n",
    "a --> b",
    "with (Math) x = 1",
    "class A {}",
    "import('x')",
    "async function f() {}",
    "function* f() { yield 1 }",
    "var a = 1, # = 2",
    "'open",
    "/* open",
    "'a'.equals('b')",
    "Date.now = 1",
    "botContext.x ??= 1",
    "Math.x **= 1",
    "Math.for++",
    "Math.in = 1",
    "Math.x <<= 1",
    "Math.x ||= 1",
    "(({'constructor': f}) => f('x = 1'))(print)()",
    "(function ({\"constructor\": f}) { f('x = 1') })(print)",
    "try { throw print } catch ({'constructor': f}) { f('x = 1') }",
    "(({'\\x63onstructor': f}) => f('x = 1'))(print)",
    "(({['con' + 'structor']: f}) => f('x = 1'))(print)",
    "(({a: {['constructor']: f}}) => f('x = 1'))({a: print})",
    "(({'__proto__': p}) => p)([])",
    "++(Math.x)",
    "a\n--(Math.x)",
    "++[Math][0].x",
    "++{a: Math}.a.x",
    "++function () { return Math }().x",
    "++'a'.trim.x",
    "++1 .toFixed.x",
    "++true.valueOf.x",
    "++new Date().getDay.x",
]
DELETING = "for (const n of Object.keys(globalThis)) delete globalThis[n]"
# Everything that can be reached from the global object, with what it holds.
FINGERPRINT = """(function () {
  const seen = new Map(), all = [];
  const visit = (o) => {
    if (o === null || typeof o != "object" && typeof o != "function") return typeof o + ":" + String(o);
    if (seen.has(o)) return "#" + seen.get(o);
    const at = seen.size;
    seen.set(o, at);
    const own = Reflect.ownKeys(o).map((k) => {
      const d = Object.getOwnPropertyDescriptor(o, k);
      return String(k) + [d.writable, d.enumerable, d.configurable, visit(d.value), visit(d.get), visit(d.set)];
    });
    all.push(at + "=" + own.sort() + Object.isExtensible(o) + visit(Object.getPrototypeOf(o)));
    return "#" + at;
  };
  visit(globalThis);
  return all.join("\\n");
})()"""


def ref() -> ScriptRef:
    return ScriptRef(1, "a", "pre")


def state() -> ScriptState:
    return ScriptState(1_700_000_000_000, 7, {"n": 1})


def after(code: str, functions: str = "") -> bool:
    """Run a script, delete what is deleted before the next one, and tell whether the world is what it was."""
    context = quickjs.Context()
    context.set_time_limit(1)
    context.eval("globalThis.botContext = Object.freeze({a: Object.freeze(() => 1)});")
    context.eval("Object.defineProperty(globalThis, 'botContext', {enumerable: false, writable: false})")
    context.eval(DELETING)
    context.eval(FINGERPRINT)  # looking makes what is made lazily
    before = context.eval(FINGERPRINT)
    try:
        panel = "return eval('(function(){' + " + json.dumps(code) + " + '\\n})')"
        context.eval("(function () {" + functions + "\n" + panel + " })()()")
    except quickjs.JSException:
        return True  # such a world is not used again
    context.eval(DELETING)
    return bool(context.eval(FINGERPRINT) == before)


@pytest.mark.parametrize("code", HARMLESS)
def test_a_script_that_keeps_to_its_own_variables_is_traceless(code: str) -> None:
    assert is_traceless(code)


@pytest.mark.parametrize("code", TRACES)
def test_a_script_that_may_reach_anything_else_is_not(code: str) -> None:
    assert not is_traceless(code)


def test_every_name_the_engine_knows_is_either_pure_or_refused() -> None:
    known = set(json.loads(quickjs.Context().eval("JSON.stringify(Object.getOwnPropertyNames(globalThis))")))
    assert known <= traceless._PURE | traceless._REACHING


def test_the_fingerprint_sees_a_change_anywhere() -> None:
    assert after("var a = 1")
    for change in (
        "Math.x = 1",
        "''.trim.x = 1",
        "Object.freeze([].__proto__)",
        "delete JSON.parse",
        "NaN.x",
        "Date = 1",
    ):
        assert after(change) == (change == "NaN.x")


_WORDS = """
a b x Math JSON String Number Array Date f 1 2 'a' 'constructor' ( ) ( ) [ ] { } . . , ; ; = = += ++ -- => ? : <
! + - var let const function return for if in of new typeof delete throw try catch while trim length push map
constructor prototype call sort splice Object this x.y a.b a[0] f(a) [a] {a:1} Math.abs
({'constructor':f})=>f (({'constructor':f})=>f('Math.x=1')()) {['constructor']:f} (Math.x) (a.b) 'constructor':
"""
WORDS = ["\n", *_WORDS.split()]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_no_script_that_is_called_traceless_changes_the_world(code: str) -> None:
    if is_traceless(code):
        assert after(code)


@pytest.mark.parametrize(
    ("functions", "harmless", "traces"),
    [
        ("function bad() { Math.x = 1 } function good() { return 1 }", "good()", "bad()"),
        ("function bad() { Math.x = 1 }\nfunction way() { return inner() }\nfunction inner() { bad() }", "1", "way()"),
        ("function f() { return 1 } function f() { Math.x = 1 }", "g", "f"),
        ("function f(a = Math.x++) { }", "g()", "[1].map(f)"),
        ("var g = 1; function f() { Math.x = 1 } function h() { g = 2 }", "g; h()", "var k = f"),
        ("function f() { eval('1') }", "'f'", "f"),
    ],
)
def test_a_global_function_counts_for_who_can_call_it(functions: str, harmless: str, traces: str) -> None:
    assert is_traceless(harmless, functions)
    assert not is_traceless(traces, functions)
    assert not is_traceless(harmless, functions + "; Math.x = 1")


@pytest.mark.parametrize(
    "functions",
    [
        "var f = function () { Math.x = 1 }; f()",
        "(function f() { Math.x = 1 })()",
        "var a = 1\nfunction f() { Math.x = 1 }",  # taken for a part of the statement before it
        "if (1) function f() { Math.x = 1 }",
        "var t = 1; +function f() { Math.x = 1 }()",
        "function bad() { Math.x = 1 } bad()",
        "function bad() { Math.x = 1 } [1].map(bad)",
        "function f() { 'a'.replace(/a/, 'b') }",
    ],
)
def test_global_functions_that_do_something_when_loaded_count_for_everybody(functions: str) -> None:
    assert not is_traceless("1", functions)


FUNCTIONS = st.lists(
    st.tuples(st.sampled_from("abfx"), st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)), max_size=3
).map(lambda found: "\n".join(f"function {name}(a) {{ {body} }}" for name, body in found))


@settings(max_examples=400, deadline=None)
@given(FUNCTIONS, st.lists(st.sampled_from([*WORDS, "f()", "a(1)", "b(b)", "x"]), max_size=10).map(" ".join))
def test_no_script_that_is_traceless_with_its_global_functions_changes_the_world(functions: str, code: str) -> None:
    if is_traceless(code, functions):
        assert after(code, functions)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_the_panels_of_real_bots_do_the_same_in_a_world_that_was_used(file: Path) -> None:
    bot = compile_bot(read_bot(file))
    panels = [text for one in bot.interactions.values() for text in (one.pre, one.post, one.response) if text]
    worlds = Worlds(Limits())
    for code in (panel for panel in panels if is_traceless(panel, bot.global_functions)):
        for _ in range(2):
            used = QuickJsScripts(bot.global_functions, Limits(), worlds=worlds)
            fresh = QuickJsScripts(bot.global_functions, Limits())
            assert outcome(used, code) == outcome(fresh, code)
            used.end()


def outcome(scripts: QuickJsScripts, code: str) -> object:
    found = scripts.run(ref(), code, state())
    return found.effects, found.error, found.line, found.stopped


def test_a_world_is_kept_after_traceless_scripts_and_dropped_after_others() -> None:
    worlds = Worlds(Limits())
    first = turn(worlds, "var a = 1")
    assert turn(worlds, "b = 2") is first
    assert turn(worlds, "botContext.sendMessage(typeof b)") is first
    assert turn(worlds, "throw 1") is first
    second = turn(worlds, "Math.x = 1")
    assert second is not first
    assert turn(worlds, "var a = 1") is not second


def test_a_world_that_was_used_serves_the_same_bot_only() -> None:
    worlds = Worlds(Limits())
    first = turn(worlds, "var a = 1", "one")
    assert turn(worlds, "var a = 1", "one") is first
    assert turn(worlds, "var a = 1", "another") is not first
    assert turn(worlds, "var a = 1", "one") is first


def test_global_functions_that_leave_their_function_when_loaded_meet_no_other_bot() -> None:
    worlds = Worlds(Limits())
    turn(worlds, "var a = 1", "one", "}); Math.x = 1; (function () {")
    scripts = QuickJsScripts("", Limits(), worlds=worlds, bot="another")
    said = scripts.run(ref(), "botContext.sendMessage(typeof Math.x)", state()).effects
    assert "undefined" in repr(said)


def turn(worlds: Worlds, code: str, bot: str = "", functions: str = "") -> object:
    scripts = QuickJsScripts(functions, Limits(), worlds=worlds, bot=bot)
    scripts.run(ref(), code, state())
    world = scripts._world
    scripts.end()
    worlds.prepare()
    return world


def test_implicit_globals_do_not_outlive_their_script() -> None:
    worlds = Worlds(Limits())
    turn(worlds, "left = 1; toString = 2")
    scripts = QuickJsScripts("", Limits(), worlds=worlds)
    said = scripts.run(ref(), "botContext.sendMessage(typeof left + typeof toString)", state()).effects
    assert "undefinedfunction" in repr(said)
