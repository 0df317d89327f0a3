"""Everything a server holds, for tests that look for what must not be there."""

from typing import Any

import redis


def keys_with(url: str, *secrets: str) -> list[str]:
    """Return the keys whose name or content has one of the texts in it."""
    with redis.Redis.from_url(url) as client:
        names = list(client.scan_iter())
        found = {name.decode(): repr(name) + _content(client, name) for name in names}
    return sorted(name for name, content in found.items() if any(secret in content for secret in secrets))


def _content(client: Any, name: bytes) -> str:
    kind = client.type(name)
    match kind:
        case b"string":
            held: object = client.get(name)
        case b"hash":
            held = client.hgetall(name)
        case b"list":
            held = client.lrange(name, 0, -1)
        case b"set":
            held = client.smembers(name)
        case b"zset":
            held = client.zrange(name, 0, -1, withscores=True)
        case b"stream":
            held = client.xrange(name)
        case b"none":
            held = ""  # it has expired meanwhile
        case _:
            raise AssertionError(f"{name!r} is a {kind!r}")
    return repr(held)
