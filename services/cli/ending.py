"""How a command ends: with its exit code, and with one message on stderr when something went wrong."""

import errno
import os
import sys
from pathlib import Path

import click

from services.cli.app import botlane
from services.cli.failure import FINDINGS, INTERRUPTED, NO_REDIS, WRONG_USE, CommandFailed
from services.settings import SettingsError
from shared.bot.errors import BotError
from shared.store.connection import RedisUnreachable

_OF_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EACCES)
"""What is wrong with a path that a command was given, wherever it is found out."""
_LONG_NAME = 200


def run_command(arguments: list[str] | None) -> int:
    """Run one command and return its exit code."""
    _open_what_is_closed()
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
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _without_output(error)
        if error.errno in _OF_A_PATH and error.filename is not None:
            name = click.format_filename(error.filename, shorten=len(str(error.filename)) > _LONG_NAME)
            return _say(f"{name[:_LONG_NAME]}: {error.strerror}. Give another path.", WRONG_USE)
        raise
    return code if isinstance(code, int) else 0


def _open_what_is_closed() -> None:
    """Let a command that was started with `>&-` say what it likes: nobody listens."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - see above


def _without_output(error: OSError) -> int:
    """Say that the disk is full; what could not be written is not tried again when the process ends."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    return _say(f"no more can be written ({error.strerror}): make room where the output and the data go.", FINDINGS)


def _say(message: str, code: int) -> int:
    click.echo(f"botlane: {message}", err=True)
    return code
