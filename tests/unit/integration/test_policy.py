"""Whether a call is made again: the table of design section 7, row by row."""

from typing import Any

import msgspec
import pytest

from shared.bot.integration import Policy, check_policy
from shared.integration.policy import Accept, Ending, GiveUp, Retry, decide

HALF = 0.5
# First pause: 0.5 * 0.25 s * 2**0
FIRST = Retry(0.125)


def decided(method: str, ending: Ending, attempt: int = 1, left: float = 19.0, **policy: object) -> object:
    decision = decide(Policy(**policy), method, attempt, ending, left, HALF)  # type: ignore[arg-type]
    return type(decision) if isinstance(decision, GiveUp) else decision


SAFE = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
UNSAFE = ("POST", "PATCH", "post")


@pytest.mark.parametrize("method", SAFE + UNSAFE)
@pytest.mark.parametrize(
    "ending",
    [Ending(failure="unreachable"), Ending(status=429), Ending(status=503, retry_after=0.0)],
    ids=["not connected", "429", "503 with Retry-After"],
)
def test_what_was_not_executed_is_repeated_with_any_method(method: str, ending: Ending) -> None:
    assert decided(method, ending) == FIRST


MAY_HAVE_RUN = [
    *(Ending(status=status) for status in (408, 500, 502, 503, 504)),
    Ending(failure="lost"),
    Ending(failure="timeout"),
]


@pytest.mark.parametrize("ending", MAY_HAVE_RUN, ids=str)
@pytest.mark.parametrize("method", SAFE)
def test_what_may_have_been_executed_is_repeated_with_safe_methods(method: str, ending: Ending) -> None:
    assert decided(method, ending) == FIRST


@pytest.mark.parametrize("ending", [*MAY_HAVE_RUN, Ending(failure="interrupted")], ids=str)
@pytest.mark.parametrize("method", UNSAFE)
def test_what_may_have_been_executed_is_repeated_with_unsafe_methods_only_if_they_say_so(
    method: str, ending: Ending
) -> None:
    assert decided(method, ending) is GiveUp
    assert isinstance(decided(method, ending, repeat_unsafe=True), Retry)


@pytest.mark.parametrize(
    "ending", [Ending(failure="unreachable"), Ending(status=429), Ending(status=503, retry_after=0.0)]
)
def test_what_ended_elsewhere_may_have_been_executed_before(ending: Ending) -> None:
    moved = msgspec.structs.replace(ending, moved=True)
    assert decided("POST", moved) is GiveUp
    assert decided("POST", moved, repeat_unsafe=True) == FIRST
    assert decided("GET", moved) == FIRST


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 400, 401, 403, 404, 409, 418, 501, 505, 599])
@pytest.mark.parametrize("method", SAFE + UNSAFE)
def test_any_other_status_is_the_answer(method: str, status: int) -> None:
    assert decided(method, Ending(status=status)) == Accept()


def test_a_status_that_counts_as_success_is_the_answer() -> None:
    assert decided("GET", Ending(status=500), success=(200, 500)) == Accept()


@pytest.mark.parametrize("failure", ["refused", "invalid", "too_large", "late"])
def test_what_would_end_alike_is_given_up(failure: str) -> None:
    assert decided("GET", Ending(failure=failure), repeat_unsafe=True) is GiveUp


@pytest.mark.parametrize(
    ("retry_on", "ending", "get", "post"),
    [
        ((404,), Ending(status=404), FIRST, GiveUp),  # a POST that was answered 404 may have been executed
        ((404,), Ending(status=503), Accept(), Accept()),  # not listed: it is the answer
        ((404,), Ending(failure="timeout"), GiveUp, GiveUp),
        ((404,), Ending(failure="unreachable"), GiveUp, GiveUp),
        ((901,), Ending(status=901), FIRST, GiveUp),
        ((429, "timeout"), Ending(failure="timeout"), FIRST, GiveUp),
        ((429, "timeout"), Ending(failure="lost"), GiveUp, GiveUp),
        ((429, "timeout"), Ending(status=429), FIRST, FIRST),
        ((503,), Ending(status=503, retry_after=0.0), FIRST, FIRST),
        (("unreachable",), Ending(failure="unreachable"), FIRST, FIRST),
        (("unreachable",), Ending(failure="interrupted"), GiveUp, GiveUp),
        (("interrupted",), Ending(failure="interrupted"), Retry(0.0), GiveUp),
    ],
)
def test_an_integration_says_after_what_it_is_repeated(
    retry_on: tuple[int | str, ...], ending: Ending, get: object, post: object
) -> None:
    assert decided("GET", ending, retry_on=retry_on) == get
    assert decided("POST", ending, retry_on=retry_on) == post
    assert decided("POST", ending, retry_on=retry_on, repeat_unsafe=True) == get


