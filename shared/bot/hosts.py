"""Hosts as a manifest names them: `api.example.com`, `api.example.com:8443`, `*.example.org`, `*`. Pure.

A star stands for one or more labels, so `*.example.org` is not `example.org` itself. A name without a port means every
port. Of several that fit, the one that says most wins.
"""

import re
from collections.abc import Iterable

from yarl import URL

EVERY = "*"
_LABELS = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def read_host(text: str) -> str:
    """Return a name in the form in which addresses are compared. Raises ValueError with a sentence."""
    if text == EVERY:
        return EVERY
    wild, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        url = URL(f"http://{name}")
        host, port = (url.raw_host or "").rstrip("."), url.explicit_port
        plain = str(url) == str(url.origin()) + "/" or str(url) == str(url.origin())
    except ValueError:
        host, port, plain = "", None, False
    whole = ":" in host or _LABELS.fullmatch(host) is not None
    if not whole or not plain or "/" in name or "@" in name or (wild and ":" in host):
        raise ValueError(f"{text!r} is no host: write it like api.example.com, api.example.com:8443 or *.example.org")
    shown = f"[{host}]" if ":" in host else host
    return f"{wild}{shown}" + (f":{port}" if port is not None else "")


def fitting(names: Iterable[str], url: str) -> str | None:
    """Return the name that says most of an address's host, None when none fits. `names` are as `read_host` gives."""
    parts = URL(url, encoded=True)
    host = (parts.raw_host or "").rstrip(".").lower()
    host = f"[{host}]" if ":" in host else host
    found = [name for name in names if _fits(name, host, parts.port)]
    return max(found, key=_precision, default=None)


def _fits(name: str, host: str, port: int | None) -> bool:
    if name == EVERY:
        return True
    named, _, given = _split(name)
    if given and int(given) != port:
        return False
    return host.endswith(named[1:]) and host != named[1:] if named.startswith("*.") else host == named


def _precision(name: str) -> tuple[bool, int, bool]:
    named, _, given = _split(name)
    return "*" not in named, len(named), bool(given)


def _split(name: str) -> tuple[str, str, str]:
    """Take a name apart into host, colon and port; an IPv6 address has colons of its own."""
    host, colon, port = name.rpartition(":")
    return (host, colon, port) if colon and port.isdigit() and (host[-1:] == "]" or ":" not in host) else (name, "", "")
