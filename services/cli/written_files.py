"""Files that a command is asked to write: one that cannot be is refused before the work begins."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from services.cli.failure import CommandFailed


def refuse_unwritable(option: str, path: Path | None) -> None:
    """Raise CommandFailed when a file cannot be written at the path that an option was given."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise CommandFailed(f"{option} {path}: there is no folder {path.parent}. Make it, or give another path.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandFailed(f"{option} {path}: you may not write there. Give a path you may write to.")


@contextlib.contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Raise CommandFailed when a file or folder cannot be written; a full disk is told where commands end."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        message = f"{option} {path}: it cannot be written ({error.strerror}). Give a path you may write to."
        raise CommandFailed(message) from error
