"""Variables: how long each scope lives, and what becomes of values (design section 4, "Types"; CB: scripting.md 1.1)."""

from typing import Any

import pytest

from tests.unit.dialog.bots import bot, dialog, go, question, says, sets, starter, text
from tests.unit.dialog.talk import Talk

TELL = "botContext.sendMessage(typeof botContext.getBotVariable('v') + ' ' + botContext.getBotVariable('v'))"


def remembering(script: str, **more: Any) -> Talk:
    """Give a conversation: `set` runs the script, `tell` tells the variable `v`."""
    setting = dialog(
        "Set", starter("set"), text("set!", "BLANK_MESSAGE", pre=script), text("same", "BLANK_MESSAGE", pre=TELL)
    )
    return Talk(bot(setting, dialog("Tell", starter("tell"), text("told", "BLANK_MESSAGE", pre=TELL)), **more))


def test_a_request_variable_ends_at_the_next_message() -> None:
    talk = remembering("botContext.setBotVariable('v', 1)")
    assert talk.say("set") == ["number 1"]
    assert talk.say("tell") == ["object null"]


def test_a_session_variable_ends_with_the_session() -> None:
    talk = remembering("botContext.setBotVariable('v', 'x', true)")
    assert talk.say("set") == ["string x"]
    assert talk.say("tell") == ["string x"]
    talk.expire()
    assert talk.say("tell") == ["object null"]


def test_a_variable_kept_forever_outlives_the_session_as_text() -> None:
    talk = remembering("botContext.setBotVariable('v', 7, false, true)")
    assert talk.say("set") == ["number 7"]
    assert talk.forever == {"v": 7}
    assert talk.say("tell") == ["string 7"]
    talk.expire()
    assert talk.say("tell") == ["string 7"]


def test_the_hook_of_a_new_session_reads_what_is_kept_forever_as_text() -> None:
    functions = "function __initConversation() { botContext.sendMessage(typeof botContext.getBotVariable('v')); }"
    welcome = dialog("D", starter("hi"), text("hello"))
    assert Talk(bot(welcome, functions=functions), forever={"v": 7}).say("hi") == ["string", "hello"]
    kept = bot(welcome, functions=functions, manifest="keep_types = true")
    assert Talk(kept, forever={"v": 7}).say("hi") == ["number", "hello"]


@pytest.mark.parametrize(
    ("value", "later"),
    [
        ("1", "string 1"),
        ("0.5", "string 0.5"),
        ("0", "string 0"),
        ("1e21", "string 1e+21"),
        ("true", "string true"),
        ("false", "string false"),
        ("''", "string "),
        ("'x'", "string x"),
        ("null", "object null"),
        ("[]", "string "),
        ("['a', 'b']", "string a,b"),
        ("[1, null, true]", "string 1,,true"),
        ("{a: [1]}", 'string {"a":[1]}'),
        ("[{a: 1}]", 'string [{"a":1}]'),
    ],
)
def test_what_survives_a_message_becomes_text(value: str, later: str) -> None:
    talk = remembering(f"botContext.setBotVariable('v', {value}, true)")
    talk.say("set")
    assert talk.say("tell") == [later]


def test_within_a_message_values_keep_their_type_over_interactions() -> None:
    talk = remembering("botContext.setBotVariable('v', [1, 2])")
    assert talk.say("set") == ["object 1,2"]


def test_a_bot_may_keep_types() -> None:
    talk = remembering("botContext.setBotVariable('v', {a: 1}, true)", manifest="keep_types = true")
    talk.say("set")
    assert talk.say("tell") == ["object [object Object]"]


def test_what_was_set_last_is_what_is_read() -> None:
    talk = remembering("botContext.setBotVariable('v', 'narrow'); botContext.setBotVariable('v', 'wide', true)")
    assert talk.say("set") == ["string wide"]
    talk = remembering("botContext.setBotVariable('v', 'wide', true); botContext.setBotVariable('v', 'narrow')")
    assert talk.say("set") == ["string narrow"]
    assert talk.say("tell") == ["string wide"]


