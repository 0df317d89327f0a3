"""What a hint may bring: the messages after one that the waiter has, or a reason to read."""

import pytest

from services.gateway.notifications import MOST_TOLD, Bell
from shared.queue import entries
from shared.queue.records import Told

ONE, TWO, THREE = (1, 10, b'{"a":1}'), (2, 20, b'{"b":"|\n"}'), (5, 50, b"{}")


def heard(*told: Told) -> Bell:
    bell = Bell()
    for one in told:
        bell.ring(one)
    return bell


def test_hints_that_follow_on_bring_their_messages() -> None:
    bell = heard(Told("c", 0, [ONE]), Told("c", 1, [TWO, THREE]))
    assert bell.following(0) == [ONE, TWO, THREE]
    assert bell.following(5) == []


def test_what_was_read_meanwhile_is_not_brought_again() -> None:
    assert heard(Told("c", 0, [ONE]), Told("c", 1, [TWO, THREE])).following(2) == [THREE]


@pytest.mark.parametrize("told", [[Told("c", 1, [TWO])], [Told("c")], [Told("c", 0, [ONE]), Told("c", 2, [THREE])]])
def test_a_hole_or_a_bare_hint_means_reading(told: list[Told]) -> None:
    assert heard(*told).following(0) is None


def test_a_waiter_that_was_too_slow_finds_a_hole() -> None:
    hints = [Told("c", number, [(number + 1, 0, b"{}")]) for number in range(MOST_TOLD + 1)]
    assert heard(*hints).following(0) is None


def test_what_was_told_before_a_read_is_forgotten_by_it() -> None:
    bell = heard(Told("c", 7, [THREE]))
    bell.mute()
    assert bell.following(0) == []


def test_hints_are_read_as_the_scripts_write_them() -> None:
    assert entries.told(b"0-a") == Told("0-a")
    body = TWO[2]
    assert entries.told(b"0-a|1|%d|2|20|%s|7|5|50|{}" % (len(body) + 5, body)) == Told("0-a", 1, [TWO, THREE])
