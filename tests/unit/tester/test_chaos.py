"""What consumers of small bots suffer when their one service fails."""

import json
from pathlib import Path
from typing import Any

from services.tester.chaos import MOST_CALLS, Shaken, Trial, shake
from services.tester.faults import FAULTS
from tests.unit.dialog.bots import Part, api, call, dialog, export, go, integration, question, starter, text
from tests.unit.tester.writing import ORDERS, scenarios

STUBS = "stubs: {Store: {json: {name: North, list: [{city: Oslo}]}}}"
NAME = {"name": "api_Store.name"}
FAILING = ["too-slow", "never", "lost", "429", "500", "no-content"]
TELL = go("sorry", when=api("FAILURE"))


def shaken(folder: Path, *parts: Part, steps: str = "- user: hi", more: str = STUBS, **store: Any) -> Shaken:
    """Play one test of a bot whose dialog is `hi` and these parts."""
    path = folder / f"bot{len(list(folder.iterdir()))}.json"  # a process compiles a file once
    made = integration("Store", **{"fields": NAME, **store})
    path.write_text(json.dumps(export(dialog("D", starter("hi"), *parts), integrations=(made,))))
    lines = ["tests:", "- test_case: one", f"  {more}", "  steps:", *(f"  {line}" for line in steps.splitlines())]
    return shake(scenarios(folder, "\n".join(lines) + "\n", path)[0])


def found(one: Shaken) -> dict[str, set[str]]:
    """Return the kinds of findings by fault."""
    kinds: dict[str, set[str]] = {}
    for trial in one.trials:
        for finding in trial.findings:
            kinds.setdefault(trial.fault, set()).add(finding.kind)
    return kinds


def trial_of(one: Shaken, fault: str) -> Trial:
    return next(trial for trial in one.trials if trial.fault == fault)


def test_a_bot_that_always_answers_stands_every_fault(tmp_path: Path) -> None:
    one = shaken(tmp_path, call("c", "Store", TELL, go("next")), text("done"), text("sorry"))
    assert (one.broken, found(one)) == ("", {})
    assert [trial.fault for trial in one.trials] == [fault.name for fault in FAULTS]
    assert {trial.first for trial in one.trials} == {1}


def test_a_bot_whose_only_words_come_from_the_service_hangs_without_them(tmp_path: Path) -> None:
    one = shaken(
        tmp_path,
        call("c", "Store", go("say", when=api("SUCCESS")), TELL),
        text("say", "{Store.name}", "none"),
        text("sorry"),
    )
    silent = ["truncated", "html", "empty", "null-fields", "no-fields", "other-type"]
    assert found(one) == {fault: {"hangs"} for fault in silent}
    finding = trial_of(one, "html").findings[0]
    assert (finding.place.line, finding.note) == (6, "c is followed by nothing although an answer is due")


def test_one_moment_please_is_no_answer(tmp_path: Path) -> None:
    parts = text("wait"), call("c", "Store", go("none", when=api("FAILURE")), go("done")), text("done")
    one = shaken(tmp_path, *parts)
    assert {fault for fault, kinds in found(one).items() if kinds == {"unanswered"}} == set(FAILING)
    assert trial_of(one, "500").findings[0].heard == ("wait",)


def test_a_call_that_is_made_again_and_again_is_a_loop(tmp_path: Path) -> None:
    one = shaken(tmp_path, call("c", "Store", go("c", when=api("FAILURE")), go("done")), text("done"))
    loops = found(one)
    assert {fault for fault, kinds in loops.items() if "loops" in kinds} == set(FAILING)


def test_a_script_that_says_what_the_service_sent_shows_it_raw(tmp_path: Path) -> None:
    post = "botContext.sendMessage(JSON.parse(botContext.getBotVariable('api_Store').jsonData).api_Store.name + '')"
    whole = "botContext.sendMessage(botContext.getBotVariable('api_Store').jsonData)"
    one = shaken(tmp_path, call("c", "Store", go("next"), post=post), text("done"))
    assert found(one)["null-fields"] == {"raw"}
    assert trial_of(one, "null-fields").findings[0].heard == ("null",)
    one = shaken(
        tmp_path, call("c", "Store", go("sorry", when=api("FAILURE")), go("next"), pre="", post=whole), text("sorry")
    )
    assert found(one)["500"] == {"raw"}
    assert trial_of(one, "500").findings[0].note == "the consumer reads a part of the service's error"


