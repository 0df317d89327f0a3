"""Loads Lua: one file per script; a line `-- include: _part.lua` stands for the text of that part beside it."""

import re
from functools import cache
from pathlib import Path

_INCLUDE = re.compile(r"^-- include: (_\w+\.lua)$", re.MULTILINE)
_FOLDER = Path(__file__).parent


@cache
def source(name: str, folder: Path = _FOLDER) -> str:
    """Return the text of script `name`, its parts in place; by default one of the mailbox.

    Raises FileNotFoundError when there is none.
    """
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: (folder / found[1]).read_text(encoding="utf-8"), text)
