"""A bot as it is stored: the bytes of its export and the text of its manifest, named by their content."""

import codecs
import hashlib
from functools import cached_property
from pathlib import Path

import msgspec

from shared.bot.errors import BotError


class _Blob(msgspec.Struct, frozen=True):
    export: bytes
    manifest: str


_DECODER = msgspec.msgpack.Decoder(_Blob)  # made here: threads must not learn a type together


class BotSource:
    """What `deploy` publishes. Two sources with the same content have the same `version`."""

    def __init__(self, export: bytes, manifest: str = "", file: str = "export", manifest_file: str = "") -> None:
        self.export = export
        self.manifest = manifest
        self.file = file
        self.manifest_file = manifest_file or "manifest"

    @cached_property
    def blob(self) -> bytes:
        """The content of `bot-version:<version>`: references to secrets, never secrets."""
        return msgspec.msgpack.encode(_Blob(self.export, self.manifest))

    @cached_property
    def version(self) -> str:
        """The SHA-256 of the content, in hex."""
        return hashlib.sha256(self.blob).hexdigest()


def open_blob(blob: bytes) -> BotSource:
    """Return the source a blob was made of. Raises BotError when it is no blob."""
    try:
        content = _DECODER.decode(blob)
    except msgspec.DecodeError as error:
        raise BotError("bot version", "", "its stored content cannot be read", "Deploy the bot again") from error
    return BotSource(content.export, content.manifest)


def read_bot(path: Path, manifest: Path | None = None) -> BotSource:
    """Read an export and the manifest beside it (`<name>.botlane.toml`), or the one given.

    Raises BotError when a file cannot be read; a manifest beside the export may be missing. A byte order mark, which
    some editors put at the start, is no part of either.
    """
    beside = manifest or path.with_name(f"{path.stem}.botlane.toml")
    export = _read(path, "an exported bot (JSON)").removeprefix(codecs.BOM_UTF8)
    text = ""
    if manifest is not None or beside.exists():
        try:
            text = _read(beside, "a manifest (TOML)").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BotError(str(beside), "", "not UTF-8 text", "Save the manifest as UTF-8") from error
    return BotSource(export, text, str(path), str(beside))


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BotError(str(path), "", "there is no such file", f"Give the path of {what}") from error
    except IsADirectoryError as error:
        raise BotError(str(path), "", "this is a folder", f"Give the path of {what}") from error
    except OSError as error:
        raise BotError(str(path), "", f"cannot be read: {error.strerror}", "Check its permissions") from error
