"""Slots: rules that wait for an entity, and questions that its early coming answers (CB: reference/dialogs.md 2.3)."""

from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import Part, bot, dialog, go, holds, no_match, question, says, sets, starter, text
from tests.unit.dialog.talk import Talk
from tests.unit.dialog.understood import understood

SIZE = sets("size", "@SIZE")


def asked(*rules: Part) -> Talk:
    """Give a question with these rules; they lead to `thanks` or what they name."""
    made = dialog("Shop", starter("shop"), question("size?", "", *rules), text("thanks", "{$botContext.slot.size}"))
    talk = Talk(bot(made))
    talk.say("shop")
    return talk


def test_a_slot_keeps_the_words_that_stand_for_its_entity() -> None:
    talk = asked(go("next", SIZE))
    assert talk.say("the XL please", understood=understood(SIZE=("XL", "30"))) == ["XL"]
    assert talk.turn.session.session == {"slot.size": "XL"}


def test_scripts_read_a_slot_as_a_variable() -> None:
    tell = "botContext.sendMessage(botContext.getBotVariable('slot.size'))"
    made = dialog(
        "Shop", starter("shop"), question("size?", "", go("next", SIZE)), text("t", "BLANK_MESSAGE", pre=tell)
    )
    talk = Talk(bot(made))
    talk.say("shop")
    assert talk.say("XL", understood=understood(SIZE="XL")) == ["XL"]


def test_a_rule_with_a_slot_matches_only_where_its_entity_is_found() -> None:
    rules = (go("thanks", SIZE, when=says("*")), go("size?", when=no_match("Which size?")))
    talk = asked(*rules)
    assert talk.say("the big one") == ["Which size?", "size?"]
    assert talk.say("XL", understood=understood(SIZE="XL")) == ["XL"]


def test_a_slot_in_a_no_match_rule_blocks_until_it_is_filled() -> None:
    talk = asked(go("next", SIZE, when=no_match()))
    assert talk.say("the big one") == [NOT_UNDERSTOOD, "size?"]
    assert talk.say("XL", understood=understood(SIZE="XL")) == ["XL"]


def test_the_name_of_a_slot_may_be_written_as_its_template() -> None:
    for name in ("size", "slot.size", "{$botContext.slot.size}", "$botContext.slot.size"):
        talk = asked(go("next", sets(name, "@size")))
        assert talk.say("XL", understood=understood(SIZE="XL")) == ["XL"]


def flight(*before: Part) -> Talk:
    """Give a bot that asks for a city and a day."""
    city = question("city?", "", go("next", sets("city", "@CITY")))
    day = question("day?", "", go("next", sets("day", "@DAY")))
    said = text("said", "{$botContext.slot.city} on {$botContext.slot.day}", then="none")
    return Talk(bot(dialog("Fly", starter("fly*"), *before, city, day, said)))


def test_a_question_is_not_asked_whose_entity_stood_in_the_text_that_started_the_dialog() -> None:
    talk = flight()
    assert talk.say("fly to Rome", understood=understood(CITY="Rome")) == ["day?"]
    assert talk.lines("slot")[0].interaction == "city?"
    assert talk.say("Monday", understood=understood(DAY="Monday")) == ["Rome on Monday"]


def test_what_the_first_text_told_is_known_until_its_question_comes() -> None:
    talk = flight()
    assert talk.say("fly on Monday", understood=understood(DAY="Monday")) == ["city?"]
    assert talk.say("Rome", understood=understood(CITY="Rome")) == ["Rome on Monday"]
    assert flight().say("fly Monday Rome", understood=understood(DAY="Monday", CITY="Rome")) == ["Rome on Monday"]


def test_an_entity_answers_one_question_once() -> None:
    city = question("city?", "", go("next", sets("city", "@CITY")))
    again = question("again?", "", go("city?", when=says("yes")))
    talk = Talk(bot(dialog("Fly", starter("fly*"), city, again)))
    assert talk.say("fly to Rome", understood=understood(CITY="Rome")) == ["again?"]
    assert talk.say("yes") == ["city?"]


def test_a_question_that_is_skipped_obeys_the_conditions_on_variables_of_its_rule() -> None:
    rules = (go("far", sets("city", "@CITY"), holds("vip", "EXISTS")), go("next", sets("city", "@CITY")))
    made = dialog("Fly", starter("fly*"), question("city?", "", *rules), text("near", then="none"), text("far"))
    assert Talk(bot(made)).say("fly Rome", understood=understood(CITY="Rome")) == ["near"]


def test_entities_go_along_when_the_dialog_jumps_into_another() -> None:
    city = question("city?", "", go("next", sets("city", "@CITY")))
    made = (
        dialog("Fly", starter("fly*"), text("let us see", then="city?")),
        dialog("Ask", city, text("end", "{$botContext.slot.city}")),
    )
    assert Talk(bot(*made)).say("fly to Rome", understood=understood(CITY="Rome")) == ["let us see", "Rome"]


def test_a_slot_ends_with_the_scope_it_was_given() -> None:
    made = dialog(
        "Shop",
        starter("shop"),
        question("size?", "", go("next", sets("size", "@SIZE", "DIALOG"))),
        text("said", "{$botContext.slot.size}"),
    )
    talk = Talk(bot(made, dialog("After", starter("after"), text("x", "[{$botContext.slot.size}]"))))
    talk.say("shop")
    assert talk.say("XL", understood=understood(SIZE="XL")) == ["XL"]
    assert talk.say("after") == ["[]"]


def test_scripts_read_the_entities_of_a_message() -> None:
    tell = "var e = botContext.getNamedEntities('SIZE'); botContext.sendMessage(e[0].getPhrase() + ' ' + e[0].getDataValue())"
    talk = Talk(bot(dialog("Shop", starter("shop"), text("t", "BLANK_MESSAGE", pre=tell))))
    assert talk.say("shop", understood=understood(SIZE=("XL", "30"))) == ["XL 30"]


def test_loading_says_which_entities_nobody_finds() -> None:
    made = dialog("Shop", starter("shop"), question("size?", "", go("next", SIZE)))
    assert [(one.code, one.place) for one in bot(made).findings] == [("slot-without-entity", "Shop / size?")]
    assert bot(made, manifest="[entities.SIZE]\nvalues = ['XL']").findings == ()
