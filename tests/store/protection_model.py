"""What the guards of shared/protection should do, in Python: the model its Lua is held against. Times in ms."""

from dataclasses import dataclass, field

GRACE, OFFER, LONGEST_WAIT, DEAD_AFTER, LOOK_EVERY = 2000, 2000, 5000, 5000, 1000
FORGOTTEN, ON_TIME = 60_000, 50


@dataclass
class Model:
    """One guard. `permits`, `line`, `starts` and `planned` are by ticket; `told` collects who was told to ask again."""

    told: list[str]
    living: dict[str, int]
    concurrency: int = 0
    rate: tuple[int, int] = (0, 0)
    breaker: tuple[int, float, int, int] = (0, 0, 0, 0)
    permits: dict[str, int] = field(default_factory=dict)
    line: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)
    state: str = "closed"
    since: int = 0
    probe: str = ""
    ends: list[tuple[int, bool]] = field(default_factory=list)
    half_at: int = 0
    looked: int = 0

    def refuses(self, now: int, ticket: str) -> int:
        """For how long attempts are refused, 0 when this one is not."""
        if self.state == "open":
            if now < self.since + self.breaker[3]:
                return self.since + self.breaker[3] - now
            self.state, self.since, self.probe = "half", now, ""
        if self.state == "half" and self.probe not in {"", ticket} and self.permits.get(self.probe, 0) > now:
            return min(self.permits[self.probe] - now, self.breaker[3])
        return 0

    def serve(self, now: int, asking: str) -> None:
        self.bury(now, asking)
        self.line = {ticket: deadline for ticket, deadline in self.line.items() if deadline > now}
        while self.line and len(self.permits) < self.concurrency:
            first = min(self.line, key=lambda ticket: (self.line[ticket], ticket))
            del self.line[first]
            self.permits[first] = now + OFFER
            if first != asking:
                self.told.append(first)

    def bury(self, now: int, asking: str) -> None:
        dead = {worker_of(ticket) for ticket, until in self.permits.items() if until <= now}
        if self.line and 0 < self.concurrency <= len(self.permits) and now - self.looked >= LOOK_EVERY:
            self.looked = now
            holding = {worker_of(ticket) for ticket in self.permits} - {worker_of(asking)}
            dead |= {worker for worker in holding if now - self.living.get(worker, 0) > DEAD_AFTER}
        self.permits = {
            ticket: until
            for ticket, until in self.permits.items()
            if until > now and (ticket == asking or worker_of(ticket) not in dead)
        }
        self.line = {
            ticket: deadline
            for ticket, deadline in self.line.items()
            if ticket == asking or worker_of(ticket) not in dead
        }

    def place(self, now: int, ticket: str, deadline: int) -> int:
        """Take a place or a place in the line; return when to ask again, 0 when there was a place."""
        if self.concurrency and ticket not in self.permits:
            self.line[ticket] = deadline
            self.serve(now, ticket)
            if ticket not in self.permits:
                free = min(self.permits.values(), default=now + LONGEST_WAIT) - now
                return max(1, min(free, LONGEST_WAIT))
        self.permits[ticket] = deadline + GRACE
        return 0

    def next_start(self, now: int) -> int:
        """When the rate has a place after all that have begun or are planned."""
        count, per = self.rate
        self.planned = {ticket: start for ticket, start in self.planned.items() if start > now - FORGOTTEN}
        later = [start for start in self.planned.values() if start > now]
        latest = sorted([*self.starts.values(), *later], reverse=True)
        return max(now, latest[count - 1] + per) if len(latest) >= count else now

    def free_at(self, moment: int) -> int:
        """When one more may begin, by what has begun."""
        count, per = self.rate
        latest = sorted(self.starts.values(), reverse=True)
        return latest[count - 1] + per if count and len(latest) >= count else moment

    def let_go(self, ticket: str) -> bool:
        self.line.pop(ticket, None)
        return self.permits.pop(ticket, None) is not None

    def leave(self, now: int, ticket: str, verdict: str) -> str:
        became = self.judge(now, ticket, verdict) if self.let_go(ticket) and self.breaker[0] else ""
        self.planned.pop(ticket, None)
        if verdict == "unused":
            self.starts.pop(ticket, None)
        self.serve(now, ticket)
        return became

    def judge(self, now: int, ticket: str, verdict: str) -> str:
        failures, share, window, _ = self.breaker
        judged = verdict in {"ok", "failed"}
        if self.state == "closed":
            if not judged:
                return ""
            half = window // 2
            if not self.ends or now - self.half_at >= 2 * half:
                self.half_at, self.ends = now, []
            elif now - self.half_at >= half:
                self.half_at += half
                self.ends = [end for end in self.ends if end[0] >= self.half_at - half]
            self.ends.append((now, verdict == "ok"))
            bad = sum(not good for _, good in self.ends)
            return (
                self.become(now, "open") if verdict == "failed" and bad >= max(failures, share * len(self.ends)) else ""
            )
        if self.state != "half" or self.probe != ticket:
            return ""
        self.probe = ""
        return self.become(now, "closed" if verdict == "ok" else "open") if judged else ""

    def become(self, now: int, state: str) -> str:
        self.state, self.since, self.probe, self.ends = state, now, "", []
        if state == "open":
            self.told += sorted(self.line, key=lambda ticket: (self.line[ticket], ticket))
            self.told += sorted(self.planned, key=lambda ticket: (self.planned[ticket], ticket))
            self.line = {}
        return state


