"""The context service as scripts see it (CB: reference/scripting.md 1.12)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import Log, NeedContext, Say, SetContext, Warn
from shared.scripting.limits import Limits
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


def test_a_whole_namespace_is_a_map_of_java(scene: Scene) -> None:
    turn = scene(context=DATA)
    whole = "botContext.getContextDataForConversation('n')"
    for expression, value in [
        ("containsKey('a') + ',' + {}.containsKey('b')", "true,false"),
        ("get('b')", "null"),
        ("getOrDefault('b', 7)", "7"),
        ("containsValue(1)", "true"),
        ("size()", "2"),
        ("isEmpty()", "false"),
        ("toString()", "{a=1, o=[object Object]}"),
        ("values()[0]", "1"),
        ("keySet().size() + ',' + {}.keySet().contains('o')", "2,true"),
        ("keySet().toArray().join('-')", "a-o"),
        ("entrySet()[0].getKey() + {}.entrySet()[0].value", "a1"),
    ]:
        assert turn.logs(f"{whole}." + expression.replace("{}", whole)) == value


def test_the_ways_to_walk_over_a_map_work(scene: Scene) -> None:
    turn = scene(context={"conversation|n": {"a": 1, "b": 2}})
    before = "var m = botContext.getContextDataForConversation('n'), seen = [];"
    for loop in [
        "for each (var k in m.keySet()) seen.push(k + m[k]);",
        "m.keySet().forEach(function (k) { seen.push(k + m.get(k)) });",
        "m.forEach(function (k, v) { seen.push(k + v) });",
        "for (var k in m) seen.push(k + m[k]);",
        "var i = m.keySet().iterator(); while (i.hasNext()) { var k = i.next(); seen.push(k + m[k]) }",
        "for each (var e in m.entrySet()) seen.push(e.getKey() + e.getValue());",
    ]:
        (effect,) = turn.run(before + loop + "botContext.printDebugMessage(seen)").effects
        assert effect == Log("a1,b2")


def test_data_named_like_a_method_of_the_map_goes_before_it(scene: Scene) -> None:
    assert (
        scene(context={"conversation|n": {"size": 9}}).logs("botContext.getContextDataForConversation('n').size") == "9"
    )


@pytest.mark.parametrize("name", ["consumer", "operational", "conversation", "faas", "custom", "sde"])
def test_reserved_namespaces_are_refused(scene: Scene, name: str) -> None:
    outcome = scene().run(
        f"botContext.sendMessage([botContext.setContextDataForUser('{name}', 'a', 1), botContext.registerContextNamespace('{name}'),"
        f"botContext.deleteGlobalContextData('{name}', 'a'), botContext.getGlobalContextData('{name}', 'a')])"
    )
    assert outcome.effects == [Warn("refused", "a context namespace has a reserved name"), Say("false,false,false,")]


@pytest.mark.parametrize("name", ["", "a-b", "a b", "a.b", "\u00e4"])
def test_namespaces_are_named_by_letters_digits_and_underscores(scene: Scene, name: str) -> None:
    outcome = scene().run(f"botContext.sendMessage(botContext.setContextDataForUser('{name}', 'a', 1))")
    assert outcome.effects == [
        Warn("refused", "a context namespace has a name of other characters than letters, digits and _"),
        Say("false"),
    ]


def test_no_script_can_name_where_the_time_to_live_is_kept(scene: Scene) -> None:
    turn = scene(context={"conversation|__namespaces": {"n": 1}})
    source = "botContext.sendMessage(String(botContext.getContextDataForConversation('__namespaces', 'n')))"
    assert turn.run(source).effects == [Warn("refused", "a context namespace has a reserved name"), Say("null")]


def test_a_namespace_holds_800_000_characters_and_what_exceeds_is_not_saved(scene: Scene) -> None:
    source = """
    var big = 'x'.repeat(390000);
    var saved = ['a', 'b', 'c', 'a'].map(function (n) { return botContext.setContextDataForConversation('n', n, big) });
    botContext.sendMessage(saved);
    botContext.sendMessage(botContext.getContextDataForConversation('n').keySet());
    """
    outcome = scene(limits=Limits(effects=8 << 20)).run(source)
    names = [effect.name for effect in outcome.effects if isinstance(effect, SetContext)]
    assert names == ["a", "b", "a"]
    assert Warn("refused", "context data n is larger than the limit: it is not saved") in outcome.effects
    assert outcome.effects[-2:] == [Say("true,true,false,true"), Say("a,b")]


def test_what_was_deleted_makes_room_in_its_namespace(scene: Scene) -> None:
    source = """
    var big = 'x'.repeat(500000), set = function () { return botContext.setContextDataForConversation('n', 'b', big) };
    botContext.setContextDataForConversation('n', 'a', big);
    botContext.sendMessage([set(), botContext.deleteContextDataForConversation('n', 'a'), set()]);
    """
    assert scene(limits=Limits(effects=8 << 20)).run(source).effects[-1] == Say("false,true,true")


def test_registering_again_changes_the_time_to_live_of_later_writes_only(scene: Scene) -> None:
    turn = scene()
    source = """
    botContext.registerContextNamespace('n', 60); botContext.setContextDataForUser('n', 'a', 1);
    botContext.registerContextNamespace('n', 30); botContext.setContextDataForUser('n', 'b', 1);
    botContext.registerContextNamespace('n'); botContext.setContextDataForUser('n', 'c', 1);
    """
    writes = [effect for effect in turn.run(source).effects if effect.scope == "user"]
    assert [(write.name, write.ttl_ms) for write in writes] == [("a", 60_000), ("b", 30_000), ("c", 30_000)]


def test_a_deleted_namespace_forgets_its_time_to_live(scene: Scene) -> None:
    turn = scene()
    turn.run("botContext.registerContextNamespace('n', 60); botContext.deleteContextNamespace('n')")
    (write,) = turn.run("botContext.setContextDataForUser('n', 'a', 1)").effects
    assert write.ttl_ms == 0


@pytest.mark.parametrize("scope", ["Global", "User", "Conversation"])
def test_every_write_and_delete_answers_true(scene: Scene, scope: str) -> None:
    data = "GlobalContextData" if scope == "Global" else f"ContextDataFor{scope}"
    turn = scene()
    assert turn.run(f"botContext.sendMessage(botContext.set{data}('n', 'a', [1]))").effects == [
        SetContext(scope.lower(), "n", "a", [1]),
        Say("true"),
    ]
    assert turn.run(f"botContext.sendMessage(botContext.delete{data}('n', 'a') === true)").effects == [
        SetContext(scope.lower(), "n", "a", delete=True),
        Say("true"),
    ]


@pytest.mark.parametrize("scope", ["user", "conversation"])
def test_all_data_of_a_consumer_or_a_conversation_can_be_deleted(scene: Scene, scope: str) -> None:
    source = f"botContext.sendMessage(botContext.deleteAllContextDataFor{scope.title()}('n'))"
    assert scene().run(source).effects == [SetContext(scope, "n", None, delete=True), Say("true")]


def test_the_context_service_is_always_enabled(scene: Scene) -> None:
    assert scene().logs("botContext.isContextApiEnabled() === true") == "true"
