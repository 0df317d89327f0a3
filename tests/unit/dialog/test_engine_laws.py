"""The laws of the engine, on bots and conversations made at random (see the head of shared/dialog/engine.py).

`Talk` holds every turn to the first two laws; here no bot, however wrong, may make a turn fail.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bot.model import Bot
from shared.dialog.scripts import (
    AddQuickReplies,
    Delay,
    Say,
    ScriptEffect,
    ScriptOutcome,
    ScriptRef,
    ScriptState,
    SetVariable,
    Stop,
    Trigger,
)
from tests.unit.dialog.bots import (
    Part,
    api,
    bot,
    call,
    dialog,
    fallback,
    finds,
    go,
    integration,
    interaction,
    no_match,
    question,
    says,
    sets,
    starter,
    text,
)
from tests.unit.dialog.talk import Talk


class WrittenScripts:
    """Scripts whose source is the JSON text of their effects."""

    def run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Return the effects that are written there."""
        return ScriptOutcome(msgspec.json.decode(source, type=list[ScriptEffect]))


NAMES = [f"{dialog_name}{at}" for dialog_name in "abcf" for at in range(4)]
_targets = st.sampled_from(["next", "next", "none", "close_dialog", "nowhere", "dialog:a", "dialog:c", *NAMES])
_texts = st.sampled_from(
    ["a", "b", "yes", "BLANK_MESSAGE", "{$botContext.v}", "{Store.x} {$.api_Store.x}", "{$userMessage}"]
)
_effects = st.one_of(
    st.builds(Say, _texts),
    st.builds(Trigger, st.sampled_from([None, "nobody", "platform.default", *NAMES])),
    st.builds(
        SetVariable,
        st.sampled_from(["v", "skipPreviousDialog"]),
        st.sampled_from(["true", None, 1, [1], {"a": 1}]),
        st.sampled_from(["request", "session", "forever"]),
    ),
    st.builds(AddQuickReplies, st.just(["A~a"])),
    st.builds(Delay, st.integers(0, 99)),
    st.just(Stop()),
)
_script = st.just("") | st.lists(_effects, min_size=1, max_size=2).map(lambda made: msgspec.json.encode(made).decode())
_conditions = st.sampled_from(
    [None, says("a"), says("y*"), finds("[ab]"), no_match("what?"), api("SUCCESS"), api("FAILURE")]
)
_rules = st.lists(
    st.builds(lambda then, when, value: go(then, sets("v", value, "DIALOG"), when=when), _targets, _conditions, _texts),
    max_size=3,
).map(tuple)


@st.composite
def _interactions(draw: Callable[[Any], Any], name: str) -> Part:
    more = {"pre": draw(_script), "post": draw(_script), "response": draw(_script)}
    match draw(st.integers(0, 5)):
        case 0:
            return text(name, draw(_texts), then=draw(_targets), **more)
        case 1:
            return call(name, draw(st.sampled_from(["Store", "Nobody"])), *draw(_rules), **more)
        case 2:
            return interaction("STRUCTURED", name, {"title": draw(_texts)}, draw(_rules), **more)
        case 3:
            return interaction("ESCALATION", name, {"text": draw(_texts)}, draw(_rules), **more)
        case _:
            return question(name, draw(_texts), *draw(_rules), **more)


@st.composite
def _bots(draw: Callable[[Any], Any]) -> Bot:
    def members(name: str) -> list[Part]:
        return [draw(_interactions(f"{name}{at}")) for at in range(draw(st.integers(1, 4)))]

    dialogs = [dialog(name, starter(name, pre=draw(_script)), *members(name)) for name in "abc"]
    if draw(st.booleans()):
        dialogs.append(fallback(*members("f")))
    return bot(*dialogs, integrations=(integration("Store", fields={"x": "api_Store.x[i]"}),))