def test_an_object_changed_in_place_keeps_its_change_within_the_message() -> None:
    script = "var o = {n: 1}; botContext.setBotVariable('o', o); o.n = 2; botContext.setBotVariable('v', '', true)"
    later = "botContext.sendMessage(String(botContext.getBotVariable('o').n)); botContext.getBotVariable('o').n = 3"
    again = "botContext.sendMessage(String(botContext.getBotVariable('o').n))"
    shown = dialog("D", starter("hi"), text("a", pre=script), text("b", pre=later), text("c", pre=again))
    assert Talk(bot(shown)).say("hi") == ["a", "2", "b", "3", "c"]


@pytest.mark.parametrize(
    ("scope", "later"),
    [("REQUEST", ["object null", "q"]), ("SESSION", ["string x", "q"]), ("FOREVER", ["string x", "q"])],
)
def test_a_rule_sets_a_variable_in_the_scope_it_names(scope: str, later: list[str]) -> None:
    asked = question("q", "", go("q", sets("v", "{$userMessage}", scope), when=says("x")), go("q"), pre=TELL)
    talk = Talk(bot(dialog("D", starter("hi"), asked)))
    talk.say("hi")
    assert talk.say("x") == ["string x", "q"]
    assert talk.say("y") == later
    assert talk.forever == ({"v": "x"} if scope == "FOREVER" else {})


def test_a_value_set_to_null_is_unset_for_templates() -> None:
    talk = Talk(
        bot(dialog("D", starter("hi"), text("t", "[{$botContext.v}]", pre="botContext.setBotVariable('v', null)")))
    )
    assert talk.say("hi") == ["[]"]


def test_stored_zero_and_false_and_empty_text_are_values() -> None:
    script = (
        "botContext.setBotVariable('a', 0); botContext.setBotVariable('b', false); botContext.setBotVariable('c', '')"
    )
    talk = Talk(
        bot(dialog("D", starter("hi"), text("t", "{$botContext.a} {$botContext.b} [{$botContext.c}]", pre=script)))
    )
    assert talk.say("hi") == ["0 false []"]
    assert talk.warnings == []


def test_context_data_is_loaded_when_asked_for_and_written_by_the_turn() -> None:
    script = """
        botContext.setContextDataForUser('shop', 'seen', {n: 1});
        botContext.sendMessage(String(botContext.getGlobalContextData('shop', 'open')));
        botContext.sendMessage(String(botContext.getContextDataForUser('shop', 'seen').n));
    """
    talk = Talk(bot(dialog("D", starter("hi"), text("end", pre=script))))
    talk.context["global|shop"] = {"open": "yes"}
    assert talk.say("hi") == ["yes", "1", "end"]
    assert talk.context["user|shop"] == {"seen": {"n": 1}}
    talk.expire()
    assert talk.say("hi") == ["yes", "1", "end"]


def test_environment_variables_are_read_from_the_manifest() -> None:
    script = "botContext.sendMessage(botContext.getEnvVariable('url') + ' ' + botContext.getEnvVariable('none'))"
    talk = Talk(bot(dialog("D", starter("hi"), text("end", pre=script)), manifest='[environment]\nurl = "u"'))
    assert talk.say("hi") == ["u null", "end"]


def test_a_session_begins_inside_the_message_scope_that_opens_it() -> None:
    functions = """function __initConversation() {
        botContext.setBotVariable('first', botContext.getCurrentUserMessage());
        botContext.setBotVariable('count', 2, true);
    }"""
    tell = "botContext.sendMessage(botContext.getBotVariable('first') + typeof botContext.getBotVariable('count'))"
    talk = Talk(bot(dialog("D", starter("*"), text("t", "BLANK_MESSAGE", pre=tell)), functions=functions))
    assert talk.say("hi") == ["hinumber"]
    assert talk.say("hi") == ["nullstring"]
