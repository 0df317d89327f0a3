"""What scripts ask for and want, seen from a whole conversation (CB: reference/scripting.md 1, 4, 5)."""

from datetime import UTC, datetime

from shared.dialog.effects import Transfer
from tests.unit.dialog.bots import bot, dialog, go, question, starter, text
from tests.unit.dialog.talk import Talk

HOURS = """
var type = botContext.getHoursType(['OPEN~8:00~20:00', 'CLOSED~20:00~8:00', 'SUNDAY|CLOSED~0:00~23:59'], 'Europe/Paris');
botContext.setTriggerNextMessage(type == 'OPEN' ? 'agents are there' : 'nobody is there');
"""


def saying(*scripts: str) -> Talk:
    """A bot that runs these scripts, one an interaction, when somebody says hi."""
    parts = [text(f"t{n}", "BLANK_MESSAGE", pre=script) for n, script in enumerate(scripts)]
    return Talk(bot(dialog("D", starter("hi"), *parts)))


def at(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


def test_opening_hours_are_those_of_the_moment_of_the_message() -> None:
    ends = (text("agents are there", then="none"), text("nobody is there", then="none"))
    talk = Talk(bot(dialog("D", starter("hi"), text("t", "BLANK_MESSAGE", pre=HOURS), *ends)))
    for moment, said in [
        ("2026-11-23T07:30", "agents are there"),
        ("2026-11-23T06:30", "nobody is there"),
        ("2026-07-01T06:30", "agents are there"),
        ("2026-11-22T12:00", "nobody is there"),
    ]:
        talk.at = at(moment)
        assert talk.say("hi") == [said]


def test_a_bot_that_asks_the_orchestrator_takes_its_way_without_a_rule() -> None:
    talk = saying(
        "var data = JSON.parse(botContext.askMaven(botContext.getConversationId(), null, ''));"
        "botContext.sendMessage(data.rule ? data.rule.actions[0].type : data.noMatchReason)"
    )
    assert talk.say("hi") == ["NO_MATCHED_RULES"]


def test_what_another_bot_should_take_over_is_traced_and_stays_here() -> None:
    talk = saying("botContext.transferToBotDialog('bot', 'dialog', '')", "botContext.sendMessage('still here')")
    assert talk.say("hi") == ["still here"]
    assert [(line.code, line.note) for line in talk.turn.trace if line.level == "warning"] == [
        ("unsupported-function", "transferToBotDialog")
    ]
    assert not any(isinstance(effect, Transfer) for effect in talk.turn.effects)


def test_long_texts_stay_whole_until_a_later_script_takes_that_back() -> None:
    long = "botContext.sendMessage('word '.repeat(300));"
    talk = Talk(
        bot(
            dialog(
                "D",
                starter("hi"),
                question("q", "", go("whole"), pre="botContext.setAllowMaxTextResponse(true)"),
                text("whole", "BLANK_MESSAGE", pre=long),
                text("split", "BLANK_MESSAGE", pre="botContext.setAllowMaxTextResponse(false);" + long),
            )
        )
    )
    talk.say("hi")
    assert [len(said) > 1000 for said in talk.say("go on")] == [True, False, False]


def test_a_trail_kept_as_an_array_is_a_list_with_commas_in_the_next_message() -> None:
    trail = """
    var v = botContext.getBotVariable('trail');
    var list = v == null || v == 'null' || v.length === 0 ? [] : v.split(',');
    list.push(botContext.getCurrentUserMessage());
    botContext.setBotVariable('trail', list, true, false);
    botContext.sendMessage(list.join('>'));
    """
    talk = Talk(bot(dialog("D", starter("*"), text("t", "BLANK_MESSAGE", pre=trail))))
    assert [talk.say(word) for word in ("a", "b", "c")] == [["a"], ["a>b"], ["a>b>c"]]


def test_the_first_name_and_the_platform_id_are_at_hand_for_templates() -> None:
    shown = text("t", "{$firstname} {$chatBotUserPlatformId}{$location.city}")
    talk = Talk(bot(dialog("D", starter("hi"), shown)), personal_info={"firstname": "Ann"})
    assert talk.say("hi") == ["Ann consumer-1"]
    assert talk.warnings == ["unset-variable"]


def test_name_and_address_of_a_consumer_are_kept_over_sessions() -> None:
    talk = saying(
        "if (botContext.getEmail() === null) botContext.setEmail('a@b'); else botContext.sendMessage(botContext.getEmail())"
    )
    assert talk.say("hi") == []
    talk.expire()
    assert talk.say("hi") == ["a@b"]


def test_a_namespace_registered_at_the_start_limits_what_is_written_later() -> None:
    functions = "function __initConversation() { botContext.registerContextNamespace('shop', 600) }"
    write = "botContext.setContextDataForUser('shop', 'cart', [1])"
    talk = Talk(bot(dialog("D", starter("hi"), text("t", "BLANK_MESSAGE", pre=write)), functions=functions))
    talk.say("hello")
    talk.say("hi")
    (written,) = talk.turn.effects
    assert (written.namespace, written.ttl_ms) == ("shop", 600_000)  # type: ignore[union-attr]