@pytest.mark.parametrize(
    ("attempt", "left", "ending", "decision"),
    [
        (1, 19.0, Ending(status=500), Retry(0.125)),  # 0.5 * 0.25 * 2**0
        (2, 19.0, Ending(status=500), Retry(0.25)),  # 0.5 * 0.25 * 2**1
        (3, 19.0, Ending(status=500), Retry(0.5)),  # 0.5 * 0.25 * 2**2
        (4, 19.0, Ending(status=500), GiveUp),  # 1 + 3 retries are made
        (1, 0.126, Ending(status=500), Retry(0.125)),  # fits
        (1, 0.125, Ending(status=500), GiveUp),  # no time would be left
        (1, 0.0, Ending(failure="timeout"), GiveUp),  # the budget is the attempt's limit
        (1, -1.0, Ending(failure="interrupted"), GiveUp),
        (1, 19.0, Ending(status=429, retry_after=7.0), Retry(7.0)),  # honoured, without jitter
        (1, 7.0, Ending(status=429, retry_after=7.0), GiveUp),  # does not fit: asking earlier is no use
        (1, 19.0, Ending(status=429, retry_after=0.0), Retry(0.125)),  # "at once" still backs off
        (1, 19.0, Ending(failure="interrupted"), Retry(0.0)),  # the time lost was pause enough
        (4, 19.0, Ending(failure="interrupted"), GiveUp),
    ],
)
def test_pauses_double_and_stay_within_the_budget(attempt: int, left: float, ending: Ending, decision: object) -> None:
    assert decided("GET", ending, attempt, left) == decision


def test_a_pause_has_a_ceiling() -> None:
    # 0.5 * min(4, 0.25 * 2**5 = 8)
    assert decided("GET", Ending(status=500), attempt=6, retries=9) == Retry(2.0)


def test_no_retries_means_one_attempt() -> None:
    assert decided("GET", Ending(status=500), retries=0) is GiveUp


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total_timeout", 0.0),
        ("total_timeout", float("nan")),
        ("total_timeout", float("inf")),
        ("connect_timeout", -1.0),
        ("connect_timeout", 25.0),  # more than the total
        ("attempt_timeout", 0.0),
        ("attempt_timeout", 21.0),
        ("attempt_timeout", float("nan")),
        ("retries", -1),
        ("retries", 11),
        ("backoff", 0.0),
        ("backoff_max", float("nan")),
        ("response_limit", 0),
        ("response_limit", 2 * 1024 * 1024),
        ("success", ()),
        ("success", (99,)),
        ("success", ("ok",)),
        ("success", (200, 302)),  # redirects are followed
        ("retry_on", ()),
        ("retry_on", (100,)),
        ("retry_on", ("slow",)),
        ("retry_on", ("refused",)),  # another attempt would end alike
        ("retry_on", (201, 503)),  # a success
        ("backoff", 5.0),  # more than backoff_max
        ("redirects", 6),
    ],
)
def test_an_impossible_policy_is_refused_with_its_field(field: str, value: object) -> None:
    problems = check_policy(Policy(**{field: value}))  # type: ignore[arg-type]
    assert any(field in problem for problem in problems)


def test_the_default_policy_is_possible() -> None:
    assert check_policy(Policy()) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attempt_timeout": 3.0}, "connect_timeout is 5.0: it must not exceed attempt_timeout"),
        ({"repeat_unsafe": True, "retries": 0}, "nothing is ever repeated"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], words: str) -> None:
    assert any(words in problem for problem in check_policy(Policy(**fields)))


@pytest.mark.parametrize(
    "fields",
    [
        {"success": (200, 302), "redirects": 0},
        {"success": (200, 500)},  # the usual retry_on gives way
        {"retry_on": (), "retries": 0},
        {"success": (204, 304, 901)},
    ],
)
def test_unusual_policies_are_possible(fields: dict[str, Any]) -> None:
    assert check_policy(Policy(**fields)) == []
