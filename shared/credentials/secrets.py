"""Secrets by reference, read when they are needed: from the environment, a file, or what a command prints.

What is wrong with one names the reference, never a value. A file is read again when it has changed; what a command
printed is kept for `KEPT_SECONDS`.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from shared.bot.manifest_credentials import Secret

KEPT_SECONDS = 300.0
COMMAND_SECONDS = 10.0
LARGEST = 256 * 1024

_Stamp = tuple[int, int, int]


class SecretMissing(Exception):  # noqa: N818 - says what is the matter
    """A secret cannot be read: the message names its reference and what to mend, and holds no value."""


def reference(secret: Secret) -> str:
    """Return what a reference is called: of a command the program alone, since its arguments may be secret."""
    if secret.env:
        return f"the environment variable {secret.env}"
    if secret.file:
        return f"the file {secret.file}"
    return f"the command {program_of(secret) or '(empty)'}"


def program_of(secret: Secret) -> str:
    """Return the program that the command of a reference starts; empty when there is none."""
    return next(iter(_words(secret.command)), "")


def is_there(secret: Secret, environment: Mapping[str, str]) -> bool:
    """Tell whether a secret is on this machine, without reading it; no command is run."""
    if secret.env:
        return bool(environment.get(secret.env))
    if secret.file:
        return Path(secret.file).is_file()
    return shutil.which(program_of(secret)) is not None


class SecretReader:
    """Reads secrets in one program.

    `environment` is what `{ env = … }` may name, and what commands see; `commands` says whether those may be run.
    `closed` are files that no manifest may name, and folders in which it may name none.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        commands: bool,
        seconds: float = COMMAND_SECONDS,
        closed: tuple[str, ...] = (),
    ) -> None:
        self._environment = environment
        self._closed = closed
        self._commands = commands
        self._seconds = seconds
        self._files: dict[str, tuple[_Stamp, bytes]] = {}
        self._printed: dict[str, tuple[float, asyncio.Task[bytes]]] = {}

    def __repr__(self) -> str:
        return "SecretReader(...)"

    async def text(self, secret: str | Secret) -> str:
        """Return a secret of one line, without the line break at its end. Raises SecretMissing."""
        if isinstance(secret, str):
            return secret
        try:
            text = (await self.content(secret)).decode().strip("\r\n")
        except UnicodeDecodeError:
            raise SecretMissing(f"{reference(secret)} does not hold UTF-8 text") from None
        if not text or any(ord(character) < 32 or ord(character) == 127 for character in text):
            problem = "has more than one line" if text.strip() else "is empty"
            raise SecretMissing(f"{reference(secret)} {problem}")
        return text

    async def content(self, secret: Secret) -> bytes:
        """Return a secret as it is, such as a key in PEM. Raises SecretMissing."""
        if secret.env:
            value = self._environment.get(secret.env)
            if not value:
                raise SecretMissing(f"{reference(secret)} is not set where the integration worker runs")
            return value.encode("utf-8", "surrogateescape")
        if secret.file:
            return await asyncio.to_thread(self._read, secret)
        return await self._of_command(secret)

    def forget(self, secret: Secret) -> bool:
        """Let a command be run again the next time; tell whether there was one to forget."""
        return self._printed.pop(secret.command, None) is not None

    def _read(self, secret: Secret) -> bytes:
        path = Path(secret.file)
        try:
            found = path.stat()
            if self._is_closed(path, found):
                raise SecretMissing(f"{reference(secret)} is Botlane's own and not for bots")
            if not stat.S_ISREG(found.st_mode):
                raise SecretMissing(f"{reference(secret)} is no file that has an end")
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._files.get(secret.file)
            if known is not None and known[0] == stamp:
                return known[1]
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise SecretMissing(f"{reference(secret)} is larger than {LARGEST} bytes: it is no secret")
        except OSError as error:
            raise SecretMissing(f"{reference(secret)} cannot be read ({error.strerror})") from None
        if not content.strip():
            raise SecretMissing(f"{reference(secret)} is empty")
        self._files[secret.file] = (stamp, content)
        return content

    def _is_closed(self, path: Path, found: os.stat_result) -> bool:
        closed = [Path(file).stat() for file in self._closed if Path(file).exists()]
        if not closed:
            return False
        places = [found, *(folder.stat() for folder in path.resolve().parents)]
        return any(os.path.samestat(place, one) for place in places for one in closed)

    async def _of_command(self, secret: Secret) -> bytes:
        """Run a command once for all who ask; what went wrong is not kept."""
        if not self._commands:
            raise SecretMissing(f"{reference(secret)} is not run: this worker has no BOTLANE_SECRET_COMMANDS=1")
        known = self._printed.get(secret.command)
        if known is None or known[0] < time.monotonic():
            task = asyncio.create_task(self._run(secret))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # heard, even if nobody waits
            known = self._printed[secret.command] = (time.monotonic() + KEPT_SECONDS, task)
        try:
            return await asyncio.shield(known[1])
        except SecretMissing:
            if self._printed.get(secret.command) == known:
                del self._printed[secret.command]
            raise

    async def _run(self, secret: Secret) -> bytes:
        words = _words(secret.command)
        if not words:
            raise SecretMissing(f"{reference(secret)} cannot be read as words: mend its quotes")
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(self._environment),
                start_new_session=True,
            )
        except OSError as error:
            raise SecretMissing(f"{reference(secret)} cannot be started ({error.strerror})") from None
        try:
            async with asyncio.timeout(self._seconds):
                printed, _ = await process.communicate()
        except TimeoutError:
            raise SecretMissing(f"{reference(secret)} did not end within {self._seconds:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            # asyncio closes it by itself a little later, which the end of the loop may come before
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        if process.returncode:
            raise SecretMissing(f"{reference(secret)} ended with exit code {process.returncode}")
        if not printed.strip() or len(printed) > LARGEST:
            raise SecretMissing(f"{reference(secret)} printed {'too much' if printed.strip() else 'nothing'}")
        return printed


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []
