"""Which server a command speaks to: `--redis`, that of a running `botlane run` (`--data`), or BOTLANE_REDIS_URL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from services.cli.data_folder import READY
from services.cli.failure import CommandFailed
from services.setting_forms import REDIS_URL
from services.settings import Settings


class _Announced(msgspec.Struct):
    redis: str = ""


def with_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--redis` and `--data`."""
    data = click.option("--data", type=click.Path(path_type=Path), help="Data folder of a botlane run that runs now.")
    redis = click.option("--redis", default="", help="Redis address [default: BOTLANE_REDIS_URL].")
    return redis(data(command))


def server_address(redis: str, data: Path | None, settings: Settings) -> str:
    """Return the address of the server meant. Raises CommandFailed when nothing runs on the data folder."""
    if redis:
        try:
            return str(REDIS_URL.read(redis))
        except ValueError:
            raise CommandFailed(f"--redis {redis!r} cannot be used: give it {REDIS_URL.hint}.") from None
    if data is None:
        return settings.redis_url
    try:
        return msgspec.json.decode((data / READY).read_bytes(), type=_Announced).redis or settings.redis_url
    except (OSError, msgspec.DecodeError):
        raise CommandFailed(f"{data}: no botlane run uses this folder now: start it, or give --redis.") from None