def test_what_the_bot_says_anyway_is_not_held_against_the_fault(tmp_path: Path) -> None:
    one = shaken(tmp_path, text("odd", 'It is {"a": 1} or null'), call("c", "Store", go("next")), text("done"))
    assert found(one) == {}


def test_scripts_that_throw_are_named_though_nobody_notices(tmp_path: Path) -> None:
    script = "\nJSON.parse(botContext.getBotVariable('api_Store').jsonData).api_Store.list[0].city.trim();"
    one = shaken(tmp_path, call("c", "Store", go("next")), text("done"), script=script)
    assert found(one) == {}
    assert trial_of(one, "empty-lists").scripts == (
        "Store: Transform Result Script ended at line 2; what it did before counts",
    )
    assert trial_of(one, "slow").scripts == ()


def test_each_of_several_calls_is_once_the_first_that_fails(tmp_path: Path) -> None:
    ask = question("ask", "Again?", go("c2"))
    parts = (
        call("c", "Store", go("next")),
        ask,
        call("c2", "Store", go("none", when=api("FAILURE")), go("done")),
        text("done"),
    )
    one = shaken(tmp_path, *parts, steps="- user: hi\n- user: 'yes'")
    failed = [trial.first for trial in one.trials if trial.fault == "500"]
    assert failed == [1, 2]
    assert [finding.place.line for trial in one.trials if trial.fault == "500" for finding in trial.findings] == [7, 7]


def test_a_tap_on_what_a_fault_hides_ends_the_trial_quietly(tmp_path: Path) -> None:
    order = "{number: '1001', state: packed, items: [{code: L-20, name: Lamp}]}"
    lines = f"tests:\n- test_case: one\n  stubs: {{Orders: {{json: {order}}}}}\n  steps: [{{user: order}}, {{user: '1001'}}, {{user: {{tap: 1}}}}]\n"
    one = shake(scenarios(tmp_path, lines, ORDERS)[0])
    assert (one.broken, found(one)) == ("", {})
    assert trial_of(one, "null-fields").steps == 3


def test_other_services_go_on_with_their_last_answer_and_requests_are_not_compared(tmp_path: Path) -> None:
    stubs = "stubs: {Store: [{json: {name: North}, request: {path: /}}]}"
    one = shaken(tmp_path, call("c", "Store", go("c2")), call("c2", "Store", go("next")), text("done"), more=stubs)
    assert "called once more than its stub has answers" in one.broken
    one = shaken(tmp_path, call("c", "Store", go("next")), text("done"), more=stubs)
    assert (one.broken, found(one)) == ("", {})


def test_a_test_that_fails_by_itself_is_not_shaken(tmp_path: Path) -> None:
    one = shaken(tmp_path, call("c", "Store"), text("done"), steps="- user: hi\n- bot: something else")
    assert (one.trials, "the bot says something else" in one.broken) == ((), True)


def test_a_test_without_calls_has_nothing_to_break(tmp_path: Path) -> None:
    one = shaken(tmp_path, text("done"))
    assert (one.trials, one.broken, one.integrations) == ((), "", ("Store",))


def test_calls_without_end_are_a_loop_even_if_the_manifest_allows_very_long_flows(tmp_path: Path) -> None:
    (tmp_path / "bot1.botlane.toml").write_text(f"[limits]\nchain = {MOST_CALLS * 2}\n")
    one = shaken(tmp_path, call("c", "Store", go("c", when=api("FAILURE")), go("done")), text("done"))
    assert {finding.note for finding in trial_of(one, "500").findings} == {f"more than {MOST_CALLS} calls are made"}
