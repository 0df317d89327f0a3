"""Stubs: what integrations are answered, under their own policy."""

from pathlib import Path

from tests.unit.tester.writing import failure, play

ASK = "- user: order\n- user: '1001'\n"
AWAY = ASK + "- bot: {interaction: desk_away_question}"
FOUND = ASK + "- bot: {interaction: order_text}\n- bot: {interaction: item_cards}"
BODY = 'json: {number: "1001", state: packed, items: [{code: L-20, name: Lamp}]}'


def test_an_integration_without_a_stub_fails_the_step_and_says_what_to_write(tmp_path: Path) -> None:
    said = failure(tmp_path, ASK)
    assert said.startswith("6: the integration 'Orders' is called and has no stub: write below `stubs:`")


def test_a_stub_that_is_no_list_answers_every_call(tmp_path: Path) -> None:
    steps = AWAY + "\n- user: again\n- bot: {interaction: desk_away_question}"
    assert play(tmp_path, steps, more="stubs: {Orders: {status: 500}}").failure is None


def test_a_list_answers_call_by_call_and_ends(tmp_path: Path) -> None:
    stubs = "stubs: {Orders: [{status: 400}, {status: 404}]}"
    steps = AWAY + "\n- user: again\n- bot: {interaction: not_found_question}\n- user: another\n- user: '1001'"
    assert "called once more than its stub has answers (2)" in failure(tmp_path, steps, more=stubs)


def test_an_attempt_that_may_be_repeated_takes_the_next_answer(tmp_path: Path) -> None:
    assert play(tmp_path, FOUND, more=f"stubs: {{Orders: [{{status: 503}}, {{{BODY}}}]}}").failure is None
    assert play(tmp_path, FOUND, more=f"stubs: {{Orders: [{{failure: unreachable}}, {{{BODY}}}]}}").failure is None


def test_an_answer_that_comes_too_late_is_none(tmp_path: Path) -> None:
    assert play(tmp_path, AWAY, more=f"stubs: {{Orders: {{{BODY}, delay: 6s}}}}").failure is None
    assert play(tmp_path, FOUND, more=f"stubs: {{Orders: {{{BODY}, delay: 4s}}}}").failure is None


def test_the_request_is_held_against_what_the_stub_expects(tmp_path: Path) -> None:
    stubs = "stubs:\n  Orders:\n    " + BODY.replace("{", "{{").replace("}", "}}") + "\n    request: {}"
    right = "{method: GET, path: /orders/1001, headers: {accept: application/json;charset=UTF-8}}"
    assert play(tmp_path, FOUND, more=stubs.format(right)).failure is None
    for wrong, what in (
        ("{method: POST}", "method"),
        ("{path: /orders/1002}", "path"),
        ("{query: {page: 1}}", "query parameter page"),
        ("{headers: {x-key: 1}}", "header x-key"),
        ("{body: text}", "body"),
        ("{url: https://a.example}", "url"),
    ):
        assert failure(tmp_path, FOUND, more=stubs.format(wrong)) == f"7: the request has another {what}"
    assert failure(tmp_path, FOUND, more=stubs.format("{json: {}}")) == "7: the body of the request is not JSON"


def test_the_environment_of_a_fixture_takes_the_place_of_the_manifest(tmp_path: Path) -> None:
    more = f"environment: {{ordersUrl: 'https://b.example'}}\nstubs: {{Orders: {{{BODY}, request: {{url: 'https://b.example/orders/1001'}}}}}}"
    assert play(tmp_path, FOUND, more=more).failure is None
