"""What is counted and told of turns that go wrong: by conversation, turn and version, never by what was said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.dialog_worker.turn_processes import EngineFailure
from shared.dialog.frames import Advance, Answer
from shared.store import keys
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import Talk, repeats


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"botlane_{name}_total", labels) or 0.0


@contextmanager
def told() -> Iterator[list[Any]]:
    with structlog.contextvars.bound_contextvars(), capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        yield lines


def fails(_: Advance) -> Answer:
    raise EngineFailure("KeyError in advance (engine.py:1)")


async def test_an_event_that_is_given_up_is_told_with_each_failure_before(talk_with: Talks) -> None:
    talk = await talk_with(fails)
    await talk.say("a private matter")
    failures, letters = count("engine_failures"), count("dead_letters", reason="engine")
    with told() as lines:
        await talk.work()
    assert [line["event"] for line in lines] == ["a turn failed"] * 3 + ["an event is given up"]
    version = (await talk.bots.published())[0].version[:12]
    for line in lines:
        assert (line["conversation"], line["turn"], line["version"]) == (talk.id, 1, version)
    assert "private" not in str(lines)
    assert count("engine_failures") == failures + 3
    assert count("dead_letters", reason="engine") == letters + 1


async def test_a_turn_of_a_conversation_that_was_taken_over_is_told_and_not_counted_as_one(talk_with: Talks) -> None:
    talk: Talk

    async def engine(request: Advance) -> Answer:
        await talk.set(keys.conv(talk.id), "fence", "of another worker")
        return repeats(request)

    talk = await talk_with(engine)
    await talk.say("hi")
    lost, turns, replies = count("leases_lost"), count("turns", event="message"), count("replies")
    with told() as lines:
        await talk.work()
    assert [line["event"] for line in lines] == ["taken over by another worker: what the turn did is dropped"]
    assert lines[0]["conversation"] == talk.id
    assert (count("leases_lost"), count("turns", event="message"), count("replies")) == (lost + 1, turns, replies)


async def test_a_turn_that_goes_well_is_counted_and_not_told(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("one", "two")
    turns, replies = count("turns", event="message"), count("replies")
    with told() as lines:
        await talk.work()
    assert lines == []
    assert (count("turns", event="message"), count("replies")) == (turns + 2, replies + 2)
