"""Schemathesis against /openapi.json of a running system: no 5xx, and no answer that is not described there."""

import asyncio
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.gateway.errors import WEB_VIEW_PATH
from tests.journeys.counting_bot import BOT_ID, counting_bot
from tests.journeys.system import LoopbackApi, Running, botlane_run, clean_environment
from tests.proofs.form import LONG, SEED, Record, again, record_figures
from tests.proofs.form_credentials import SECRET, Wallet

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
EXAMPLES = 1500 if LONG else 60
CONVERSATIONS = 8
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'
pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800, method="thread")]


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Gateway and workers with the counting bot."""
    folder = tmp_path_factory.mktemp("counting")
    with LoopbackApi() as api:
        api.answers["/question"] = {"text": "an answer"}
        (folder / "bot.json").write_bytes(counting_bot(api.url))
        (folder / "bot.botlane.toml").write_text(MANIFEST)
        rates = dict.fromkeys(
            ("BOTLANE_CREATE_RATE", "BOTLANE_WEB_VIEW_RATE", "BOTLANE_WEB_VIEW_ADDRESS_RATE"), "1000000"
        )
        with botlane_run(folder / "data", [folder / "bot.json"], **rates, BOTLANE_SECRET=SECRET) as running:
            yield running


def test_every_answer_is_described(counting: Running, tmp_path: Path, record_property: Record) -> None:
    seed = int(SEED or 1)
    answers = tmp_path / "answers"
    live = {
        "answers": str(answers),
        "seed": seed,
        "bot": BOT_ID,
        "conversations": asyncio.run(_conversations(counting.url)),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{counting.url}/openapi.json"]
    options = {"--checks": ",".join(CHECKS), "--seed": seed, "--max-examples": EXAMPLES}
    command += [str(part) for pair in options.items() for part in pair]
    command += ["--no-color", "--generation-database", "none", "--warnings", "off", "--continue-on-failure"]
    environment = {
        **clean_environment(),
        "SCHEMATHESIS_HOOKS": "tests.proofs.described_calls",
        "BOTLANE_PROOF_LIVE": json.dumps(live),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    ended = subprocess.run(
        command, check=False, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=1700
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"{again(seed, __file__)}\n{said}"
    counts = Counter(answers.read_text().splitlines())
    _judge(set(counts), _described(counting.url))
    by_status: Counter[str] = Counter()
    for answer, count in counts.items():
        by_status[f"answered {answer.rpartition(' ')[2]}"] += count
    record_figures(record_property, "calls from /openapi.json", by_status, {})


def _judge(seen: set[str], described: set[str]) -> None:
    """Compare all answers with those described; Schemathesis itself passes over those to calls of a wrong shape."""
    methods = {answer.rpartition(" ")[0] for answer in described}
    assert {answer for answer in seen - described if answer.rpartition(" ")[0] in methods} == set()
    assert all(answer.endswith(" 405") for answer in seen - described)
    assert {answer for answer in described if answer.rpartition(" ")[2][0] == "2"} <= seen
    assert {"400", "401", "403", "404", "413", "415"} <= {answer.rpartition(" ")[2] for answer in seen}


def _described(url: str) -> set[str]:
    """Return every answer that /openapi.json names: method, path, status."""
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    return {
        f"{method.upper()} {path} {status}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        for status in operation["responses"]
    }


async def _posted(http: aiohttp.ClientSession, created: dict[str, str]) -> str:
    """Post a form; return its receipt."""
    body = {"botId": BOT_ID, "conversationId": created["conversationId"], "userId": created["userId"]}
    checksum = hashlib.sha256(f"{created['conversationId']} || {BOT_ID}".encode()).hexdigest()
    async with http.post(WEB_VIEW_PATH, json=body, headers={"Authorization": checksum}) as answer:
        return str((await answer.json())["receipt"])


async def _conversations(url: str) -> list[dict[str, Any]]:
    """Open conversations, and say a word in each."""
    opened = []
    async with aiohttp.ClientSession(url) as http:
        for _ in range(CONVERSATIONS):
            async with http.post(f"/v1/bots/{BOT_ID}/conversations") as answer:
                opened.append(await answer.json())
            headers = {"Authorization": f"Bearer {opened[-1]['token']}"}
            path = f"/v1/conversations/{opened[-1]['conversationId']}/messages"
            async with http.post(path, json={"text": "hello"}, headers=headers) as answer:
                assert answer.status == 202
            opened[-1]["receipt"] = await _posted(http, opened[-1])
            wallet = Wallet({"botId": BOT_ID, **opened[-1]})
            opened[-1]["formTokens"] = [wallet.token(kind) for kind in ("valid", "once", "ended")]
    return opened
