"""The verdict and the figures, for people and as JSON."""

from collections import Counter

import msgspec

from services.verifier.chaos import Strike
from services.verifier.gateways import Gateways
from services.verifier.history import Stall, Talk, Violation
from services.verifier.load import Load, Plan

_MOST_SHOWN = 20


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """What a run found. Stalls are seconds from acceptance to answer, those of calls and what waited behind them apart.

    `slowest` and `strikes` say when they were, so that they can be held against each other. `unknown` sends were cut
    off or told 503.
    """

    verdict: str
    seed: int
    conversations: int
    events: int
    answers: int
    seconds: float
    events_per_second: float
    stall: dict[str, float]
    call_stall: dict[str, float]
    slowest: list[Stall]
    strikes: list[Strike]
    duplicates_refused: int
    unknown: int
    connections_cut: int
    answers_503: int
    answers_429: int
    failed_calls: dict[str, int]
    violations: list[Violation]
    histories: list[Talk]


def report_of(plan: Plan, load: Load, gateways: Gateways, struck: list[Strike]) -> Report:
    """Return the report of a load that has ended."""
    return Report(
        verdict="violated" if load.violations else "kept",
        seed=plan.seed,
        conversations=load.ended,
        events=load.events,
        answers=load.answers,
        seconds=round(load.seconds, 3),
        events_per_second=round(load.events / load.seconds, 1) if load.seconds else 0.0,
        stall=_spread([stall.seconds for stall in load.stalls if not stall.behind_call]),
        call_stall=_spread([stall.seconds for stall in load.stalls if stall.behind_call]),
        slowest=_slowest(load.stalls),
        strikes=struck,
        duplicates_refused=load.duplicates,
        unknown=load.unknown,
        connections_cut=gateways.cut,
        answers_503=gateways.statuses[503],
        answers_429=gateways.statuses[429],
        failed_calls=dict(load.failed_calls),
        violations=load.violations,
        histories=load.histories,
    )


_SHARES = {"p50": 0.5, "p99": 0.99, "worst": 1.0}


def _spread(values: list[float]) -> dict[str, float]:
    return {name: round(percentile(values, share), 4) for name, share in _SHARES.items()}


def _slowest(stalls: list[Stall]) -> list[Stall]:
    """Return the slowest answers, those that waited for no call first."""
    found = sorted(stalls, key=lambda stall: stall.seconds, reverse=True)
    plain, behind = ([stall for stall in found if stall.behind_call is which] for which in (False, True))
    return plain[:_MOST_SHOWN] + behind[:_MOST_SHOWN]


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share (0 to 1) of the values lies, 0 when there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, min(len(values), round(len(values) * share)) - 1)]


def lines(report: Report) -> list[str]:
    """Return the report as text."""
    rate = f"{report.events:,} events in {report.seconds:.1f} s ({report.events_per_second:,.0f}/s)"
    refused = f"{report.duplicates_refused:,} duplicates refused, {report.unknown:,} sends cut off"
    answers = f"{report.answers_503:,} answers 503, {report.answers_429:,} answers 429"
    strikes = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(s.kind for s in report.strikes).items()))
    failed = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.failed_calls.items())) or "0"
    conversations = f"{report.conversations:,} {'conversation' if report.conversations == 1 else 'conversations'}"
    told = [
        f"{conversations}, {rate}, {report.answers:,} answers",
        f"from acceptance to answer: {_times(report.stall)}",
        f"  of calls and behind them: {_times(report.call_stall)}, {failed} calls failed",
        f"{refused}, {answers}",
    ]
    if strikes:
        told.append(f"struck: {strikes}")
    told += [f"! {one.conversation} {one.kind}: {one.what}" for one in report.violations[:_MOST_SHOWN]]
    if len(report.violations) > _MOST_SHOWN:
        told.append(f"! and {len(report.violations) - _MOST_SHOWN:,} more")
    if report.violations:
        told.append(f"Violated: {_kinds(report.violations)} (seed {report.seed}).")
    else:
        told.append(f"Kept: nothing lost, nothing doubled, nothing overtaken (seed {report.seed}).")
    return told


def as_json(report: Report) -> bytes:
    """Return the report as JSON."""
    return msgspec.json.format(msgspec.json.encode(report))


def _kinds(violations: list[Violation]) -> str:
    counted = Counter(one.kind for one in violations)
    return ", ".join(f"{count:,} {kind}" for kind, count in counted.most_common())


def _times(stall: dict[str, float]) -> str:
    return ", ".join(f"{name} {_ms(seconds)}" for name, seconds in stall.items())


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
