"""The mailbox as a small model: the state table of the design in plain Python, one conversation an object."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.queue.records import Commit

BATCH = 2
MOST_BATCHES = 3
INBOX_LIMIT = 6
# Allocation rounds sizes up, so the bound is not to be hit exactly: two large events fit, a third does not.
LARGE, MOST_LARGE, INBOX_BYTES = 15_000, 2, 40_000


@dataclass
class Call:
    """A call as START sees it."""

    id: str
    attempts: int = 0
    open: str | None = None
    cut: bool = False
    ended: int = 0
    known: bool = True


@dataclass
class Event:
    """One entry of an inbox."""

    sequence: int
    new_session: bool
    large: bool = False


@dataclass
class Talk:
    """One conversation. What happens to time is a flag: `lease_over`, `overdue`, `session_over`, `too_late`."""

    id: str
    state: str = "idle"
    status: str = "open"
    sequence: int = 0
    turn: int = 0
    tries: int = 0
    batches: int = 0
    fence: str | None = None
    handed: int = 0
    inbox: list[Event] = field(default_factory=list)
    result: int | None = None
    outbox: list[int] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    call: Call | None = None
    started: bool = False
    has_job: bool = False
    has_session: bool = False
    session_over: bool = True
    lease_over: bool = False
    overdue: bool = False
    too_late: bool = False
    buried: list[int] = field(default_factory=list)

    @property
    def gone(self) -> bool:
        return self.state == "gone"

    def ingest(self, message_id: str | None, *, echo: bool = True, large: bool = False) -> tuple[str, int]:
        if self.gone:
            return "gone", 0
        if message_id in self.seen:
            return "duplicate", self.seen[message_id]
        if self.status == "closed":
            return "closed", 0
        if len(self.inbox) >= INBOX_LIMIT:
            return "full", 0
        if large and sum(event.large for event in self.inbox) >= MOST_LARGE:
            return "full", 0
        self.sequence += 1
        self.inbox.append(Event(self.sequence, self.session_over, large))
        self.session_over = False
        if message_id is not None:
            self.seen[message_id] = self.sequence
        if echo:
            self.outbox.append(self.sequence)
        if self.state == "idle":
            self.queue()
        return "accepted", self.sequence

    def begin(self, fence: str) -> str:
        if self.state == "running" and self.fence == fence:
            self.own(fence)
            return "running"
        if self.state == "running" and not self.lease_over:
            return "busy"
        if self.state not in {"queued", "running"}:
            return self.state
        if not (self.has_work or self.writes):
            self.rest()
            return "idle"
        self.tries += 1
        self.batches = 1
        self.own(fence, 1 if self.tries > 1 else BATCH)
        return "running"

    def handout(self) -> tuple[int | None, list[int], list[bool]]:
        """What the owner holds: result, sequences of events, their stamps."""
        if self.writes or (self.call is not None):
            return None, [], []
        if self.result is not None:
            return self.result, [], []
        events = self.inbox[: self.handed]
        return (
            None,
            [event.sequence for event in events],
            [event.new_session or (place == 0 and not self.has_session) for place, event in enumerate(events)],
        )

    def commit(self, commit: Commit, call: Call | None) -> str:
        if commit.consumed_result:
            self.result = None
        else:
            del self.inbox[: commit.consumed]
        self.tries = 0
        self.turn += 1
        self.has_session = True
        for _ in commit.replies:
            self.sequence += 1
            self.outbox.append(self.sequence)
        self.status = commit.status or self.status
        if commit.status == "closed":
            self.buried += [event.sequence for event in self.inbox]
            self.inbox.clear()
        if call is not None:
            self.call, self.started, self.too_late = call, False, False
        self.writes += len(commit.writes)
        if self.writes:
            self.own(commit.next_fence)
            return "writes"
        return self.hand_over(commit.next_fence)

    def hand_over(self, next_fence: str) -> str:
        if self.call is not None:
            self.wait()
        elif not self.has_work:
            self.rest()
        elif self.batches >= MOST_BATCHES:
            self.queue()
        else:
            self.batches += 1
            self.tries = 1
            self.own(next_fence, BATCH)
        return self.state

    def start(self, call: Call, claim: str) -> str:
        if self.gone:
            return "gone"
        if self.state != "waiting" or self.call is not call:
            return "refused"
        if self.too_late:
            return "late"
        if not self.started:
            self.started, self.overdue = True, False
        if call.open != claim:
            call.cut, call.open = call.open is not None, claim
            call.attempts += 1
        return "go"

    def release(self, next_fence: str) -> str:
        self.writes = 0
        return self.hand_over(next_fence)

    def hand_back(self) -> str:
        self.tries = max(0, self.tries - 1)
        self.queue()
        return self.state

    def finish_attempt(self, call: Call, claim: str, *, made: bool) -> bool:
        if self.gone or not call.known or call.open != claim:
            return False
        call.open = None
        if made:
            call.ended += 1
        else:
            call.attempts -= 1
        return True

    def end_call(self, call: Call | None) -> bool:
        """Store an outcome: RESULT, or the sweeper's `lost`."""
        if self.state != "waiting" or call is None or self.call is not call:
            return False
        call.known = False
        self.call = None
        self.sequence += 1
        self.result = self.sequence
        self.queue()
        return True

    def recover(self) -> int:
        """What a sweep does; returns 1 when the conversation got a job or an outcome."""
        if self.gone or not self.overdue:
            return 0
        self.overdue = False
        if self.state == "running" and self.lease_over:
            self.queue()
        elif self.state == "waiting" and self.too_late:
            self.end_call(self.call)
        elif self.state == "waiting" and not self.started and not self.has_job:
            self.wait()
        elif self.state == "queued" and not self.has_job:
            self.queue()
        else:
            return 0
        return 1

    def expire(self) -> None:
        self.state, self.fence, self.call = "gone", None, None

    @property
    def has_work(self) -> bool:
        return self.result is not None or bool(self.inbox)

    def own(self, fence: str, most: int | None = None) -> None:
        self.state, self.fence, self.lease_over, self.overdue = "running", fence, False, False
        if most is not None:
            self.handed = 0 if self.result is not None or self.writes else min(most, len(self.inbox))

    def queue(self) -> None:
        self._disown("queued")
        self.has_job = True

    def wait(self) -> None:
        self._disown("waiting")
        self.has_job = True

    def rest(self) -> None:
        self._disown("idle")

    def _disown(self, state: str) -> None:
        self.state, self.fence, self.handed, self.lease_over, self.overdue = state, None, 0, False, False


def in_order(handled: Iterable[int]) -> bool:
    """Say whether nothing was handled twice or out of order."""
    sequence = list(handled)
    return sequence == sorted(set(sequence))