_events = st.lists(st.sampled_from(["a", "b", "c", "yes", "what?", "form", "new session"]), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_bots(), _events, st.booleans())
def test_no_bot_and_no_conversation_make_a_turn_fail(made: Bot, events: list[str], answered: bool) -> None:
    talk = Talk(made, scripts=WrittenScripts())
    for event in events:
        if event == "new session":
            talk.expire()
            talk.conversation = msgspec.structs.replace(talk.conversation, status="open")
        elif event == "form":
            talk.post({"a": "1"}, "a")
        else:
            talk.say(event)
        _holds_together(talk)
        for _ in range(12):
            if talk.call is None:
                break
            talk.answer(200, {"x": [1, 2]}) if answered else talk.fail()
            _holds_together(talk)
        assert talk.call is None, "calls never end"


def _holds_together(talk: Talk) -> None:
    position = talk.turn.session.position
    dialogs = [frame.dialog_id for frame in position.stack]
    assert len(dialogs) == len(set(dialogs)), "a dialog is on the stack twice"
    assert position.question is None or position.call is None
    waiting = position.question or position.call
    if waiting is not None:
        assert position.stack[-1].interaction_id == waiting
        assert position.stack[-1].dialog_id == talk.bot.interactions[waiting].dialog_id
    else:
        assert position.stack == []
    assert (talk.call is not None) <= (position.call is not None)
    assert len(talk.replies) <= 100


def test_without_its_values_a_trace_tells_nothing_that_was_said() -> None:
    functions = "function __initConversation() { botContext.setBotVariable('kept', 'secret-init', true); }"
    script = """
        botContext.printDebugMessage('secret-log'); botContext.sendMessage('secret-said');
        botContext.sendPrivateMessage('secret-private'); botContext.logCustomEvent('secret-a', 'secret-b', 'secret-c');
        botContext.setTriggerNextMessage('secret-name'); throw new Error('secret-error');
    """
    asked = question(
        "q", "{$userMessage} {$botContext.none}", go("next", sets("v", "{$userMessage}")), pre=script, response=script
    )
    store = integration("Store", script=script, fields={"x": "api_Store.x"})
    talk = Talk(
        bot(
            dialog("D", starter("*"), asked, call("c", "Store", pre=script), text("end", "{Store.x}")),
            integrations=(store,),
            functions=functions,
        )
    )
    traces = []
    events: tuple[Callable[[], Any], ...] = (
        lambda: talk.say("secret-message", payload="secret-payload"),
        lambda: talk.post({"form": "secret-form"}),
        lambda: talk.say("secret-answer"),
        lambda: talk.answer(200, {"x": "secret-body"}, address="https://api.example.com/secret-address"),
    )
    for happen in events:
        happen()
        traces += [msgspec.structs.replace(line, values={}) for line in talk.turn.trace]
    assert len(traces) > 20
    assert talk.texts[-1] == "secret-body"
    assert b"secret" not in msgspec.json.encode(traces)


def test_time_and_chance_are_those_of_the_event() -> None:
    script = "botContext.sendMessage([Math.random(), new Date().getTime(), new Date() - new Date()].join(' '))"
    made = bot(dialog("D", starter("hi"), text("t", "BLANK_MESSAGE", pre=script)))
    one, same, other = Talk(made), Talk(made), Talk(made, id="0-c2")
    assert one.say("hi") == same.say("hi") != other.say("hi")
    first, second = one.texts[0].split(), one.say("hi")[0].split()
    assert first[1] == str(same.at)
    assert int(second[1]) - int(first[1]) == 1000
    assert first[2] == "-1"
    assert first[0] != second[0]


def test_a_bot_is_never_changed_by_its_conversations() -> None:
    parts = (dialog("D", starter("hi"), question("q"), call("c", "Store"), text("end")), fallback(text("sorry")))
    made = bot(*parts, integrations=(integration("Store", fields={"x": "api_Store.x[i]"}),))
    talk = Talk(made)
    for said in ("what?", "hi", "x"):
        talk.say(said)
    talk.answer(200, {"x": [1]})
    assert made == bot(*parts, integrations=(integration("Store", fields={"x": "api_Store.x[i]"}),))
