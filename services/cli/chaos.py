"""`botlane test --chaos`: what becomes of conversations when the services behind a bot fail."""

import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from services.cli.failure import FINDINGS
from services.cli.progress import watched
from services.tester.batch import processes, spread
from services.tester.chaos import shake
from services.tester.chaos_report import as_played, chaos_json, chaos_summary, count_findings, show_chaos
from services.tester.faults import FAULTS
from services.tester.junit import junit
from services.tester.suite import Scenario

_CHUNK = 2


def shake_all(scenarios: Sequence[Scenario], jobs: int, *, json_form: bool, junit_file: Path | None) -> int:
    """Play the scenarios under every fault, say what was found, and return the exit code."""
    console = Console(highlight=False, soft_wrap=True, stderr=json_form)
    started = time.perf_counter()
    used = min(processes(jobs, len(scenarios) * len(FAULTS)), len(scenarios))
    ended = list(watched(console, spread(shake, scenarios, used, _CHUNK), len(scenarios)))
    seconds = time.perf_counter() - started
    ended.sort(key=lambda one: one.place)
    found = count_findings(ended)
    if junit_file is not None:
        junit_file.write_bytes(junit(as_played(ended)))
    if json_form:
        click.echo(chaos_json(ended))
    else:
        show_chaos(console, ended)
    console.print(chaos_summary(ended, seconds), style="bold red" if found else "green")
    return FINDINGS if found else 0
