"""Faults of services, one by one: what a call makes of each, on a clock that only counts."""

import json
from typing import Any

import msgspec
import pytest

from services.tester.calls import StubBook, make_call
from services.tester.faults import FAULTS
from services.tester.marked import Place
from services.tester.suite import Stub, StubAnswer
from shared.bot.integration import Policy
from shared.dialog.events import CallOutcome
from tests.unit.integration.test_request import integration

PLACE = Place("f", 1)
BODY = {"list": [{"n": 1}], "o": {"a": "x"}, "t": "y"}
POLICY = Policy(total_timeout=10.0, retries=1, backoff=1.0)
NORMAL = StubAnswer(PLACE, headers={"Content-Type": "application/json"}, body=json.dumps(BODY))
BY_NAME = {fault.name: fault for fault in FAULTS}


def worse(name: str, normal: StubAnswer = NORMAL, policy: Policy = POLICY) -> StubAnswer:
    found = BY_NAME[name].worse(normal, policy)
    assert found is not None
    return found


def made(name: str) -> tuple[CallOutcome, int]:
    of = msgspec.structs.replace(integration(), policy=POLICY)
    return make_call(StubBook({"Orders": Stub(PLACE, (worse(name),), sequence=False)}), "c", of, {}, 0)


@pytest.mark.parametrize(
    ("name", "ending", "attempts", "ms"),
    [
        ("slow", "200", 1, 9_900),  # a tenth of a second under the 10 s
        ("too-slow", "timeout", 1, 10_000),  # the first attempt takes the whole budget
        ("never", "timeout", 1, 10_000),
        ("lost", "lost", 2, 500),  # again after half of a second's back-off
        ("429", "429", 2, 1_000),  # again after the second that Retry-After asks for
        ("500", "500", 2, 500),
        ("html", "200", 1, 0),
        ("empty", "200", 1, 0),
        ("no-content", "204", 1, 0),
    ],
)
def test_a_call_ends_as_its_policy_says(name: str, ending: str, attempts: int, ms: int) -> None:
    outcome, took = made(name)
    assert (outcome.failure or str(outcome.status), len(outcome.attempts), took) == (ending, attempts, ms)


def test_slow_is_measured_by_the_limit_of_an_attempt_if_there_is_one() -> None:
    assert worse("slow", policy=Policy(attempt_timeout=2.0)).delay_ms == 1_900
    assert worse("too-slow", policy=Policy(attempt_timeout=2.0)).delay_ms == 2_100


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("text-for-objects", {"list": ["text"], "o": "text", "t": "y"}),
        ("empty-lists", {"list": [], "o": {"a": "x"}, "t": "y"}),
        ("null-fields", {"list": [{"n": None}], "o": {"a": None}, "t": None}),
        ("no-fields", {}),
        ("other-type", []),
    ],
)
def test_wrong_types_keep_the_status_and_change_the_content(name: str, body: Any) -> None:
    found = worse(name)
    assert (found.status, json.loads(found.body)) == (200, body)


def test_a_truncated_answer_is_no_json_any_more() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(worse("truncated").body)


@pytest.mark.parametrize(
    "name", ["truncated", "text-for-objects", "empty-lists", "null-fields", "no-fields", "other-type"]
)
@pytest.mark.parametrize(
    "normal",
    [
        StubAnswer(PLACE, status=404, body="{}"),
        StubAnswer(PLACE, status=0, failure="lost"),
        StubAnswer(PLACE, body="plain text"),
    ],
    ids=["a failure of its own", "no answer", "no JSON"],
)
def test_an_answer_without_content_has_no_wrong_content(name: str, normal: StubAnswer) -> None:
    assert BY_NAME[name].worse(normal, POLICY) is None


def test_content_that_a_fault_leaves_as_it_was_is_no_trial() -> None:
    flat = msgspec.structs.replace(NORMAL, body='{"t": "y"}')
    assert BY_NAME["empty-lists"].worse(flat, POLICY) is None
