"""The command line's table of contents: each command's module is imported when the command is used."""

import importlib

import click

from services.cli.ctrl_c import ended_by_ctrl_c

SECTIONS = {
    "Bots on this machine": {
        "run": "services.cli.run_command:run",
        "check": "services.cli.check_command:check",
        "test": "services.cli.tests_command:test",
        "call": "services.cli.call_command:call",
    },
    "An installation": {
        "deploy": "services.cli.bots_commands:deploy",
        "bots": "services.cli.bots_commands:bots",
        "status": "services.cli.status_command:status",
        "trace": "services.cli.trace_command:trace",
        "dead": "services.cli.dead_commands:dead",
        "integrations": "services.cli.integrations_command:integrations",
        "credentials": "services.cli.credentials_commands:credentials",
        "forms": "services.cli.forms_command:forms",
        "forget": "services.cli.forget_command:forget",
        "verify": "services.cli.verify_command:verify",
    },
    "Its programs": {
        "gateway": "services.cli.program_commands:gateway",
        "dialog-worker": "services.cli.program_commands:dialog_worker",
        "integration-worker": "services.cli.program_commands:integration_worker",
    },
}
COMMANDS = {name: place for commands in SECTIONS.values() for name, place in commands.items()}


class LazyGroup(click.Group):
    """A group that knows its commands by the place they are defined."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands for `--help`, section by section."""
        for title, names in SECTIONS.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                formatter.write_dl([(name, command.get_short_help_str(100)) for name, command in found if command])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None for an unknown name."""
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        with ended_by_ctrl_c():
            command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="botlane", message="botlane %(version)s")
def botlane() -> None:
    """Run conversation bots exported from LivePerson Conversation Builder.

    Exit codes: 0 done, 1 findings or a failure, 2 wrong use or a bad file, 3 Redis not reachable, 130 interrupted.
    """
