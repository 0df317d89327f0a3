"""Random walks over the state table, with every script sent twice at random: the real server agrees with the model.

Nothing is lost, nothing is doubled, order is kept, and a fence that was replaced writes nothing.
"""

import asyncio
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from shared.queue.records import Batch, CallRecord, Commit
from shared.store import keys
from shared.store.connection import connect
from tests.store.conftest import Raw, untimed
from tests.store.mailbox_model import LARGE, Call, Talk
from tests.store.mailbox_walk import MINUTES, Walk

ACTS = {
    "a_consumer_writes": 7,
    "a_form_is_sent": 2,
    "a_dialog_worker_acts": 12,
    "an_integration_worker_acts": 6,
    "an_accident_happens": 2,
    "a_worker_sweeps": 2,
}


class MailboxMachine(Walk):
    """What consumers, workers, time and accidents do to the two conversations."""

    @rule(seed=st.integers(0, 2**64))
    def something_happens(self, seed: int) -> None:
        """One rule, so that no walk goes without one of them; the seed decides, evenly."""
        self.step += 1
        self.dice = Random(f"{self.step}:{seed}")
        [act] = self.dice.choices(list(ACTS), list(ACTS.values()))
        getattr(self, act)()

    # -- what consumers and forms do

    def a_consumer_writes(self) -> None:
        talk = self.dice.choice(self.talks)
        message_id = next(iter(talk.seen)) if talk.seen and self.rarely() else next(self.names)
        expected = talk.ingest(message_id)
        answer, again = self.run(lambda: self.mailbox.ingest_message(talk.id, message_id, b"{}", b"{}"))
        self.check_ingested(talk, (answer.outcome, answer.sequence), expected)
        if again is not None:
            assert (again.outcome, again.sequence) == talk.ingest(message_id)

    def a_form_is_sent(self) -> None:
        talk, receipt, echo = self.dice.choice(self.talks), next(self.names), self.dice.choice([None, b"{}"])
        large = self.dice.random() < 0.5
        body = b"x" * (LARGE if large else 2)
        expected = talk.ingest(None, echo=echo is not None, large=large)
        answer, again = self.run(lambda: self.mailbox.ingest_web_view(talk.id, receipt, body, echo))
        self.check_ingested(talk, (answer.outcome, answer.sequence), expected)
        if again is None or answer.outcome != "accepted":
            return
        if again.outcome == "duplicate":
            assert again.sequence == answer.sequence
        else:  # the machine stood still for two seconds
            self.check_ingested(
                talk, (again.outcome, again.sequence), talk.ingest(None, echo=echo is not None, large=large)
            )

    def check_ingested(self, talk: Talk, answer: tuple[str, int], expected: tuple[str, int]) -> None:
        assert answer == expected
        if answer[0] == "accepted":
            self.accepted[talk.id].append(answer[1])

    # -- what dialog workers do

    def a_dialog_worker_acts(self) -> None:
        talk, stale = self.pick("queued", "running"), self.rarely()
        act = self.dice.choices(["next", "begin", "renew", "commit", "release", "back"], [14, 1, 1, 1, 1, 1])[0]
        if act == "next" and talk.state == "running" and not stale:
            act = "release" if talk.writes else "commit"
        if act in {"next", "begin"}:
            self.begin(talk, talk.fence if talk.fence and stale else next(self.names))
            return
        fence = self.dice.choice(self.fences[talk.id]) if stale or not talk.fence else talk.fence
        if act == "renew":
            self.renew(talk, fence)
        elif act == "commit":
            self.commit(talk, fence)
        else:
            self.release(talk, fence, back=act == "back")

    def begin(self, talk: Talk, fence: str) -> None:
        expected = talk.begin(fence)
        job, take = self.current_job(talk), self.dice.random() < 0.5
        answer, again = self.run(lambda: self.mailbox.begin(talk.id, job, fence, take=take))
        if take:
            assert not self.is_queued(job)
        if not isinstance(answer, Batch):
            assert answer.reason == expected
            return
        assert (expected, answer.tries, answer.turn) == ("running", talk.tries, talk.turn)
        assert len(answer.writes) == talk.writes
        assert untimed(again) in (None, untimed(answer))
        self.take(talk, fence, answer)

    def renew(self, talk: Talk, fence: str) -> None:
        owns = talk.state == "running" and talk.fence == fence
        if owns:
            talk.own(fence)
        answer, again = self.run(lambda: self.mailbox.renew(talk.id, fence))
        assert answer == owns
        assert again in (None, owns)

    def commit(self, talk: Talk, fence: str) -> None:
        result, events = self.hands.get(fence, (None, []))
        if result is None and not events:
            return  # an owner commits what it was given, nothing else
        chance, status = self.dice.random, self.dice.choices(["", "transferred", "open", "closed"], [30, 1, 1, 1])[0]
        call = Call(f"{talk.id}.{talk.turn + 1}") if status != "closed" and chance() < 0.3 else None
        commit = Commit(
            fence=fence,
            next_fence=next(self.names),
            consumed=0 if result else self.dice.choice([1, len(events)]),
            consumed_result=result is not None,
            session={"version": b"1"},
            replies=[b"{}"] * self.dice.randint(0, 2),
            writes=[b"w", b"v"] if chance() < 0.2 else [],
            call=CallRecord(call.id, "api", "v", b"", MINUTES, MINUTES) if call else None,
            status=status,
            trace=b"{}",
        )
        answer, again = self.run(lambda: self.mailbox.commit(talk.id, commit))
        if talk.fence != fence:
            assert answer.state == ("gone" if talk.gone else "refused")
            return
        self.handled[talk.id] += [event.sequence for event in events[: commit.consumed]]
        assert answer.state == talk.commit(commit, call)
        assert again is None or again.state == "refused"
        if call is not None:
            self.calls.append((talk, call))
        self.go_on(talk, commit.next_fence, answer)

    def release(self, talk: Talk, fence: str, *, back: bool) -> None:
        if talk.fence == fence and not talk.writes and not back:
            return  # an owner without writes has nothing to release
        box, next_fence = self.mailbox, next(self.names)
        answer, again = self.run(
            lambda: box.hand_back(talk.id, fence) if back else box.release(talk.id, fence, next_fence)
        )
        if talk.fence != fence:
            assert answer.state == ("gone" if talk.gone else "refused")
            return
        assert answer.state == (talk.hand_back() if back else talk.release(next_fence))
        assert again is None or again.state == "refused"
        self.go_on(talk, next_fence, answer)

    # -- what integration workers do

    def an_integration_worker_acts(self) -> None:
        awaited = [(talk, talk.call) for talk in self.talks if talk.call is not None]
        former = [(talk, call) for talk, call in self.calls if call is not talk.call and talk.state == "waiting"]
        calls = former if self.rarely() and former else self.calls if self.rarely() else awaited
        if not calls:
            return
        talk, call = self.dice.choice(calls)
        act, claim = self.dice.choice(["start", "start", "finish", "result"]), self.dice.choice("ab")
        if act == "start":
            self.start(talk, call, claim)
            return
        record = self.dice.choice([b"503", b"503", b""])
        expected = talk.finish_attempt(call, claim, made=record != b"") if act == "finish" else talk.end_call(call)
        answer, again = self.run(
            lambda: (
                self.mailbox.finish_attempt(call.id, claim, record)
                if act == "finish"
                else self.mailbox.result(call.id, b"{}")
            )
        )
        assert answer == expected
        assert not again

    def start(self, talk: Talk, call: Call, claim: str) -> None:
        expected = talk.start(call, claim)
        answer, again = self.run(lambda: self.mailbox.start(call.id, claim))
        for each in (answer, again or answer):
            assert each.outcome == expected
            if expected == "go":
                found = (each.attempts, each.interrupted, len(each.ended))
                assert found == (call.attempts - 1, call.cut, call.ended)

    # -- what time and accidents do

    def an_accident_happens(self) -> None:
        what = self.dice.choices(["lease", "deadline", "overdue", "session", "queues", "gone"], [12, 8, 8, 6, 6, 1])[0]
        talk = self.pick({"lease": "running", "deadline": "waiting", "session": "idle"}.get(what, "queued"))
        if what == "lease" and talk.state == "running":
            talk.lease_over = talk.overdue = True
            self.shift(talk, lease=-1, due=-1)
        elif what == "deadline" and talk.state == "waiting":
            talk.too_late = talk.overdue = True
            self.shift(talk, call_deadline=-6000, due=-1)
        elif what == "overdue" and talk.state not in {"idle", "gone"}:
            talk.overdue = True
            self.shift(talk, due=-1)
        elif what == "session" and talk.state == "idle":
            talk.session_over, talk.has_session = True, False
            self.shift(talk, session_until=-1)
            self.run(lambda: self.redis.delete(keys.session(talk.id)))
        elif what == "queues":
            for each in self.talks:
                each.has_job = False
            self.run(lambda: self.redis.delete(keys.dialog_queue(0), keys.integration_queue(0)))
        elif what == "gone":
            talk.expire()
            self.run(lambda: self.redis.delete(keys.conv(talk.id)))

    def a_worker_sweeps(self) -> None:
        expected = sum(talk.recover() for talk in self.talks)
        answer, again = self.run(lambda: self.mailbox.sweep(0, "me"))
        assert answer == expected
        assert again in (None, 0)


@pytest.mark.parametrize("walks", [40, pytest.param(400, marks=[pytest.mark.proof, pytest.mark.timeout(1800)])])
def test_every_walk_over_the_state_table_agrees_with_the_model(valkey_server: str, walks: int) -> None:
    with asyncio.Runner() as runner:
        redis: Any = runner.run(_client(valkey_server))
        try:
            run_state_machine_as_test(  # a factory will do, whatever its annotation says
                cast("type[MailboxMachine]", lambda: MailboxMachine(runner, redis)),
                settings=settings(
                    max_examples=walks,
                    stateful_step_count=100,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                    database=None,
                ),
            )
        finally:
            runner.run(redis.aclose())


async def _client(url: str) -> Raw:
    return connect(url)
