"""Starts the command line: `python -m services.cli` and `botlane`."""

import sys

import click

from services.cli.app import botlane
from services.cli.failure import INTERRUPTED, NO_REDIS, WRONG_USE, CommandFailed
from services.settings import SettingsError
from shared.bot.errors import BotError
from shared.store.connection import RedisUnreachable


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with 0, 1, 2, 3 or 130; what went wrong is one message on stderr."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = botlane.main(arguments, prog_name="botlane", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except CommandFailed as error:
        return _say(str(error), error.exit_code)
    except (BotError, SettingsError) as error:
        return _say(str(error), WRONG_USE)
    except RedisUnreachable as error:
        return _say(str(error), NO_REDIS)
    return code if isinstance(code, int) else 0


def _say(message: str, code: int) -> int:
    click.echo(f"botlane: {message}", err=True)
    return code


if __name__ == "__main__":
    main()
