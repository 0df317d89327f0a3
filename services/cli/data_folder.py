"""The folder in which `botlane run` keeps its data: lock, secret, the server's files, logs, and where it listens.

Only one `run` uses a folder at a time. Its server holds the lock too, so that after a crash the folder is free only
when nothing writes to it any more.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import msgspec

from services.cli.failure import CommandFailed

USUAL = Path(".botlane")
READY = "ready.json"
PATIENCE = 3.0
"""Seconds to wait for a folder whose holder has died: its server is about to end."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, as written into it."""

    pid: int
    started: str


class DataFolder:
    """A data folder that this process holds, from `DataFolder(path)` to `close()`.

    Raises CommandFailed when the folder cannot be used or another process holds it; it was given by `option`.
    """

    def __init__(self, path: Path, option: str = "--data") -> None:
        self.path = path.absolute()
        self._option = option
        try:
            for folder in (self.path, self.server, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock = self._take_lock()
        except OSError as error:
            raise CommandFailed(
                f"{path}: cannot keep data here ({error.strerror}). Give a folder you may write to with {option}."
            ) from error
        self._remove_left_socket()
        for log in self.logs.glob("*.log"):  # each run begins its own
            log.unlink()

    @property
    def server(self) -> Path:
        """Where the embedded server keeps its append-only file."""
        return self.path / "valkey"

    @property
    def logs(self) -> Path:
        """Where each program's output goes."""
        return self.path / "logs"

    @property
    def ready(self) -> Path:
        """`ready.json`: the address and the process ids, there while everything runs."""
        return self.path / READY

    def secret(self) -> str:
        """Return the folder's secret, made at first use and readable by its owner only."""
        file = self._secret_file
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as made:
                made.write(secrets.token_hex(32))
        text = file.read_text().strip()
        if len(text) < 16:
            raise CommandFailed(f"{file} holds no usable secret: remove it and a new one is made.")
        return text

    def closed(self) -> tuple[str, ...]:
        """Return what no manifest may name: everything in here. Raises CommandFailed for a name with a comma."""
        if "," in str(self.path):
            raise CommandFailed(f"{self.path} has a comma, which lists of files cannot carry: give another --data.")
        return str(self.path), str(self._secret_file)

    def socket_folder(self) -> Path:
        """Make a fresh folder with a short path for the server's socket (paths over 107 bytes fail)."""
        roof = None if len(os.fsencode(tempfile.gettempdir())) <= 60 else "/tmp"  # noqa: S108 - mkdtemp inside
        folder = Path(tempfile.mkdtemp(prefix="botlane-", dir=roof))
        self._socket_note.write_text(str(folder))
        return folder

    def announce(self, content: object) -> None:
        """Write `ready.json` in one step: readers see it whole or not at all."""
        fresh = self.ready.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        fresh.replace(self.ready)

    def close(self) -> None:
        """Give the folder back: neither lock, socket nor `ready.json` stay."""
        self.ready.unlink(missing_ok=True)
        self._remove_left_socket()
        self._lock_file.unlink(missing_ok=True)
        os.close(self.lock)

    @property
    def _secret_file(self) -> Path:
        return self.path / "secret"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def _socket_note(self) -> Path:
        return self.path / "socket-folder"

    def _remove_left_socket(self) -> None:
        """Remove the socket's folder, ours or one that a killed process left behind."""
        with contextlib.suppress(FileNotFoundError):
            folder = Path(self._socket_note.read_text())
            if folder.name.startswith("botlane-"):
                shutil.rmtree(folder, ignore_errors=True)
            self._socket_note.unlink()

    def _take_lock(self) -> int:
        patience = time.monotonic() + PATIENCE
        while True:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
                os.close(descriptor)
                if (holder and lives(holder.pid)) or time.monotonic() > patience:
                    raise CommandFailed(self._in_use(holder)) from None
                time.sleep(0.05)
                continue
            if self._is_current(descriptor):
                self.ready.unlink(missing_ok=True)
                os.ftruncate(descriptor, 0)
                os.write(descriptor, msgspec.json.encode(Holder(os.getpid(), time.strftime("%Y-%m-%d %H:%M:%S"))))
                return descriptor
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked file is still the one with the lock's name: its last holder removes it."""
        try:
            return os.fstat(descriptor).st_ino == self._lock_file.stat().st_ino
        except FileNotFoundError:
            return False

    def _in_use(self, holder: Holder | None) -> str:
        who = f"process {holder.pid}, started {holder.started}" if holder else "another process"
        return f"{self.path} is in use by {who}: stop it, or give another folder with {self._option}."


def _holder(descriptor: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder)
    except msgspec.DecodeError:
        return None


def lives(pid: int) -> bool:
    """Tell whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
