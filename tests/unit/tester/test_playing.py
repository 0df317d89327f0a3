"""Steps, played against the example bots."""

import json
from pathlib import Path

import pytest

from tests.journeys.browser.form_pages import SAFE, form_bot
from tests.unit.dialog.bots import dialog, export, starter, text
from tests.unit.tester.writing import FORMS, failure, play

ORDER = 'stubs: {Orders: {json: {number: "1001", state: packed, items: [{code: L-20, name: Lamp}]}}}'


def test_a_conversation_that_keeps_its_word_passes(tmp_path: Path) -> None:
    steps = """
        - user: order
        - bot: {contains: order number}
        - user: "1001"
        - bot: {interaction: order_text}
        - bot: {rich: {type: vertical, "elements[0].text": Lamp}}
        - variables: {orderNumber: 1001, orderState: packed, returnCode: null}
        - user: {tap: 1}
        - variables: {returnCode: L-20}
        - bot: {interaction: return_text, matches: "L-\\\\d+"}
        - bot: {quick_replies: [Another order, That is all]}
        - user: {tap: That is all}
        - bot: {interaction: bye_text}
        - closed: {survey: false}
    """
    played = play(tmp_path, steps, more=ORDER)
    assert played.failure is None
    assert played.steps == 13


def test_another_text_fails_with_both_beside_each_other(tmp_path: Path) -> None:
    played = play(tmp_path, "- user: hi\n- bot: Good evening!")
    assert played.failure is not None
    assert (played.failure.place.line, played.failure.expected) == (6, "Good evening!")
    assert played.failure.heard == "Hello! I can tell you where your order is."


def test_what_the_bot_says_beyond_the_test_fails_it(tmp_path: Path) -> None:
    assert "the bot says more than the test expects" in failure(tmp_path, "- user: hi\n- bot: {contains: Hello}")


def test_a_step_that_hears_nothing_lets_the_bot_say_anything(tmp_path: Path) -> None:
    assert play(tmp_path, "- user: hi\n- user: what\n- user: order\n- bot: {interaction: ask_number}").failure is None


def test_silence_where_something_was_expected_fails(tmp_path: Path) -> None:
    steps = "- user: order\n- bot: {interaction: ask_number}\n- bot: {contains: more}"
    assert failure(tmp_path, steps) == "7: the bot says nothing more"
    assert "says more" in failure(tmp_path, "- user: order\n- nothing: true")


def test_an_interaction_is_told_from_others_and_has_to_exist(tmp_path: Path) -> None:
    assert failure(tmp_path, "- user: hi\n- bot: {interaction: ask_number}") == "6: this comes from 'welcome_text'"
    assert "has no interaction 'ask'" in failure(tmp_path, "- user: hi\n- bot: {interaction: ask}")


def test_several_messages_are_sent_without_waiting_and_handled_in_order(tmp_path: Path) -> None:
    steps = """
        - user: [order, "1001"]
        - bot: {interaction: ask_number}
        - bot: {interaction: order_text}
        - bot: {interaction: item_cards}
    """
    assert play(tmp_path, steps, more=ORDER).failure is None


def test_a_tap_on_what_was_shown_before_the_question_is_dropped(tmp_path: Path) -> None:
    steps = "- user: [order, {text: tapped, payload: '1001'}]\n- bot: {interaction: ask_number}"
    assert play(tmp_path, steps, more=ORDER).failure is None


def test_there_must_be_something_to_tap(tmp_path: Path) -> None:
    assert "no control number 3 to tap: the bot showed 0" in failure(tmp_path, "- user: order\n- user: {tap: 3}")
    assert "no control 'yes' to tap" in failure(tmp_path, "- user: order\n- user: {tap: yes}")


def test_what_starts_a_dialog_can_be_said_by_the_name_of_its_starter(tmp_path: Path) -> None:
    assert play(tmp_path, "- user: {starter: order_starter}\n- bot: {interaction: ask_number}").failure is None
    assert "no starter 'ask_number'" in failure(tmp_path, "- user: {starter: ask_number}")


def test_a_variable_with_another_value_fails(tmp_path: Path) -> None:
    steps = "- user: order\n- user: '1001'\n- variables: {orderNumber: 1002, orderState: packed}"
    played = play(tmp_path, steps, more=ORDER)
    assert played.failure is not None
    assert (played.failure.expected, played.failure.heard) == ("orderNumber = 1002", "orderNumber = 1001")


def test_a_session_is_over_after_its_length_and_not_before(tmp_path: Path) -> None:
    steps = "- user: order\n- advance: {}\n- user: lost it\n- bot: {{interaction: {}}}"
    assert play(tmp_path, steps.format("59m", "ask_number")).failure is None
    assert play(tmp_path, steps.format("61m", "fallback_text")).failure is None


