"""What authors write, and expect to work."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import Log, Say, ScriptRef, ScriptState, SetVariable, Warn
from shared.scripting.dialect import without_for_each

Scene = Callable[..., Any]


def texts(outcome: Any) -> list[str]:
    assert outcome.error is None, outcome.error
    return [effect.text for effect in outcome.effects]


def test_a_return_outside_any_function_ends_the_script(scene: Scene) -> None:
    assert texts(scene().run("botContext.sendMessage('a'); if (true) return; botContext.sendMessage('b')")) == ["a"]


def test_a_last_line_may_be_a_comment(scene: Scene) -> None:
    assert texts(scene().run("botContext.sendMessage('a') // bye")) == ["a"]


def test_implicit_globals_work_and_end_with_the_script(scene: Scene) -> None:
    turn = scene("function later() { return typeof counter }")
    assert texts(turn.run("counter = 1; counter++; botContext.sendMessage(counter + later())")) == ["2number"]
    assert texts(turn.run("botContext.sendMessage(typeof counter)")) == ["undefined"]


def test_helpers_on_prototypes_work(scene: Scene) -> None:
    source = """
    Array.prototype.contains = function (x) { return this.indexOf(x) >= 0 };
    if (!String.prototype.shout) String.prototype.shout = function () { return this.toUpperCase() };
    botContext.sendMessage([1, 2].contains(2) + 'a'.shout());
    botContext.setBotVariable('list', [1, 2]);
    """
    assert scene().run(source).effects == [Say("trueA"), SetVariable("list", [1, 2], "request")]


def test_a_to_json_on_prototypes_changes_no_effect(scene: Scene) -> None:
    source = "Array.prototype.toJSON = String.prototype.toJSON = function () { return 'spoilt' };"
    outcome = scene().run(source + "botContext.sendMessage('a'); botContext.addQuickReplies('b')")
    assert outcome.effects[0] == Say("a")


def test_what_one_script_does_to_global_functions_is_gone_in_the_next(scene: Scene) -> None:
    turn = scene("var settings = {n: 1}; function f() { return settings.n }")
    assert texts(turn.run("settings.n = 2; f = (g => () => g() + 'x')(f); botContext.sendMessage(f())")) == ["2x"]
    assert texts(turn.run("botContext.sendMessage(f())")) == ["1"]


def test_the_next_turn_has_a_world_of_its_own(scene: Scene) -> None:
    scene().run("Array.prototype.mine = 1; JSON.parse = null; Math.random = null")
    assert scene().logs("[].mine + typeof JSON.parse + typeof Math.random") == "undefinedfunctionfunction"


def test_global_functions_that_throw_leave_all_declared_functions_usable(scene: Scene) -> None:
    turn = scene("before();\nthrow new Error('kaput');\nfunction before() {}\nfunction after() { return 'usable' }")
    first = turn.run("botContext.sendMessage(after())")
    assert first.effects == [
        Say("usable"),
        Warn("script-failed", "the Global Functions failed while loading, line 2: Error"),
    ]
    assert turn.run("botContext.sendMessage(after())").effects == [Say("usable")]


def test_loading_global_functions_alone_says_what_is_wrong_with_them(scene: Scene) -> None:
    outcome = scene("\n\nthrow new Error('kaput')").run("", "global")
    assert (outcome.error, outcome.line, outcome.stopped) == ("Error: kaput", 3, False)
    outcome = scene("\nfunction {").run("", "global")
    assert (outcome.error, outcome.line) == ("SyntaxError: function name expected", 2)
    assert scene("function f() {}").run("", "global").error is None


def test_scripts_run_without_global_functions_that_cannot_be_parsed(scene: Scene) -> None:
    outcome = scene("function {").run("botContext.sendMessage('a')")
    assert outcome.effects == [
        Say("a"),
        Warn("script-failed", "the Global Functions failed while loading, line 1: SyntaxError"),
    ]


def test_every_kind_of_declaration_in_the_global_functions_is_seen(scene: Scene) -> None:
    turn = scene(
        "var a = 1; let b = 2; const c = 3; class D { static e = 4 } f = 5; var g = () => 6; return; function h() {}"
    )
    assert texts(turn.run("botContext.sendMessage([a, b, c, D.e, f, g(), typeof h])")) == ["1,2,3,4,5,6,function"]


def test_line_ends_and_marks_of_editors_do_no_harm(scene: Scene) -> None:
    outcome = scene("\ufefffunction f() {}\r\n").run("\ufeff// one\r\nbotContext.sendMessage('a')\r\n\u2028null.x")
    assert (outcome.effects, outcome.line) == ([Say("a")], 4)


def test_the_hook_of_a_new_session_runs_if_it_is_declared(scene: Scene) -> None:
    turn = scene("function __initConversation() { botContext.setBotVariable('a', 1, true) }")
    assert turn.run("", "init").effects == [SetVariable("a", 1, "session")]
    assert scene("var x").run("", "init").effects == []


@pytest.mark.parametrize(
    ("source", "error", "line"),
    [
        ("\n\nnull.x", "TypeError: cannot read property 'x' of null", 3),
        ("a b", "SyntaxError: expecting ';'", 1),
        ("\nfunction f() {\n throw new RangeError('far') }\nf()", "RangeError: far", 3),
        ("\nthrow 'text'", "text", 0),
        ("\n\ndeep()", "TypeError: x (in the Global Functions, line 2)", 3),
        ("\nJSON.parse('{')", "SyntaxError: ", 2),
        ("\nbotContext.sendMessage(Symbol.iterator, {toString: null}.x.y)", "TypeError: ", 2),
    ],
)
def test_an_exception_is_told_with_its_line_in_the_script(scene: Scene, source: str, error: str, line: int) -> None:
    outcome = scene("\nfunction deep() { throw new TypeError('x') }").run("botContext.sendMessage('kept');" + source)
    assert outcome.error.startswith(error)
    assert outcome.line == line
    assert not outcome.stopped
    assert outcome.effects == ([] if "SyntaxError: exp" in error else [Say("kept")])


def test_an_exception_that_resists_being_shown_is_told_all_the_same(scene: Scene) -> None:
    outcome = scene().run("throw {toString: function () { throw 1 }}")
    assert outcome.error == "an exception that cannot be shown"


def test_for_each_works_as_in_conversation_builder(scene: Scene) -> None:
    source = "for each (var x in [1, ')', f(2)]) botContext.sendMessage(x);\nfor each(y in {a: 4}) { botContext.sendMessage(y) }"
    turn = scene("function f(x) { for each (var y in [x]) return y + 1 }")
    assert texts(turn.run(source)) == ["1", ")", "3", "4"]
    assert texts(turn.run("for each (let x in [5]) for each (const y in [6]) botContext.sendMessage(x + y)")) == ["11"]


@pytest.mark.parametrize("source", ["// for each (x in y", "for each (var a in b", "each (x in y)"])
def test_what_is_no_whole_for_each_is_left_alone(source: str) -> None:
    assert without_for_each(source) == source


def test_the_clock_starts_at_the_event_and_each_reading_takes_a_millisecond(scene: Scene) -> None:
    turn = scene()
    assert turn.logs("[Date.now(), +new Date(), new Date().getTime(), new Date(5).getTime()]") == (
        "1700000000000,1700000000001,1700000000002,5"
    )
    assert turn.logs("Date.now()") == "1700000000003"
    assert turn.logs("typeof Date() + (new Date() instanceof Date) + Date.UTC(1970, 0) + Date.parse('1970-01-01')") == (
        "stringtrue00"
    )


def test_a_script_that_waits_by_looking_at_the_clock_ends(scene: Scene) -> None:
    assert scene().run("var end = Date.now() + 2000; while (Date.now() < end) {}").error is None


@pytest.mark.parametrize("reading", ["(new Date(0)).constructor.now()", "Reflect.construct(Date, []).getTime()"])
def test_there_is_no_other_clock(scene: Scene, reading: str) -> None:
    assert scene().logs(reading) == "1700000000000"


def test_randomness_repeats_with_the_turn_and_differs_between_its_scripts(scene: Scene) -> None:
    source = "[Math.random(), Math.random()]"
    one, other = scene(), scene()
    first, second = one.logs(source), one.logs(source)
    assert (other.logs(source), other.logs(source)) == (first, second)
    assert first != second
    assert scene(seed=8).logs(source) != first
    assert all(0 <= float(number) < 1 for number in first.split(","))


def test_nothing_that_could_reach_outside_exists(scene: Scene) -> None:
    names = ["require", "process", "std", "os", "fetch", "setTimeout", "console", "performance", "Atomics", "WeakRef"]
    source = "[" + ",".join(f"typeof {name}" for name in names) + "]"
    assert set(scene().logs(source).split(",")) == {"undefined"}


@pytest.mark.parametrize(
    "escape",
    [
        "botContext.constructor.constructor('return this')().process",
        "botContext.getBotVariable.constructor('return typeof require')()",
        "eval('typeof globalThis.Python')",
        "(0, eval)('this.__builtins__')",
        "botContext.sendMessage.__globals__",
        "botContext.__class__",
        "Object.getPrototypeOf(botContext).__class__",
        "arguments.callee.caller",
    ],
)
def test_there_is_no_way_out(scene: Scene, escape: str) -> None:
    outcome = scene().run(f"botContext.printDebugMessage(String({escape}))")
    said = [effect.text for effect in outcome.effects if isinstance(effect, Log)]
    assert outcome.error or set(said) <= {"undefined", "null"} or "=>" in said[0]


def test_imports_never_arrive(scene: Scene) -> None:
    source = "import('/etc/hostname').then(m => botContext.sendMessage('in')); botContext.sendMessage('on')"
    assert scene().run(source).effects == [Say("on")]


def test_bot_context_cannot_be_changed(scene: Scene) -> None:
    source = """
    try { botContext.sendMessage = null } catch (e) {}
    try { delete botContext.sendMessage } catch (e) {}
    try { Object.defineProperty(botContext, 'sendMessage', {value: null}) } catch (e) {}
    try { Object.setPrototypeOf(botContext, null) } catch (e) {}
    try { botContext = null } catch (e) {}
    try { delete this.botContext } catch (e) {}
    botContext.sendMessage('still there');
    """
    turn = scene()
    assert texts(turn.run(source)) == ["still there"]
    assert texts(turn.run("botContext.sendMessage(botContext.isContextApiEnabled())")) == ["true"]


def test_announcements_go_around_each_script(scene: Scene) -> None:
    from shared.scripting.limits import Limits
    from shared.scripting.runtime import QuickJsScripts

    heard: list[str] = []
    scripts = QuickJsScripts("", Limits(), heard.append)
    scripts.run(ScriptRef(1, "a:b", "pre"), "", ScriptState(0, 0, {}))
    scripts.run(ScriptRef(2, "c", "post"), "throw 1", ScriptState(0, 0, {}))
    assert heard == ["1:pre:a:b", "", "2:post:c", ""]
