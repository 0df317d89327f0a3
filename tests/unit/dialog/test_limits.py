"""What is larger than a turn or a session may be is refused and traced; nothing of it fails the turn (design 4)."""

import msgspec

from shared.dialog.texts import NO_RESULT
from tests.unit.dialog.bots import bot, call, dialog, go, integration, question, sets, starter, text, tiled
from tests.unit.dialog.talk import Talk


def setting(*names: str) -> str:
    """Return a script that sets session variables to long texts."""
    long = "new Array(200001).join('x')"
    return "".join(f"botContext.setBotVariable('{name}', {long}, true);" for name in names)


def stored(talk: Talk) -> int:
    return len(msgspec.msgpack.encode(talk.turn.session))


def test_a_message_over_a_megabyte_is_refused() -> None:
    tiles = [{"title": "{$botContext.v}"}] * 9
    talk = Talk(bot(dialog("D", starter("hi", pre=setting("v")), tiled("STRUCTURED", "s", *tiles), text("end"))))
    assert talk.say("hi") == []
    assert talk.warnings == ["refused"]
    assert talk.say("on") == ["end"]


def test_a_call_that_would_carry_too_much_fails() -> None:
    store = integration("Store", method="POST", postBody="".join(f"{{$botContext.v{at}}}" for at in range(6)))
    filled = dialog("D", starter("fill", pre=setting("v0", "v1", "v2")), text("filled"))
    called = dialog("C", starter("call"), call("c", "Store", pre=setting("v3", "v4", "v5")), text("then"))
    talk = Talk(bot(filled, called, integrations=(store,)))
    talk.say("fill")
    assert talk.say("call") == [NO_RESULT, "then"]
    assert talk.call is None
    assert talk.warnings == ["refused", "call-failed"]


def test_a_session_that_is_full_refuses_more_and_goes_on() -> None:
    fill = "botContext.setBotVariable(botContext.getCurrentUserMessage(), new Array(200001).join('x'), true)"
    talk = Talk(bot(dialog("D", starter("*"), text("t", pre=fill))))
    for at in range(22):
        assert talk.say(f"n{at}") == ["t"]
    assert "refused" in talk.warnings
    assert stored(talk) < 4 << 20


def test_a_rule_cannot_make_a_variable_larger_than_one_may_be() -> None:
    asked = question("q", "", go("q", sets("v", "{$botContext.v}{$botContext.v}"), sets("w", "kept")), pre=setting("v"))
    talk = Talk(bot(dialog("D", starter("hi"), asked)))
    talk.say("hi")
    assert talk.say("again") == ["q"]
    assert talk.warnings == ["refused"]
    assert [line.note for line in talk.turn.trace if line.code == "refused"] == [
        "variable v would be larger than 256 KiB: it is not set"
    ]
    assert len(talk.turn.session.session["v"]) == 200_000
    assert talk.turn.session.session["w"] == "kept"


def test_forms_cannot_fill_a_session_beyond_its_room() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("t", "hello"))))
    for at in range(8):
        talk.post({f"name{at}": "x" * 900_000})
    assert "refused" in talk.warnings
    assert stored(talk) < 4 << 20
    talk.post({"name0": "short"})
    assert talk.turn.session.web_view["name0"] == "short"
    assert talk.say("hi") == ["hello"]


def test_custom_fields_cannot_fill_a_session_beyond_its_room() -> None:
    fields = {f"f{at}": "api_Store.x" for at in range(9)}
    talk = Talk(
        bot(
            dialog("D", starter("hi"), call("c", "Store"), text("then")),
            integrations=(integration("Store", fields=fields),),
        )
    )
    talk.say("hi")
    assert talk.answer(200, {"x": "y" * 900_000}) == ["then"]
    assert "refused" in talk.warnings
    assert stored(talk) < 4 << 20


def test_context_data_grow_only_so_far_and_can_be_deleted_again() -> None:
    keep = (
        "botContext.setContextDataForConversation("
        "'ns', botContext.getCurrentUserMessage(), new Array(200001).join('x'))"
    )
    drop = "botContext.deleteAllContextDataForConversation('ns')"
    talk = Talk(bot(dialog("E", starter("drop"), text("u", pre=drop)), dialog("D", starter("*"), text("t", pre=keep))))
    for at in range(6):
        assert talk.say(f"n{at}") == ["t"]
    assert talk.warnings == ["refused"]
    assert sorted(talk.context["conversation|ns"]) == ["n0", "n1", "n2"]
    talk.say("drop")
    talk.say("n9")
    assert talk.warnings == []


def test_a_long_trace_says_that_it_is_cut() -> None:
    chatty = "for (var i = 0; i < 600; i++) botContext.printDebugMessage(i)"
    talk = Talk(bot(dialog("D", starter("hi"), text("t", pre=chatty))))
    assert talk.say("hi") == ["t"]
    assert talk.turn.trace[-1].note == "the trace of this turn ends here: it is too long"
    assert talk.warnings == ["refused"]


BIG = "1" + "0" * 30


def test_numbers_that_no_session_holds_come_from_bodies_cards_and_controls() -> None:
    store = integration("Store", fields={"big": "api_Store.big", "deep": "api_Store.deep"}, url="https://x/{$.api_A.b}")
    card = f'{{"type":"vertical","elements":[],"big":{BIG}}}'
    shown = tiled("UNIVERSAL", "card", {"universalWidget": {"leMessageJson": card}})
    tapped = tiled("BUTTON", "tap", {"text": "t", "buttons": [{"name": "a", "callback": "a", "metadata": [int(BIG)]}]})
    talk = Talk(bot(dialog("D", starter("hi"), call("c", "Store"), shown, tapped), integrations=(store,)))
    talk.say("hi")
    talk.answer(200, f'{{"big":{BIG},"deep":1}}')
    assert talk.turn.session.results["Store.big"] == BIG
    assert talk.contents() == [{"type": "vertical", "elements": [], "big": 1e30}]
    talk.say("on")
    assert talk.contents()[0]["elements"][1]["click"]["metadata"] == [1e30]


def test_what_is_nested_without_end_is_not_read() -> None:
    store = integration("Store", fields={"deep": "api_Store.deep"})
    talk = Talk(
        bot(dialog("D", starter("hi"), call("c", "Store"), text("then", "{Store.deep}!")), integrations=(store,))
    )
    talk.say("hi")
    assert talk.answer(200, '{"deep":' + "[" * 200 + "]" * 200 + "}") == ["!"]
