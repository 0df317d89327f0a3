"""Every script of the real bots runs: each parses, and none calls a function that `botContext` has not got."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.dialog.scripts import Warn

CORPUS = Path(os.environ.get("BOTLANE_CORPUS", "../shared/corpus/bots"))  # noqa: TID251 - where the real bots are
PANELS = {"preProcessMessage": "pre", "postProcessMessage": "post", "processUserResponse": "response"}
STATE: dict[str, Any] = {
    "variables": {
        name: {"jsonData": f'{{"{name}": {{"stores": [], "buttons": [], "choices": [{{"text": "t"}}]}}}}'}
        for name in ("api_StoreLocator", "api_Locations", "api_Buttons", "api_GPT3")
    },
    "customer_info": {"ctype": "x", "customerId": "1", "imei": "2"},
    "text": "a",
}
STATE["variables"]["api_jService"] = {
    "jsonData": '{"api_jService": [{"category": {"title": "t"}, "answer": "a", "question": "q"}]}'
}
STATE["variables"] |= {"storeArray": "[]", "optionsArray": "[]", "allButtons": "[]", "buttonCount": 1}


def scripts() -> Iterator[Any]:
    """Each script with its bot's Global Functions: (functions, panel, source)."""
    for file in sorted(CORPUS.glob("*.json")):
        bot = msgspec.json.decode(file.read_bytes())
        functions = (bot.get("globalFunctions") or {}).get("methods") or ""
        yield pytest.param(functions, "init", "", id=f"{file.stem}-init")
        for interaction in bot["conversationMessage"]:
            for field, panel in PANELS.items():
                if interaction.get(field):
                    name = f"{file.stem}-{interaction['name']}-{panel}"
                    yield pytest.param(functions, panel, interaction[field], id=name)
        for integration in bot.get("responder") or []:
            if integration.get("transformResultsScript"):
                name = f"{file.stem}-{integration['name']}-transform"
                yield pytest.param(functions, "transform", integration["transformResultsScript"], id=name)


SCRIPTS = list(scripts())


def test_the_corpus_is_there() -> None:
    if not SCRIPTS:
        reason = "the real bots are not there: set BOTLANE_CORPUS to their folder"
        if os.environ.get("CI"):  # noqa: TID251 - a missing corpus fails there
            pytest.fail(reason)
        pytest.skip(reason)
    assert len(SCRIPTS) > 30


@pytest.mark.parametrize(("functions", "panel", "source"), SCRIPTS)
def test_a_real_script_runs(scene: Callable[..., Any], functions: str, panel: str, source: str) -> None:
    outcome = scene(functions, **STATE).run(source, panel)
    assert outcome.error is None
    assert not [effect for effect in outcome.effects if isinstance(effect, Warn)]
