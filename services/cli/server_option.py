"""Which server a command speaks to: `--redis`, that of a running `botlane run` (`--data`), or BOTLANE_REDIS_URL."""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from arq.connections import ArqRedis

from services.cli.data_folder import READY, lives
from services.cli.failure import CommandFailed
from services.setting_forms import REDIS_URL
from services.settings import Settings
from shared.store.connection import RedisUnreachable, connect, reach


class _Announced(msgspec.Struct):
    redis: str = ""
    pid: int = 0


def with_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--redis` and `--data`; what is wrong with the server is said of the one given."""

    @functools.wraps(command)
    def told(*, redis: str, data: Path | None, **more: Any) -> Any:
        option = "--redis" if redis else "BOTLANE_REDIS_URL" if data is None else "--data"
        with named_by(option):
            return command(redis=redis, data=data, **more)

    data = click.option("--data", type=click.Path(path_type=Path), help="Data folder of a botlane run that runs now.")
    redis = click.option("--redis", default="", help="Redis address [default: BOTLANE_REDIS_URL].")
    return redis(data(told))


@contextlib.contextmanager
def named_by(option: str) -> Iterator[None]:
    """Let the message of a server that cannot be used name what it was given by."""
    try:
        yield
    except RedisUnreachable as error:
        raise RedisUnreachable(str(error).replace("BOTLANE_REDIS_URL", option)) from error


def check_address(redis: str) -> str:
    """Return what `--redis` was given. Raises CommandFailed, without the address, which may hold a password."""
    try:
        return str(REDIS_URL.read(redis))
    except ValueError as error:
        raise CommandFailed(f"--redis cannot be used: give it {REDIS_URL.hint_for(error)}.") from None


def server_address(redis: str, data: Path | None, settings: Settings) -> str:
    """Return the address of the server meant. Raises CommandFailed when nothing runs on the data folder."""
    if redis:
        return check_address(redis)
    if data is None:
        return settings.redis_url
    with contextlib.suppress(OSError, msgspec.DecodeError):
        announced = msgspec.json.decode((data / READY).read_bytes(), type=_Announced)
        if announced.pid and lives(announced.pid):  # one that was killed leaves the file behind
            return announced.redis or settings.redis_url
    raise CommandFailed(f"{data}: no botlane run uses this folder now: start it, or give --redis.")


@contextlib.asynccontextmanager
async def server(url: str) -> AsyncIterator[ArqRedis]:
    """Connect to a server that answers. Raises RedisUnreachable, with how to name another one."""
    async with connect(url) as redis:
        try:
            await reach(redis)
        except RedisUnreachable as error:
            raise RedisUnreachable(f"{error} That of a running `botlane run` is found with --data .botlane.") from error
        yield redis
