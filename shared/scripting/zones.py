"""Time zones for `getHoursType`, read from the system's files once: a turn process may open none later."""

import functools
import io
import os
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

# The first bytes of a compiled zone (RFC 9636).
_MAGIC = b"TZif"
# Copies of all zones with other rules for leap seconds.
_COPIES = {"posix", "right"}


def load_zones() -> int:
    """Read all zones; return how many there are: none on a machine without tzdata, then no zone is known."""
    return len(_files())


def ahead_of_utc(name: str, at: int) -> int | None:
    """Return how many milliseconds a zone is ahead of UTC at a time in ms since the epoch; None: no such zone."""
    if name not in _files():
        return None
    difference = datetime.fromtimestamp(at / 1000, UTC).astimezone(_zone(name)).utcoffset()
    return None if difference is None else round(difference.total_seconds() * 1000)


@functools.cache
def _files() -> dict[str, bytes]:
    """Read the compiled form of every zone, by name: 0.7 MB in 30 ms, from the first folder that has any."""
    for folder in _folders():
        found: dict[str, bytes] = {}
        for path, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if name not in _COPIES]
            for name in names:
                file = Path(path, name)
                if (content := file.read_bytes()).startswith(_MAGIC):
                    found[file.relative_to(folder).as_posix()] = content
        if found:
            return found
    return {}


def _folders() -> list[Path]:
    """Name the folders of the system, then that of the package tzdata if it is installed, as zoneinfo does."""
    package = find_spec("tzdata")
    packaged = [Path(package.origin).with_name("zoneinfo")] if package and package.origin else []
    return [Path(folder) for folder in TZPATH] + packaged


@functools.lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo.from_file(io.BytesIO(_files()[name]), key=name)
