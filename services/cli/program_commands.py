"""`botlane gateway`, `dialog-worker` and `integration-worker`: the programs in the foreground, and their health."""

import os
import sys

import click

from services.cli.settings_help import epilog
from services.program import CHECK_HELP
from services.settings import read_settings


def _program(name: str, about: str) -> click.Command:
    @click.command(name, help=about, epilog=epilog())
    @click.option("--check", is_flag=True, help=CHECK_HELP)
    def command(*, check: bool) -> int:
        read_settings()  # what is wrong with them is said here, as by every other command
        module = f"services.{name.replace('-', '_')}"
        options = ["--check"] if check else []
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, *options])  # noqa: S606 - becomes the program itself

    return command


gateway = _program("gateway", "Accept messages, Web View calls and readers over HTTP.")
dialog_worker = _program("dialog-worker", "Take the turns of conversations from the queue.")
integration_worker = _program("integration-worker", "Make the calls that bots ask for.")
