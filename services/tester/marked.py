"""YAML with its places: every value knows its file and line, so that a mistake can be named where it stands.

Scalars that are texts are read as written: `user: no` is the word, not false.
"""

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import yaml

# What the YAML library raises for tags whose text is not of their kind, and what JSON has no words for.
_NO_VALUE = (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Place(msgspec.Struct, frozen=True, order=True):
    """A line of a file, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class SuiteError(Exception):
    """A test file cannot be used: the message names file, line, what is wrong and what to write instead."""

    def __init__(self, place: Place | str, problem: str, remedy: str) -> None:
        super().__init__(f"{place}: {problem}. {remedy}.")
        self.place = place


class Marked:
    """One value of a YAML file. The methods read it as what it should be, or raise SuiteError."""

    def __init__(self, node: yaml.Node, file: str, loader: yaml.SafeLoader) -> None:
        self._node = node
        self._file = file
        self._loader = loader
        self.place = Place(file, node.start_mark.line + 1)

    def fail(self, problem: str, remedy: str) -> NoReturn:
        """Raise SuiteError here."""
        raise SuiteError(self.place, problem, remedy)

    @property
    def is_mapping(self) -> bool:
        """Tell whether it has keys."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Tell whether it is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was written."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.tag == "tag:yaml.org,2002:null"

    def entries(self, what: str) -> list[tuple[str, "Marked", "Marked"]]:
        """Return keys as texts, each with its own place and its value; a key given twice is an error."""
        if not isinstance(self._node, yaml.MappingNode):
            self.fail(f"{what} has to be a mapping of keys and values", "Write `key: value` lines below it")
        try:
            self._loader.flatten_mapping(self._node)
        except yaml.MarkedYAMLError as error:
            self.fail(f"what `<<` takes in is no mapping: {error.problem}", "Give it the name of one, like `*shared`")
        found: dict[str, tuple[str, Marked, Marked]] = {}
        for key, value in self._node.value:
            marked = Marked(key, self._file, self._loader)
            name = marked.text("a key")
            if name in found:
                marked.fail(f"the key {name!r} is given twice", "Keep one of them")
            found[name] = (name, marked, Marked(value, self._file, self._loader))
        return list(found.values())

    def keys(self, what: str, known: Collection[str], elsewhere: dict[str, str] | None = None) -> dict[str, "Marked"]:
        """Return the values by key; a key that is not `known` is an error, `elsewhere` says what to write for it."""
        found = {}
        for name, key, value in self.entries(what):
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                listed = ", ".join(known)
                remedy = f"Did you mean {near[0]!r}? " if near else ""
                key.fail(
                    f"{what} has no key {name!r}", (elsewhere or {}).get(name) or f"{remedy}Its keys are: {listed}"
                )
            found[name] = value
        return found

    def items(self, what: str) -> list["Marked"]:
        """Return the elements of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail(f"{what} has to be a list", "Write each of its entries behind a `- `")
        return [Marked(node, self._file, self._loader) for node in self._node.value]

    def text(self, what: str) -> str:
        """Return a text as it was written."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.fail(f"{what} has to be a text", "Write it on one line, in quotes if it has signs of YAML in it")
        return str(self._node.value)

    def plain(self) -> Any:
        """Return the value as YAML understands it: texts, numbers, true, false, null, lists, mappings."""
        try:
            value = self._loader.construct_object(self._node, deep=True)
            msgspec.json.encode(value)
        except _NO_VALUE as error:
            problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
            self.fail(f"the value is none that JSON has: {problem}", "Put it into quotes to have a text")
        return _as_json(value)

    def whole(self, what: str) -> int:
        """Return a whole number."""
        value = self.plain()
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(f"{what} has to be a whole number", "Write it without quotes")
        return value

    def flag(self, what: str) -> bool:
        """Return true or false."""
        value = self.plain()
        if not isinstance(value, bool):
            self.fail(f"{what} has to be true or false", "Write `true` without quotes")
        return value


def read_marked(path: Path) -> Marked:
    """Read a file. Raises SuiteError when it cannot be read or is no YAML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SuiteError(str(path), f"cannot be read: {reason}", "Give the path of a YAML file") from error
    return parse_marked(text, str(path))


def parse_marked(text: str, file: str) -> Marked:
    """Parse YAML; `file` is what errors call it."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1) if mark else file
        raise SuiteError(
            place, f"this is not YAML: {error.problem}", "Look at the indentation and the quotes"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SuiteError(file, f"this is not YAML: {error}", "Save it as plain text in UTF-8") from error
    if node is None:
        raise SuiteError(Place(file, 1), "the file is empty", "Begin with `bot:` and `tests:`")
    return Marked(node, file, loader)


def _as_json(value: Any) -> Any:
    """Turn what only YAML has (dates, keys that are no texts) into what JSON has."""
    return msgspec.json.decode(msgspec.json.encode(value))
