"""Which names are sensitive: shell patterns, case-sensitive, against the names of variables."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from typing import Any

from shared.bot.secret_names import is_secret_name


class Sensitive:
    """The patterns of a bot. Empty ones match nothing, and are false."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        listed = tuple(patterns)
        self._pattern = re.compile("|".join(map(translate, listed))) if listed else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def matches(self, name: str) -> bool:
        """Tell whether a variable of this name is sensitive."""
        return self._pattern is not None and self._pattern.match(name) is not None

    def among(self, variables: Mapping[str, Any]) -> list[Any]:
        """Return the values of the sensitive ones."""
        return [value for name, value in variables.items() if self.matches(name)]


class SensitiveOrSecret(Sensitive):
    """The patterns of a bot, and every name that is called like a secret (`accessToken`)."""

    def __bool__(self) -> bool:
        return True

    def matches(self, name: str) -> bool:
        """Tell whether a variable of this name is sensitive or called like a secret."""
        return super().matches(name) or is_secret_name(name)
