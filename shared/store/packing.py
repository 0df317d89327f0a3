"""Commands in Redis' protocol. hiredis packs them; what is the same in many is packed once.

A call of a script names sixteen keys of a conversation: packing them anew cost the dialog worker an eighth of its CPU.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import hiredis
from redis.connection import HiredisRespSerializer
from redis.exceptions import DataError

_serializer = HiredisRespSerializer()


class Block(NamedTuple):
    """Some arguments of a command: how many, packed, and what gives them as they are."""

    size: int
    packed: bytes
    plain: Callable[[], Sequence[str]]


NOTHING = Block(0, b"", tuple)


class Script:
    """The text of a script and the name the server knows it by; `head` is how its calls begin, after their length."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.head = packed("EVALSHA", self.sha)


class ScriptCall:
    """A call of a script by its hash. Iterating gives the arguments, for connections that pack by themselves."""

    __slots__ = ("_arguments", "_keys", "_more_keys", "_script")

    def __init__(self, script: Script, keys: Block, more_keys: Sequence[str], arguments: Sequence[Any]) -> None:
        self._script = script
        self._keys = keys
        self._more_keys = more_keys
        self._arguments = arguments

    def __iter__(self) -> Iterator[Any]:
        names = (*self._keys.plain(), *self._more_keys)
        return iter(("EVALSHA", self._script.sha, len(names), *names, *self._arguments))

    def packed(self) -> bytes:
        """Return the call in the protocol."""
        count = self._keys.size + len(self._more_keys)
        number = b"%d" % count
        return b"*%d\r\n%b$%d\r\n%b\r\n%b%b" % (
            3 + count + len(self._arguments),
            self._script.head,
            len(number),
            number,
            self._keys.packed,
            packed(*self._more_keys, *self._arguments),
        )


def command(*arguments: Any) -> bytes:
    """Return a command in the protocol. Raises redis' DataError for what is neither text, bytes nor number."""
    return bytes(_serializer.pack(*arguments)[0])


def packed(*arguments: Any) -> bytes:
    """Return arguments in the protocol, without saying how many they are. Raises redis' DataError."""
    if not arguments:
        return b""
    try:
        whole: bytes = hiredis.pack_command(arguments)
    except TypeError as error:
        raise DataError("only text, bytes and numbers can be arguments") from error
    return whole[whole.index(b"\n") + 1 :]
