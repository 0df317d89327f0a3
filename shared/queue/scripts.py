"""Loads the Lua of the mailbox: one file per script; a line `-- include: _part.lua` stands for that part's text."""

import re
from functools import cache
from pathlib import Path

_INCLUDE = re.compile(r"^-- include: (_\w+\.lua)$", re.MULTILINE)
_FOLDER = Path(__file__).parent


@cache
def source(name: str) -> str:
    """Return the text of script `name`, its parts in place. Raises FileNotFoundError when there is none."""
    text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: (_FOLDER / found[1]).read_text(encoding="utf-8"), text)
