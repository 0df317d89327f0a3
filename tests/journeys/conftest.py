"""One system for the journeys of a module: every corpus bot, their APIs answered on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.consumer import Consumer, Words
from tests.journeys.system import LoopbackApi, Running, botlane_run

STORES: list[dict[str, Any]] = [
    {
        "id": number,
        "city": city,
        "address": f"{number} Harbour Road",
        "state": "NR",
        "zip": f"000{number}",
        "weekdayHours": "9 to 5",
        "weekendHours": "10 to 4",
        "mapImage": f"https://maps.example/{number}.png",
        "googleMapLink": f"https://maps.example/{number}",
    }
    for number, city in enumerate(("Tromsø", "Bodø", 'Ålesund "west"'), 1)
]


@pytest.fixture(scope="module")
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        server.answers["/store-locator/1"] = {"stores": STORES}
        server.answers["/stores"] = STORES
        for count in range(1, 5):
            buttons = [{"label": f"Button {n}", "payload": f"pressed {n}"} for n in range(1, count + 1)]
            server.answers[f"/dynamic-button-demo/{count}"] = {"buttons": buttons}
        server.answers["/api/random"] = [
            {"answer": "a lighthouse", "question": "It shines at night", "category": {"title": "coasts"}}
        ]
        server.answers["/v1/engines/davinci/completions"] = {"choices": [{"text": "I am well."}]}
        yield server


@pytest.fixture(scope="module")
def system(corpus: Path, api: LoopbackApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    hosts = ("https://5fc54a0936bc790016344a09.mockapi.io", "https://jservice.io", "https://api.openai.com")
    rewrites = [part for host in hosts for part in ("--rewrite-url", f"{host}={api.url}")]
    data = tmp_path_factory.mktemp("run") / "data"
    with botlane_run(data, sorted(corpus.glob("*.json")), *rewrites, BOTLANE_CREATE_RATE="100000") as running:
        yield running


@pytest.fixture
def words(corpus: Path) -> Callable[[str], Words]:
    return lambda name: Words(corpus / f"{name}.json")


@pytest.fixture
def meet(system: Running) -> Callable[..., Consumer]:
    """Open a conversation with a bot: `async with meet(words) as consumer`."""

    def opened(words: Words, **claims: Any) -> Consumer:
        return Consumer(system.url, words.bot_id, **claims)

    return opened
