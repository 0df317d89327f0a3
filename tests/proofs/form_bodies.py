"""Bodies that forms might post to the Web View address, made from a seed: valid, nearly valid, and broken.

Every body that carries variables carries one that no other has, so that what was lost can be named.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NAMES = (
    "size",
    "colour",
    "first name",
    "größe",
    "名前",
    "🛒",
    "__proto__",
    "constructor",
    "a.b[0]",
    "{$botContext.x}",
    "\x00",
    "x" * 300,
)
TEXTS = (
    "L", "", " ", "0", "false", "null", "żółć", "مرحبا", "👩‍👩‍👧", "\u202e", "\x00", "\r\nX-Header: 1", "{$botContext.size}",
    '"; drop', "</script>", "a" * 4000, "\u2028",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    7,
    -0.0,
    0.1,
    1e21,
    10**30,
    [],
    [1, "a"],
    [[1]],
    {},
    {"a": {"b": [1]}},
)
ODD_ENTRIES: tuple[Any, ...] = (
    None, 1, "size", [], {}, {"value": "no name"}, {"name": "no value"}, {"name": 5, "value": "x"},
    {"name": "", "value": "x"}, {"name": "  ", "value": "x"}, {"Name": "size", "Value": "L"},
)  # fmt: skip


@dataclass
class Body:
    """What is posted, and what must come of it: `valid` bodies are answered by 200, of others nothing is known.

    `variables` are those that must be in the session then, `said` is the message; `kind` names what was done to it.
    """

    kind: str
    content: bytes
    valid: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    said: str | None = None


def body(seed: int, ids: Mapping[str, str], authorization: str) -> Body:
    """Return the body with this seed, for the conversation with these ids."""
    choices = random.Random(seed)
    made = _valid(choices, seed, ids)
    made.headers = {"Content-Type": "application/json", "Authorization": authorization} | made.headers
    if choices.random() < 0.5:
        return made
    name, spoil = choices.choice(_SPOILERS)
    spoiled = spoil(made, choices)
    spoiled.kind = name
    spoiled.valid = False
    return spoiled


def _valid(choices: random.Random, seed: int, ids: Mapping[str, str]) -> Body:
    said = choices.choice((None, "", f"said {seed}", choices.choice(TEXTS)))
    fields: dict[str, Any] = {**ids}
    if said is not None or choices.random() < 0.3:
        fields["message"] = said
    entries, variables = _entries(choices, seed)
    plain = choices.random() < 0.2
    fields["contextVariables"] = dict(variables) if plain else entries
    if choices.random() < 0.2:
        fields |= {"extra": choices.choice(ODD_VALUES), "botid": "another"}
    shuffled = list(fields.items())
    choices.shuffle(shuffled)
    content = json.dumps(dict(shuffled), ensure_ascii=choices.random() < 0.5, indent=choices.choice((None, 1))).encode()
    return Body("plain object" if plain else "list", content, True, {}, variables, said or None)


def _entries(choices: random.Random, seed: int) -> tuple[list[Any], dict[str, str]]:
    """Return entries of the list, some of them no variables, and the variables that they make."""
    many = 150 if choices.random() < 0.02 else choices.randrange(6)
    pairs = [(choices.choice(NAMES), choices.choice(TEXTS)) for _ in range(min(many, 6))]
    pairs += [(f"field {number}", "x") for number in range(many - 6)]
    pairs.append((f"only {seed}", str(seed)))
    entries: list[Any] = [{"name": name, "value": value} for name, value in pairs]
    for _ in range(choices.choice((0, 0, 1, 3))):
        entries.insert(choices.randrange(len(entries) + 1), choices.choice(ODD_ENTRIES))
    if choices.random() < 0.3:
        entries.append({"name": "odd", "value": choices.choice(ODD_VALUES), "more": 1})
    return entries, dict(pairs)


def _cut(made: Body, choices: random.Random) -> Body:
    made.content = made.content[: choices.randrange(len(made.content))]
    return made


def _flip(made: Body, choices: random.Random) -> Body:
    content = bytearray(made.content)
    for _ in range(choices.choice((1, 1, 4))):
        content[choices.randrange(len(content))] = choices.randrange(256)
    made.content = bytes(content)
    return made


def _insert(made: Body, choices: random.Random) -> Body:
    piece = choices.choice(
        (b",", b"}", b"\\ud800", b'"', b"NaN", b"1e999999", b"\x00", b"\xff", b"/*", b"[" * 5000, b"\\u0000")
    )
    at = choices.randrange(len(made.content) + 1)
    made.content = made.content[:at] + piece + made.content[at:]
    return made


def _exchange(made: Body, choices: random.Random) -> Body:
    fields = json.loads(made.content)
    name = choices.choice(("botId", "conversationId", "userId", "message", "contextVariables"))
    if choices.random() < 0.3:
        fields.pop(name, None)
    else:
        fields[name] = choices.choice((*ODD_VALUES, *TEXTS, "0-" + "f" * 32, "x" * 9000, [None] * 500))
    made.content = json.dumps(fields).encode()
    return made


def _nest(made: Body, choices: random.Random) -> Body:
    fields = json.loads(made.content)
    deep: Any = "x"
    for _ in range(choices.choice((60, 63, 64, 65, 200))):
        deep = [deep] if choices.random() < 0.5 else {"a": deep}
    fields["contextVariables"] = [{"name": "deep", "value": deep}]
    made.content = json.dumps(fields).encode()
    return made


def _grow(made: Body, choices: random.Random) -> Body:
    fields = json.loads(made.content)
    fields["contextVariables"] = [
        {"name": f"field {number}", "value": "x" * choices.choice((1, 8191, 8193))}
        for number in range(choices.choice((199, 200, 201)))
    ]
    if choices.random() < 0.1:
        fields["message"] = "x" * choices.choice((8000, 8001))
    if choices.random() < 0.02:
        fields["filler"] = "x" * (1 << 20)
    made.content = json.dumps(fields).encode()
    return made


def _encode(made: Body, choices: random.Random) -> Body:
    text = made.content.decode()
    made.content = text.encode(choices.choice(("utf-16", "utf-8-sig", "utf-32", "utf-7")), "replace")
    return made


def _another_header(made: Body, choices: random.Random) -> Body:
    name, value = choices.choice((
        ("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "///"),
        ("Content-Type", "application/json; charset=nonsense"), ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Encoding", "gzip"), ("Content-Encoding", "deflate"), ("Content-Encoding", "br"),
        ("Authorization", ""), ("Authorization", "Bearer x"), ("Authorization", "0" * 64), ("Authorization", "ä"),
        ("Origin", "null"), ("Origin", "https://form.example"), ("X-Forwarded-For", "not an address"),
        ("Expect", "100-continue"), ("Cookie", 'a="b'), ("Accept", "text/html"),
    ))  # fmt: skip
    made.headers[name] = value
    return made


def _other_content(made: Body, choices: random.Random) -> Body:
    made.content = choices.choice(
        (b"", b" ", b"null", b"[]", b"0", b'"text"', b"{}", b"botId=x&userId=y", b"<a/>", choices.randbytes(40))
    )
    return made


_SPOILERS: tuple[tuple[str, Callable[[Body, random.Random], Body]], ...] = (
    ("cut off", _cut),
    ("bytes changed", _flip),
    ("something inserted", _insert),
    ("a field exchanged", _exchange),
    ("nested", _nest),
    ("grown", _grow),
    ("encoded otherwise", _encode),
    ("another header", _another_header),
    ("other content", _other_content),
)
