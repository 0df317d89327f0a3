"""Workload W against the baseline, alternately with the same client: messages/s, CPU seconds and latency."""

from collections.abc import Mapping

import msgspec

from tests.bench.bench import COUNTING, Bench
from tests.bench.figures import Figure, against, alone, at_least, at_most, spread
from tests.bench.processes import cpu_seconds, used
from tests.bench.workload_w import CONVERSATIONS, MESSAGES, W
from tests.journeys.system import botlane_run

WARM_UP = 2
QUICK_MESSAGES = 8


class Round(msgspec.Struct, frozen=True):
    """One run of W: `cpu` is CPU seconds for 1,000 messages by program, latencies are milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: dict[str, float]
    client_cpu: float

    @property
    def all_cpu(self) -> float:
        """CPU seconds of all programs and the server for 1,000 messages."""
        return sum(self.cpu.values())


async def workload_w(bench: Bench) -> list[Figure]:
    """Measure W: 200 conversations, 20 messages each, one after another; the baseline and Botlane alternately."""
    messages = QUICK_MESSAGES if bench.quick else MESSAGES
    pairs = []
    for _ in range(bench.rounds(3)):
        inline, botlane = await bench.inline(), await bench.botlane()
        baseline = await w_round(inline.host, inline.programs, CONVERSATIONS, messages)
        pairs.append((baseline, await w_round(botlane.host, botlane.programs, CONVERSATIONS, messages)))
    bench.rate = spread([ours.rate for _, ours in pairs]).median
    return w_figures(pairs)


async def w_round(host: str, programs: Mapping[str, int], conversations: int, messages: int) -> Round:
    """Warm programs up and run W once, with conversations of its own."""
    w = W(host, conversations)
    await w.open()
    await w.run(WARM_UP)
    before = cpu_seconds(programs)
    told = await w.run(messages)
    spent = used(before, cpu_seconds(programs))
    w.close()
    scale = 1000 / told.messages
    cpu = {name: seconds * scale for name, seconds in spent.items()}
    return Round(told.rate, told.p50, told.p99, cpu, told.client_cpu * scale)


async def through_run(bench: Bench) -> list[Figure]:
    """Measure W against `botlane run` itself: with the console, whose traces hold values, and its running commentary."""
    await bench.quiet()
    with botlane_run(bench.folder / "run", [COUNTING], BOTLANE_CREATE_RATE="1000000") as running:
        programs = {"run": running.process.pid, **running.ready["programs"]}
        host = running.url.removeprefix("http://")
        one = await w_round(host, programs, CONVERSATIONS, QUICK_MESSAGES if bench.quick else MESSAGES)
    return [
        alone("run", "workload W through `botlane run`, with its console", "messages/s", [one.rate]),
        alone("run", "CPU for 1,000 messages of it", "s", [one.all_cpu], note=shown(one.cpu)),
    ]


def shown(cpu: Mapping[str, float]) -> str:
    """Return CPU seconds by program."""
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in cpu.items())


def w_figures(pairs: list[tuple[Round, Round]]) -> list[Figure]:
    """Return the lines for W."""
    theirs, ours = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    cpu, their_cpu = [one.all_cpu for one in ours], [one.all_cpu for one in theirs]
    client = [one.client_cpu for one in ours]
    figures = [
        against(
            "w",
            "workload W",
            "messages/s",
            [one.rate for one in ours],
            [one.rate for one in theirs],
            "at least 0.30 of the baseline (stretch 0.38)",
            at_least(0.30),
        ),
        alone("w", "CPU for 1,000 messages", "s", cpu, "at most 1.3 s (stretch 0.9)", at_most(1.3)),
        *(
            alone("w", f"CPU for 1,000 messages: {name}", "s", [one.cpu[name] for one in ours])
            for name in sorted(ours[0].cpu)
        ),
        alone("w", "CPU for 1,000 messages: the baseline", "s", their_cpu),
        alone("w", "CPU for 1,000 messages: the client", "s", client, note="not counted above"),
    ]
    for percent in ("p50", "p99"):
        values, baselines = ([getattr(one, percent) for one in side] for side in (ours, theirs))
        figures.append(alone("w", f"{percent} with 200 consumers who never pause", "ms", values))
        figures.append(alone("w", f"{percent} of the baseline", "ms", baselines))
    return figures
