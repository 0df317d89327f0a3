"""How the text of a setting is read: each form says what to give and turns the text into a value."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from redis.asyncio.connection import parse_url

from shared.store.sentinel import SCHEME, WrongAddress, read_address

SHORTEST_SECRET = 16
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class Explained(ValueError):  # noqa: N818 - says what it adds
    """A text that cannot be used; the message says what to give in place of it, as a hint does."""


class Form(msgspec.Struct, frozen=True):
    """`read` turns a text into a value, or raises ValueError; `hint` tells a person what to give."""

    read: Callable[[str], Any]
    hint: str

    def hint_for(self, error: ValueError) -> str:
        """Return what to give instead of the text that `read` refused."""
        return str(error) if isinstance(error, Explained) else self.hint


def _text(text: str) -> str:
    return text.strip()


def _items(text: str) -> tuple[str, ...]:
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def _origins(text: str) -> tuple[str, ...]:
    """Return origins as browsers write them: lower case, no slash at the end, no port that the scheme has anyway."""
    return tuple(_origin(item.lower().removesuffix("/")) for item in _items(text))


def _origin(text: str) -> str:
    if text in {"*", "null"}:
        return text
    match = re.fullmatch(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", text, re.ASCII)
    if match is None:
        raise ValueError(text)
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" if port in {None, _USUAL_PORTS.get(scheme)} else text


def _secrets(text: str) -> tuple[str, ...]:
    secrets = _items(text)
    if not secrets or any(len(secret) < SHORTEST_SECRET for secret in secrets):
        raise ValueError(text)
    return secrets


def _keys(text: str) -> dict[str, str]:
    pairs = [item.split("=", 1) for item in _items(text)]
    keys = {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}
    if len(keys) != len(pairs) or not all(name and len(key) >= SHORTEST_SECRET for name, key in keys.items()):
        raise ValueError(text)
    return keys


def whole(least: int, most: int) -> Form:
    """Return the form of a whole number within limits."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return Form(read, f"a whole number from {least} to {most}")


def size(least: int, most: int) -> Form:
    """Return the form of a number of bytes within limits: `8192`, `8k`, `1m`."""

    def read(text: str) -> int:
        match = re.fullmatch(r"(\d{1,9})([km]?)", text.strip().lower())
        number = int(match[1]) * {"": 1, "k": 1024, "m": 1024**2}[match[2]] if match else 0
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return Form(read, f"a number of bytes such as 8192, 8k or 1m, from {least} to {most}")


def seconds(least: float, most: float) -> Form:
    """Return the form of a time in seconds within limits."""

    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:  # also refuses nan
            raise ValueError(text)
        return number

    return Form(read, f"a number of seconds from {least:g} to {most:g}")


def _duration(text: str) -> int:
    """Seconds as a plain number or with a unit: `90`, `90s`, `30m`, `12h`, `7d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(text)
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _switch(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise ValueError(text) from None


def _redis_url(text: str) -> str:
    if text.strip().startswith(SCHEME):
        try:
            read_address(text)
        except WrongAddress as error:
            raise Explained(str(error)) from error
    elif not re.match(r"(redis|rediss|unix)://\S+$", text.strip()):
        raise ValueError(text)
    else:
        parse_url(text.strip())  # raises ValueError for a port that is no number, and for options that cannot be read
    return text.strip()


def _http_url(text: str) -> str:
    if re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", text.strip()) is None:
        raise ValueError(text)
    return text.strip()


def _address(text: str) -> str:
    """`host:port`, IPv6 hosts in brackets; `off` is not an address."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:]+):(\d{1,5})", text.strip())
    if match is None or int(match[2]) > 65535:
        raise ValueError(text)
    return text.strip()


def rewrite_url(text: str) -> tuple[str, str]:
    """One `FROM=TO` pair of address prefixes, both http or https. Raises ValueError for anything else."""
    match = re.fullmatch(r"(https?://[^\s=]\S*?)=(https?://\S+)", text.strip())
    if match is None:
        raise ValueError(text)
    return match[1], match[2]


def _rewrite_urls(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(rewrite_url(item) for item in text.split())


def one_of(*words: str) -> Form:
    """Return the form of a text that is one of a few words."""

    def read(text: str) -> str:
        if text.strip() not in words:
            raise ValueError(text)
        return text.strip()

    return Form(read, " or ".join(words))


TEXT = Form(_text, "a text")
ITEMS = Form(_items, "a list separated by commas")
ORIGINS = Form(_origins, "origins such as https://forms.example, separated by commas, or *")
SWITCH = Form(_switch, "1 or 0")
MANY = whole(1, 1_000_000)
DURATION = Form(_duration, "a duration such as 90s, 30m, 12h or 7d")
ADDRESS = Form(_address, "host:port")
REDIS_URL = Form(_redis_url, "a redis://, rediss://, unix:// or redis+sentinel:// address")
HTTP_URL = Form(_http_url, "an http or https address without query")
REWRITES = Form(_rewrite_urls, "FROM=TO pairs of http addresses, separated by spaces")
LOG_FORMAT = one_of("json", "console")
DURABILITY = one_of("local", "replicated")
SECRETS = Form(_secrets, "16 or more random characters; several, separated by commas, while one replaces another")
KEYS = Form(_keys, "name=key pairs separated by commas, each key of 16 or more characters")
