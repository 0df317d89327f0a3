"""The command line's table of contents: each command's module is imported when the command is used."""

import contextlib
import importlib
import signal
import threading
from collections.abc import Iterator

import click

COMMANDS = {
    "run": "services.cli.run_command:run",
    "check": "services.cli.check_command:check",
    "credentials": "services.cli.credentials_commands:credentials",
    "deploy": "services.cli.bots_commands:deploy",
    "bots": "services.cli.bots_commands:bots",
    "call": "services.cli.call_command:call",
    "test": "services.cli.tests_command:test",
    "trace": "services.cli.trace_command:trace",
    "status": "services.cli.status_command:status",
    "integrations": "services.cli.integrations_command:integrations",
    "dead": "services.cli.dead_commands:dead",
    "forget": "services.cli.forget_command:forget",
    "forms": "services.cli.forms_command:forms",
    "verify": "services.cli.verify_command:verify",
    "gateway": "services.cli.program_commands:gateway",
    "dialog-worker": "services.cli.program_commands:dialog_worker",
    "integration-worker": "services.cli.program_commands:integration_worker",
}


class LazyGroup(click.Group):
    """A group that knows its commands by the place they are defined."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None for an unknown name."""
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        with _ended_by_ctrl_c():
            command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process at once: raised as an exception in the middle of an import it may be swallowed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="botlane", message="botlane %(version)s")
def botlane() -> None:
    """Run conversation bots exported from LivePerson Conversation Builder.

    Exit codes: 0 done, 1 findings or a failure, 2 wrong use or a bad file, 3 Redis not reachable, 130 interrupted.
    """
