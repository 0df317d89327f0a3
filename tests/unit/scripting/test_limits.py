"""Scripts that loop, bomb memory, recurse or talk too much: they end, keep what they did, and the next one works."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import Say, Warn
from shared.scripting.limits import Limits
from shared.scripting.world import World, Worlds

Scene = Callable[..., Any]

TIME = "the script took longer than its time limit"
MEMORY = "the script used more memory than its limit"
STOPPED = [
    ("while (true) {}", TIME),
    ("while (true) { try { while (true) {} } catch (e) {} finally { continue } }", TIME),
    ("/(a+)+$/.test('a'.repeat(40) + 'b')", TIME),
    ("[1].forEach(function f() { [1].forEach(f); })", None),
    ("'a'.replace(/a/, function () { while (1); })", TIME),
    ("Promise.resolve().then(function f() { return Promise.resolve().then(f) }); while (1);", TIME),
    ("var a = []; while (1) a.push(new Array(1e6))", MEMORY),
    ("var a = []; while (1) a.push('0123456789'.repeat(1e4) + a.length)", MEMORY),
    ("var a = []; while (1) a.push(new Uint8Array(1e6))", MEMORY),
    ("var a = {}; for (var i = 0; ; i++) a['k' + i] = {i: i}", None),
    ("var a = []; a.length = 4294967295; a.fill(1)", MEMORY),
    ("'ab'.repeat(8e6).split('').sort()", MEMORY),
]


@pytest.mark.parametrize(("source", "reason"), STOPPED)
def test_a_script_over_a_limit_is_stopped_and_the_next_one_works(scene: Scene, source: str, reason: str | None) -> None:
    limits = Limits(script_seconds=5) if reason == MEMORY else Limits(script_seconds=0.1)
    turn = scene("function hello() { return 'hello' }", limits)
    outcome = turn.run("botContext.sendMessage('before');" + source)
    assert outcome.stopped or "Maximum call stack" in outcome.error
    assert reason is None or outcome.error == reason
    assert outcome.effects == [Say("before")]
    assert turn.run("botContext.sendMessage(hello())").effects == [Say("hello")]


@pytest.mark.parametrize(
    "source",
    [
        "(function f() { f() })()",
        "var a = []; for (var i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)",
        "JSON.parse('['.repeat(1e5))",
        "eval('('.repeat(1e5))",
        "new RegExp('('.repeat(1e5))",
        "var o = {get a() { return this.a }}; botContext.setBotVariable('o', o)",
    ],
)
def test_recursion_without_end_is_an_exception(scene: Scene, source: str) -> None:
    turn = scene()
    outcome = turn.run("botContext.sendMessage('before');" + source)
    assert outcome.error is not None
    assert outcome.effects[0] == Say("before")
    assert turn.run("botContext.sendMessage('after')").effects == [Say("after")]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("throw null", "null"),
        ("throw undefined", "undefined"),
        ("throw 'memory'", "memory"),
        ("throw new InternalError('no memory of it')", "InternalError: no memory of it"),
        ("[...{[Symbol.iterator]: function () { throw null }}]", "null"),
        ("for (var x of {[Symbol.iterator]: function () { return null }});", "TypeError: not an object"),
    ],
)
def test_what_a_script_throws_is_not_taken_for_a_limit(scene: Scene, source: str, message: str) -> None:
    outcome = scene().run(source)
    assert (outcome.error, outcome.stopped) == (message, False)


@pytest.mark.parametrize("kind", ["Map", "Array"])
def test_iterators_that_a_script_breaks_are_not_missed(scene: Scene, kind: str) -> None:
    source = f"{kind}.prototype[Symbol.iterator] = null; var o = {{}}; botContext.setBotVariable('o', o); o.late = 1"
    outcome = scene().run(source)
    assert outcome.error is None
    assert [effect.value for effect in outcome.effects] == [{}, {"late": 1}]


def test_what_a_script_breaks_of_its_own_world_is_named(scene: Scene) -> None:
    turn = scene()
    outcome = turn.run("Array.prototype[Symbol.iterator] = null; null.x")
    assert outcome.stopped
    assert outcome.error == "the script broke what its functions run on: TypeError: value is not iterable"
    assert turn.run("botContext.sendMessage('after')").effects == [Say("after")]


def test_recursion_can_be_caught(scene: Scene) -> None:
    outcome = scene().run("try { (function f() { f() })() } catch (e) { botContext.sendMessage(e.name) }")
    assert outcome.effects == [Say("RangeError")]


def test_global_functions_that_loop_stop_each_script_but_nothing_else(scene: Scene) -> None:
    turn = scene("while (true) {}")
    assert turn.run("botContext.sendMessage('a')").stopped
    assert turn.run("botContext.sendMessage('a')").stopped


def test_the_scripts_of_a_turn_share_one_allowance_of_time(scene: Scene) -> None:
    turn = scene(limits=Limits(script_seconds=0.1, turn_seconds=0.15))
    assert turn.run("while (1);").error == TIME
    assert turn.run("while (1);").error == TIME
    assert turn.run("botContext.sendMessage('a')").error == "the turn's scripts took longer than their time limit"


def test_a_turn_sends_a_hundred_messages_at_most(scene: Scene) -> None:
    turn = scene()
    turn.run("for (var i = 0; i < 60; i++) botContext.sendMessage(i)")
    source = "try { for (var i = 0; ; i++) botContext.sendMessage(i) } catch (e) { botContext.printDebugMessage(i + e.message) }"
    *said, warning, log = turn.run(source).effects
    assert len(said) == 40
    assert warning == Warn("refused", "a turn sends no more messages than the limit")
    assert log.text == "40" + warning.note


def test_the_effects_of_a_turn_are_bounded(scene: Scene) -> None:
    turn = scene()
    source = "while (true) botContext.printDebugMessage('x'.repeat(1e5))"
    outcome = turn.run(source)
    assert outcome.error == "RangeError: the effects of this turn exceed the limit"
    assert len(outcome.effects) == 11
    assert outcome.effects[-1] == Warn("refused", "the effects of this turn exceed the limit")
    assert len(turn.run(source).effects) == 1


def test_a_message_too_many_is_refused_again_after_a_script_was_stopped(scene: Scene) -> None:
    turn = scene(limits=Limits(script_seconds=0.1, replies=1))
    turn.run("botContext.sendMessage('a'); while (1);")
    assert turn.run("botContext.sendMessage('b')").error == "RangeError: a turn sends no more messages than the limit"


def test_a_world_is_prepared_for_the_global_functions_last_used() -> None:
    worlds = Worlds(Limits())
    worlds.prepare()
    first = worlds.take("", "var a")
    worlds.prepare()
    assert worlds.take("", "var a").global_functions == "var a"
    worlds.prepare()
    other = worlds.take("", "var b")
    assert other.global_functions == "var b"
    assert isinstance(first, World)


@pytest.mark.parametrize("broken", ["eval = function () { throw 1 }", "eval = () => 5", "eval = () => { while (1); }"])
def test_global_functions_that_break_their_world_when_parsed_end_no_process(broken: str) -> None:
    worlds = Worlds(Limits(script_seconds=0.1))
    worlds.rest = 1
    worlds.take("", f"}}); {broken}; (function () {{")
    worlds.prepare()
    worlds.prepare()
    assert isinstance(worlds.take("", ""), World)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        ("botContext.sendMessage('a')", 0),
        ("botContext.getChatBotId()", 1),
        ("botContext.getContextDataForConversation('n')", 3),
        ("botContext.isContextApiEnabled()", 5),
    ],
)
def test_what_the_last_turn_needed_is_prepared_for_the_next(scene: Scene, call: str, parts: int) -> None:
    turn = scene()
    turn.run(call)
    worlds = turn.scripts._worlds
    assert worlds.rest == parts
    worlds.prepare()
    next_turn = scene()
    next_turn.scripts._worlds = worlds
    next_turn.run("")
    assert worlds.rest == parts
