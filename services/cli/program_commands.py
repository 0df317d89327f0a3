"""`botlane gateway`, `dialog-worker` and `integration-worker`: the programs in the foreground, and their health."""

import os
import sys

import click

from services.cli.failure import FINDINGS
from services.cli.readiness import is_ready
from services.cli.settings_help import epilog
from services.settings import read_settings

_CHECK = "Ask the program that runs on this machine whether it is ready, at BOTLANE_OPS: exit code 0 or 1."


def _program(name: str, about: str) -> click.Command:
    @click.command(name, help=about, epilog=epilog())
    @click.option("--check", is_flag=True, help=_CHECK)
    def command(*, check: bool) -> int:
        settings = read_settings()
        if not check:
            module = f"services.{name.replace('-', '_')}"
            os.execv(sys.executable, [sys.executable, "-P", "-m", module])  # noqa: S606 - becomes the program itself
        ready = is_ready(settings.ops)
        click.echo(
            f"{name}: {'ready' if ready else f'not ready: no 200 from http://{settings.ops}/readyz'}", err=not ready
        )
        return 0 if ready else FINDINGS

    return command


gateway = _program("gateway", "Accept messages, Web View calls and readers over HTTP.")
dialog_worker = _program("dialog-worker", "Take the turns of conversations from the queue.")
integration_worker = _program("integration-worker", "Make the calls that bots ask for.")
