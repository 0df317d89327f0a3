"""What consumers suffer when services fail, per integration and fault: for a person, a program and a build server."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from services.tester.chaos import Finding, Shaken, Trial
from services.tester.faults import FAULTS
from services.tester.marked import Place
from services.tester.playing import Failure, Played

_ABOUT = {fault.name: fault.about for fault in FAULTS}
_PLACES = 6
_LONGEST = 160


class _Found(msgspec.Struct, frozen=True):
    """A finding and the test in which it was made."""

    test: str
    finding: Finding


def count_findings(shaken: Iterable[Shaken]) -> int:
    """Return how many findings there are; a test that fails without any fault is one."""
    return sum(bool(one.broken) + sum(len(trial.findings) for trial in one.trials) for one in shaken)


def show_chaos(console: Console, shaken: Sequence[Shaken]) -> None:
    """Print what each integration's faults did, bot by bot."""
    for one in shaken:
        if one.broken:
            console.print(Text(f"✗ {one.name} fails without any fault", style="bold red"))
            console.print(Text(f"  {one.broken}\n"))
    for (bot, integration), trials in _by_integration(shaken).items():
        console.print(Text(f"{bot.name}: {integration}", style="bold"))
        for line in _integration(trials):
            console.print(line)
        console.print()
    for bot, integration in _uncalled(shaken):
        console.print(Text(f"- {bot.name}: {integration} is called by no test", style="yellow"))


def chaos_summary(shaken: Sequence[Shaken], seconds: float) -> str:
    """Return the last line."""
    trials = [trial for one in shaken for trial in one.trials]
    steps = sum(trial.steps for trial in trials)
    rate = round(steps / seconds) if seconds else 0
    findings = count_findings(shaken)
    found = f"{findings} finding{'' if findings == 1 else 's'}" if findings else "no findings"
    if not trials and not findings:
        return "No test calls an integration: there is nothing to break."
    tests = f"{len(shaken)} test{'' if len(shaken) == 1 else 's'}"
    faults = f"{len(trials)} fault{'' if len(trials) == 1 else 's'}"
    return f"{found}: {tests} under {faults}, {steps} steps in {seconds:.2f} s, {rate} a second."


def chaos_json(shaken: Sequence[Shaken]) -> bytes:
    """Return all of it as one JSON object."""
    told = {
        "findings": count_findings(shaken),
        "broken": [{"test": one.name, "why": one.broken} for one in shaken if one.broken],
        "integrations": [
            {
                "bot": str(bot),
                "integration": integration,
                "faults": [_fault_json(name, tried) for name, tried in _by_fault(trials).items()],
            }
            for (bot, integration), trials in _by_integration(shaken).items()
        ],
        "uncalled": [{"bot": str(bot), "integration": integration} for bot, integration in _uncalled(shaken)],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def as_played(shaken: Iterable[Shaken]) -> list[Played]:
    """Return every trial as a case of its own, for JUnit XML."""
    return [case for one in shaken for case in (_broken(one) if one.broken else _cases(one))]


def _broken(one: Shaken) -> list[Played]:
    return [Played(place=one.place, name=one.name, failure=Failure(one.place, one.broken), seconds=one.seconds)]


def _cases(one: Shaken) -> Iterator[Played]:
    for trial in one.trials:
        later = f" from call {trial.first} on" if trial.first > 1 else ""
        name = f"{one.name} [{trial.integration} {trial.fault}{later}]"
        seconds = one.seconds / len(one.trials)
        yield Played(place=one.place, name=name, steps=trial.steps, failure=_failure(trial), seconds=seconds)


def _failure(trial: Trial) -> Failure | None:
    if not trial.findings:
        return None
    first = trial.findings[0]
    sentence = "; ".join(dict.fromkeys(f"{finding.kind}: {finding.note}" for finding in trial.findings))
    return Failure(first.place, sentence, heard="\n".join(first.heard), warnings=trial.scripts)


def _integration(trials: list[tuple[Shaken, Trial]]) -> Iterator[Text]:
    """Tell of one integration: what each fault did to consumers, then which faults did nothing."""
    fine: list[str] = []
    for fault, tried in _by_fault(trials).items():
        found = [_Found(one.name, finding) for one, trial in tried for finding in trial.findings]
        if not found:
            fine.append(fault)
            continue
        yield Text(f"  ✗ {fault}", style="red").append(f": the service {_ABOUT[fault]}", style="not bold default")
        for (kind, note), alike in _alike(found).items():
            yield Text(f"      {kind}: {note}")
            places = list(dict.fromkeys(_short(one.finding.place) for one in alike))
            more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
            yield Text(f"        {', '.join(places[:_PLACES])}{more}", style="cyan")
            if heard := " | ".join(alike[0].finding.heard):
                yield Text(f"        heard: {_cut(heard)}")
    if fine:
        yield Text("  ✓ ", style="green").append(", ".join(fine), style="default")
    for script, faults in _failing_scripts(trials).items():
        yield Text(f"  ! {script}", style="yellow").append(f" ({', '.join(faults)})", style="default")


def _alike(found: list[_Found]) -> dict[tuple[str, str], list[_Found]]:
    """Put findings of one kind together."""
    groups: dict[tuple[str, str], list[_Found]] = defaultdict(list)
    for one in found:
        groups[one.finding.kind, one.finding.note].append(one)
    return groups


def _failing_scripts(trials: list[tuple[Shaken, Trial]]) -> dict[str, list[str]]:
    """Return under which faults each script ends with an error."""
    failing: dict[str, list[str]] = defaultdict(list)
    for _, trial in trials:
        for script in trial.scripts:
            if trial.fault not in failing[script]:
                failing[script].append(trial.fault)
    return failing


def _fault_json(name: str, tried: list[tuple[Shaken, Trial]]) -> dict[str, object]:
    return {
        "fault": name,
        "about": _ABOUT[name],
        "tried": len(tried),
        "findings": [
            {
                "kind": finding.kind,
                "note": finding.note,
                "test": one.name,
                "file": finding.place.file,
                "line": finding.place.line,
                "heard": finding.heard,
            }
            for one, trial in tried
            for finding in trial.findings
        ],
        "scripts": sorted({script for _, trial in tried for script in trial.scripts}),
    }


def _by_integration(shaken: Iterable[Shaken]) -> dict[tuple[Path, str], list[tuple[Shaken, Trial]]]:
    found: dict[tuple[Path, str], list[tuple[Shaken, Trial]]] = defaultdict(list)
    for one in sorted(shaken, key=lambda one: one.place):
        for trial in one.trials:
            found[one.bot, trial.integration].append((one, trial))
    return found


def _uncalled(shaken: Iterable[Shaken]) -> list[tuple[Path, str]]:
    """Return the integrations that were never at fault, because no test that passes calls them."""
    listed = list(shaken)
    tried = _by_integration(listed)
    known = dict.fromkeys((one.bot, name) for one in listed for name in one.integrations)
    return [one for one in known if one not in tried]


def _by_fault(trials: list[tuple[Shaken, Trial]]) -> dict[str, list[tuple[Shaken, Trial]]]:
    """Group trials by fault, in the order of the table."""
    found = {name: [(one, trial) for one, trial in trials if trial.fault == name] for name in _ABOUT}
    return {name: tried for name, tried in found.items() if tried}


def _short(place: Place) -> str:
    return f"{Path(place.file).name}:{place.line}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
