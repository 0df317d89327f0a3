"""The context service as scripts see it (CB: reference/scripting.md 1.12)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import Log, NeedContext, Say, SetContext
from shared.scripting.overlay import Overlay

Scene = Callable[..., Any]
DATA = {"conversation|n": {"a": 1, "o": {"x": [1]}}, "user|n": {"u": "v"}, "global|n": {}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("getContextDataForConversation('n', 'a')", "1"),
        ("getContextDataForConversation('n', 'o').x[0]", "1"),
        ("getContextDataForConversation('n', 'nothing')", "null"),
        ("getContextDataForConversation('unheard', 'a')", "null"),
        ("getContextDataForConversation('unheard')", "null"),
        ("getContextDataForConversation('n').keySet()", "a,o"),
        ("getContextDataForConversation('n').a", "1"),
        ("getContextDataForConversation('n')['a']", "1"),
        ("getContextDataForConversation('n').get('a')", "1"),
        ("Object.keys(botContext.getContextDataForConversation('n'))", "a,o"),
        ("getContextDataForUser('n', 'u')", "v"),
        ("getContextDataForUser('n').size()", "1"),
        ("getGlobalContextData('n', 'g')", "null"),
    ],
)
def test_loaded_data_is_read_at_once(scene: Scene, expression: str, value: str) -> None:
    prefix = "" if expression.startswith("Object") else "botContext."
    assert scene().logs(prefix + expression, context=DATA) == value


def test_the_documented_loop_over_a_map_works(scene: Scene) -> None:
    source = """var map = botContext.getContextDataForConversation('n');
    for each (var k in map.keySet()) botContext.printDebugMessage(k + map[k]);
    map.keySet().forEach(function (k) { botContext.printDebugMessage(k) })"""
    assert scene().run(source, context={"conversation|n": {"a": 1}}).effects == [Log("a1"), Log("a")]


def test_a_script_that_changes_what_it_read_does_not_change_what_is_stored(scene: Scene) -> None:
    source = "botContext.getContextDataForConversation('n', 'o').x = 2;"
    outcome = scene().run(
        source + "botContext.sendMessage(botContext.getContextDataForConversation('n', 'o').x[0])", context=DATA
    )
    assert outcome.effects == [Say("1")]


MISSES = [
    ("botContext.getContextDataForUser('a', 'b')", ["user|a"]),
    ("botContext.getContextDataForUser('a')", ["user|a"]),
    ("botContext.getGlobalContextData('a', 'b')", ["global|a"]),
    ("try { botContext.getContextDataForUser('a') } catch (e) {}", ["user|a"]),
    ("try { botContext.getContextDataForUser('a') } finally { return 1 }", ["user|a"]),
    (
        "try { botContext.getContextDataForUser('a') } catch (e) { botContext.getGlobalContextData('b', 'c') }",
        ["user|a", "global|b"],
    ),
    ("while (true) { try { botContext.getGlobalContextData('a', 'b') } catch (e) {} }", ["global|a"]),
    (
        "try { botContext.getGlobalContextData('a', 'b') } catch (e) { var a = []; while (1) a.push(Array(1e5)) }",
        ["global|a"],
    ),
    ("botContext.setGlobalContextData('a', 'x', 1); botContext.getGlobalContextData('a', 'y')", ["global|a"]),
    ("botContext.deleteGlobalContextData('a', 'x'); botContext.getGlobalContextData('a', 'y')", ["global|a"]),
    ("JSON.stringify = null; Map.prototype.set = null; botContext.getGlobalContextData('a', 'b')", ["global|a"]),
]


@pytest.mark.parametrize(("source", "keys"), MISSES)
def test_data_that_is_not_loaded_ends_the_run_whatever_the_script_catches(
    scene: Scene, source: str, keys: list[str]
) -> None:
    with pytest.raises(NeedContext) as need:
        scene().run(source)
    assert need.value.keys == keys


def test_global_functions_that_read_data_not_loaded_end_the_run_too(scene: Scene) -> None:
    with pytest.raises(NeedContext) as need:
        scene("var x = botContext.getGlobalContextData('a', 'b')").run("")
    assert need.value.keys == ["global|a"]


def test_a_script_stopped_before_the_miss_is_named_so_that_it_is_not_run_again(scene: Scene) -> None:
    turn = scene()
    turn.run("while (1);")
    with pytest.raises(NeedContext) as need:
        turn.run("botContext.getGlobalContextData('a', 'b')")
    assert need.value.abandon == ["1:pre:a"]


def test_writes_are_read_back_in_the_script_and_in_the_later_scripts_of_the_turn(scene: Scene) -> None:
    turn = scene()
    source = """
    botContext.setContextDataForUser('n', 'x', {a: 1});
    botContext.setContextDataForConversation('n', 'y', null);
    botContext.sendMessage(botContext.getContextDataForUser('n', 'x').a);
    """
    written, null, said = turn.run(source).effects
    assert written == SetContext("user", "n", "x", {"a": 1})
    assert null == SetContext("conversation", "n", "y", None)
    assert said == Say("1")
    assert turn.logs("botContext.getContextDataForUser('n', 'x').a") == "1"
    assert turn.logs("botContext.getContextDataForConversation('n').keySet()") == "y"
    with pytest.raises(NeedContext):
        turn.run("botContext.getContextDataForUser('n', 'other')")
    with pytest.raises(NeedContext):  # the engine puts writes where loaded data is
        turn.run("botContext.getContextDataForUser('n')", context={"user|n": {"x": {"a": 1}}})


def test_writes_are_laid_over_what_was_loaded(scene: Scene) -> None:
    turn = scene(context=DATA)
    turn.run("botContext.setContextDataForUser('n', 'x', 1)")
    assert turn.logs("botContext.getContextDataForUser('n').keySet()") == "u,x"


def test_deletes_are_seen_in_the_script_and_in_the_later_scripts_of_the_turn(scene: Scene) -> None:
    turn = scene(context=DATA)
    source = "botContext.sendMessage(botContext.{} + '' + botContext.getContextDataForConversation('n', 'a'))"
    delete, said = turn.run(source.format("deleteContextDataForConversation('n', 'a')")).effects
    assert delete == SetContext("conversation", "n", "a", delete=True)
    assert said == Say("truenull")
    assert turn.logs("botContext.getContextDataForConversation('n').keySet()") == "o"
    (delete,) = turn.run("botContext.deleteAllContextDataForUser('n')").effects
    assert delete == SetContext("user", "n", None, delete=True)
    assert turn.logs("botContext.getContextDataForUser('n')") == "null"
    assert turn.logs("botContext.getContextDataForUser('n', 'u')") == "null"


def test_deleting_what_is_not_loaded_needs_no_loading(scene: Scene) -> None:
    turn = scene()
    turn.run("botContext.deleteContextDataForUser('n', 'a'); botContext.deleteAllContextDataForUser('m')")
    assert turn.logs("botContext.getContextDataForUser('n', 'a')") == "null"
    assert turn.logs("botContext.getContextDataForUser('m')") == "null"


def test_the_time_to_live_of_a_namespace_holds_for_later_writes(scene: Scene) -> None:
    turn = scene()
    outcome = turn.run("botContext.sendMessage(botContext.registerContextNamespace('n', 60))")
    assert outcome.effects[-1] == Say("true")
    (written,) = turn.run("botContext.setContextDataForConversation('n', 'a', 1)").effects
    assert written.ttl_ms == 60_000
    (written,) = turn.run("botContext.setContextDataForConversation('m', 'a', 1)").effects
    assert written.ttl_ms == 0


def test_a_namespace_without_time_to_live_needs_no_registration(scene: Scene) -> None:
    outcome = scene().run("if (!botContext.registerContextNamespace('n')) throw 'no'")
    assert (outcome.effects, outcome.error) == ([], None)


def test_a_deleted_namespace_is_empty_in_every_scope(scene: Scene) -> None:
    turn = scene(context=DATA)
    assert [effect.scope for effect in turn.run("botContext.deleteContextNamespace('n')").effects] == [
        "conversation",
        "user",
        "global",
    ]
    assert turn.logs("botContext.getContextDataForUser('n', 'u')") == "null"


def test_the_overlay_of_a_namespace_not_loaded_is_not_the_whole_of_it() -> None:
    overlay = Overlay()
    overlay.add([SetContext("user", "n", "a", 1), SetContext("user", "n", "b", delete=True)], [])
    assert overlay.over({}) == {"user|n": (False, {"a": 1, "b": None})}
    assert overlay.over({"user|n": {"a": 1}}) == {"user|n": (False, {"a": 1, "b": None})}
