"""The tree of an export: its places, and how it is written with what no JSON library would write."""

import json
from collections.abc import Iterator
from typing import Any

from tests.proofs.odd_values import Written

Tree = dict[str, Any]
Site = tuple[Any, Any]


def written(tree: Any) -> str:
    """Write a tree as JSON, with what is `Written` in it as it stands."""
    pieces: list[str] = []

    def marked(value: Any) -> Any:
        match value:
            case Written():
                pieces.append(str(value))
                return f"@@{len(pieces) - 1}@@"
            case dict():
                return {key: marked(entry) for key, entry in value.items()}
            case list():
                return [marked(entry) for entry in value]
            case _:
                return value

    text = json.dumps(marked(tree), ensure_ascii=False)
    for at, piece in enumerate(pieces):
        text = text.replace(f'"@@{at}@@"', piece, 1)
    return text


def sites(tree: Any) -> Iterator[Site]:
    """Yield every place of a tree: its container, and its key or index in it."""
    waiting = [tree]
    while waiting:
        container = waiting.pop()
        entries = list(container.items()) if isinstance(container, dict) else list(enumerate(container))
        for key, value in entries:
            yield container, key
            if isinstance(value, dict | list):
                waiting.append(value)