def worker_of(ticket: str) -> str:
    return ticket.partition(":")[0]


def enter(guards: list[Model], now: int, ticket: str, left: int) -> tuple[str, int, int]:
    """ENTER for a ticket whose call has `left` ms: as the script answers."""
    deadline = now + left
    guards[0].living[worker_of(ticket)] = now
    for number, guard in enumerate(guards, 1):
        if ms := guard.refuses(now, ticket):
            return refused(guards, now, ticket, ("open", ms, number))
    rated = [(number, guard) for number, guard in enumerate(guards, 1) if guard.rate[0]]
    begun = any(ticket in guard.starts for guard in guards)
    came = any(ticket in guard.line or ticket in guard.permits for guard in guards)
    start, slowest, moment = now, 0, now
    for number, guard in rated if not came and not begun else []:
        own = guard.planned.get(ticket)
        if own is not None and now - own <= ON_TIME:
            moment = own
        possible = guard.next_start(now) if own is None else own
        if possible > start:
            start, slowest = possible, number
    if start > now or now >= deadline:
        return plan(guards, now, ticket, deadline, (start, slowest))
    for number, guard in enumerate(guards, 1):
        if ms := guard.place(now, ticket, deadline):
            for other in guards:
                other.planned.pop(ticket, None)
            return "wait", ms, number
    again, crowded = moment, 0
    for number, guard in rated if not begun else []:
        if (free := guard.free_at(again)) > again:
            again, crowded = free, number
    if again > now:
        for number, guard in enumerate(guards, 1):
            guard.planned.pop(ticket, None)
            before = sum(now < start <= again for start in guard.planned.values())
            if guard.rate[0] and before >= 2 * guard.rate[0] and (last := guard.next_start(now)) > again:
                again, crowded = last, number
        return plan(guards, now, ticket, deadline, (again, crowded))
    for guard in guards:
        if guard.rate[0] and not begun:
            guard.starts[ticket] = again
        guard.planned.pop(ticket, None)
        if guard.breaker[0] and guard.state == "half":
            guard.probe = ticket
    return "go", 0, 0


def plan(guards: list[Model], now: int, ticket: str, deadline: int, when: tuple[int, int]) -> tuple[str, int, int]:
    """Let a ticket come again when its rate has a place; `when` is that, and the guard that is slowest."""
    start, number = when
    if start >= deadline:
        return refused(guards, now, ticket, ("late", start - now, number))
    for guard in guards:
        guard.let_go(ticket)
        if guard.rate[0]:
            guard.planned[ticket] = start
        guard.serve(now, ticket)
    return "planned", start - now, number


def refused(guards: list[Model], now: int, ticket: str, answer: tuple[str, int, int]) -> tuple[str, int, int]:
    for guard in guards:
        guard.let_go(ticket)
        guard.starts.pop(ticket, None)
        guard.planned.pop(ticket, None)
        guard.serve(now, ticket)
    return answer