def test_a_form_posts_variables_and_a_message(tmp_path: Path) -> None:
    steps = """
        - web_view: {variables: {riderName: Ada}}
        - nothing: true
        - web_view: {message: here are my booking details}
        - bot: {interaction: received_text, contains: Ada}
        - bot: {interaction: received_check}
    """
    assert play(tmp_path, steps, bot=FORMS).failure is None


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    """A bot in safe mode, with its manifest beside it."""
    bot = tmp_path / "safe.json"
    bot.write_text(json.dumps(form_bot("safe", "https://forms.example")))
    bot.with_suffix(".botlane.toml").write_text(SAFE)
    return bot


SENT = "- web_view: {variables: {size: L}, message: form sent}\n- bot: size L, extras null, admin null\n"
REFUSED = "- web_view: {variables: {size: M}, message: form sent, refused: true}\n- nothing: true\n"


@pytest.mark.parametrize(
    "steps",
    [
        f"- user: form\n{SENT}- web_view: {{variables: {{size: S}}}}\n- advance: 9m\n{SENT}",
        f"- user: form\n- advance: 10m\n{REFUSED}",
        f"- user: once\n{SENT}{REFUSED}- user: once\n{SENT}",
        REFUSED,
    ],
)
def test_a_form_in_safe_mode_posts_with_the_token_that_was_made_last(tmp_path: Path, safe: Path, steps: str) -> None:
    assert play(tmp_path, steps, bot=safe).failure is None


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (SENT, "5: the bot is in safe mode, and no script has made a token for its form (401)"),
        (f"- user: form\n- advance: 1h\n{SENT}", "7: the token of the form has ended (401)"),
        (f"- user: once\n{SENT}{SENT}", "8: the token of the form counted once, and was used (403)"),
        (f"- user: form\n{REFUSED}", "6: the call of the form was taken, and should be refused"),
        ("- user: form\n- web_view: {variables: {size: L, admin: x}}", "6: the token of the form is not for admin"),
    ],
)
def test_what_a_gateway_in_safe_mode_would_refuse_fails_a_test(
    tmp_path: Path, safe: Path, steps: str, said: str
) -> None:
    assert failure(tmp_path, steps, bot=safe).startswith(said)


def test_a_turn_makes_eight_tokens_of_which_the_last_is_the_pages(tmp_path: Path) -> None:
    makes = """
    var names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'], made = '';
    names.forEach((name) => { made += botContext.getWebViewToken({variables: [name]}) ? name : '-'; });
    botContext.sendMessage(made);
    """
    bot = tmp_path / "many.json"
    content = export(dialog("Many", starter("go"), text("Make", "BLANK_MESSAGE", pre=makes)))
    bot.write_text(json.dumps(content))
    bot.with_suffix(".botlane.toml").write_text(SAFE)
    steps = "- user: go\n- bot: abcdefgh--\n- web_view: {variables: {%s: 1}}"
    assert play(tmp_path, steps % "h", bot=bot).failure is None
    assert "is not for g" in failure(tmp_path, steps % "g", bot=bot)


def test_a_form_is_refused_by_a_closed_conversation(tmp_path: Path) -> None:
    steps = "- user: order\n- user: '1001'\n- user: return L-20\n- user: that is all\n- web_view: {refused: true}"
    assert play(tmp_path, steps, more=ORDER).failure is None


def test_a_closed_conversation_takes_nothing_more(tmp_path: Path) -> None:
    steps = "- user: order\n- user: '1001'\n- user: return L-20\n- user: that is all\n- user: hello"
    assert failure(tmp_path, steps, more=ORDER) == "10: the conversation is closed: it takes no messages (410)"


def test_variables_laid_down_before_are_there_from_the_start(tmp_path: Path) -> None:
    assert play(tmp_path, "- user: hi\n- variables: {known: blue}", more="variables: {known: blue}").failure is None


def test_a_failure_tells_what_the_trace_warned_of(tmp_path: Path) -> None:
    nothing = 'stubs: {Orders: {json: {number: "1001"}}}'
    played = play(tmp_path, "- user: order\n- user: '1001'\n- bot: {interaction: bye_text}", more=nothing)
    assert played.failure is not None
    assert any(warning.startswith("unset-variable (") for warning in played.failure.warnings)


def test_a_fault_of_the_engine_fails_the_test_and_names_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.tester.talk.advance", broken)
    said = failure(tmp_path, "- user: hi")
    assert said.startswith("5: the engine failed, which is a fault of Botlane: ZeroDivisionError in broken (")
