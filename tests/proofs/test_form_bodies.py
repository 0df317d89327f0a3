"""Fuzzed Web View bodies at a gateway with its workers: no 5xx, always JSON that pages can read, all that is taken applied.

Every other conversation is one of a bot in safe mode. What comes with a credential that does not count is refused with
the reason for that, and none of its variables is ever in the session.
"""

import asyncio
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from arq.connections import ArqRedis

from services.dialog_worker.session_fields import read_session
from services.gateway.errors import STATUSES, WEB_VIEW_PATH
from shared.bot.source import BotSource
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.counting_bot import BOT_ID, counting_bot
from tests.journeys.programs import Programs
from tests.proofs.form import LONG, SEED, Record, again, chunks, fail, record_figures
from tests.proofs.form_bodies import Body, body
from tests.proofs.form_credentials import LONGEST_NAME, SECRET, Credential, Wallet, checksum, names_in

COUNT = 100_000 if LONG else 3000
PER_CONVERSATION = 200
AT_ONCE = 16
APPLIED_WITHIN = 120.0
SAFE_BOT = "safe"
UNSET = "unset"
pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800, method="thread")]


@dataclass
class Form:
    """One conversation, and what its forms have posted: what was accepted, with what it was shown, by sequence."""

    bot: str
    created: dict[str, str]
    accepted: dict[int, tuple[Body, Credential]] = field(default_factory=dict)
    wallet: Wallet = field(init=False)

    def __post_init__(self) -> None:
        self.wallet = Wallet(self.ids)

    @property
    def id(self) -> str:
        return self.created["conversationId"]

    @property
    def ids(self) -> dict[str, str]:
        return {"botId": self.bot, "conversationId": self.id, "userId": self.created["userId"]}

    def shows(self, seed: int, posted: Body) -> Credential:
        """What the form with this seed shows for its body, unless that was spoilt with a header of its own."""
        own = posted.headers["Authorization"]
        if own != UNSET:
            return Credential("another header", own, frozenset(), ("unauthorized",))
        return self.wallet.credential(seed, names_in(posted.content)) if self.bot == SAFE_BOT else checksum(self.ids)


@pytest.fixture
async def programs(valkey_server: str, redis: ArqRedis, tmp_path: Path) -> AsyncIterator[Programs]:
    export = counting_bot("http://127.0.0.1:1")
    safe = export.replace(b'"id": "counting", "name": "Counting"', b'"id": "safe", "name": "Safe"')
    await Bots(redis, 3600).publish(BotSource(export))
    await Bots(redis, 3600).publish(BotSource(safe, '[web_view]\nmode = "safe"\n'))
    with Programs(valkey_server, tmp_path, BOTLANE_INBOX_LIMIT="100000", BOTLANE_SECRET=SECRET) as started:
        started.start("gateway", "dialog_worker")
        await started.ready("gateway", "dialog_worker")
        yield started


async def test_forms_that_post_anything(programs: Programs, redis: ArqRedis, record_property: Record) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    seeds = [seed for chunk in chunks(COUNT, PER_CONVERSATION) for seed in chunk]
    async with aiohttp.ClientSession(programs.url) as http:
        free = asyncio.Semaphore(AT_ONCE)

        async def fill(chunk: range) -> Form:
            async with free:
                bot = SAFE_BOT if chunk.start // PER_CONVERSATION % 2 else BOT_ID
                async with http.post(f"/v1/bots/{bot}/conversations") as answer:
                    form = Form(bot, await answer.json())
                for seed in chunk:
                    posted = body(seed, form.ids, UNSET)
                    shown = form.shows(seed, posted)
                    posted.headers["Authorization"] = shown.header
                    fault = await _post(http, form, posted, shown, counts)
                    if fault:
                        failures.append(f"{fault} ({posted.kind}, {shown.kind}): {again(seed, __file__)}")
                return form

        forms = await asyncio.gather(*map(fill, chunks(COUNT, PER_CONVERSATION)))
    failures += [fault for form in forms for fault in await _faults(redis, form)]
    fail(failures)
    assert SEED or counts["applied"] > len(seeds) * 0.4
    assert SEED or {kind for kind in counts if kind.startswith("refused as ")} == {
        *("refused as not_found", "refused as token_expired", "refused as token_used", "refused as unauthorized")
    }
    record_figures(record_property, "bodies of forms", counts, {})


async def _post(http: aiohttp.ClientSession, form: Form, posted: Body, shown: Credential, counts: Counter[str]) -> str:
    """Post a body, again while the inbox is full; return what is wrong with the answer."""
    while True:
        async with http.post(WEB_VIEW_PATH, data=io.BytesIO(posted.content), headers=posted.headers) as answer:
            content = await answer.read()
            if answer.status != 429:
                break
            counts["sent again"] += 1
        await asyncio.sleep(0.5)
    counts[f"answered {answer.status}"] += 1
    if answer.headers.get("Access-Control-Allow-Origin") != "*":
        return f"{answer.status} that no page can read"
    try:
        told = json.loads(content)
    except ValueError:
        return f"{answer.status} without JSON: {content[:200]!r}"
    if answer.status == 200:
        sequence = int(told["receipt"].rpartition("-")[2])
        if shown.answers and not (shown.kind == "used" and sequence in form.accepted):  # its own call, sent again
            return f"was accepted: {told}"
        counts["applied"] += 1
        form.wallet.used(shown)
        form.accepted.setdefault(sequence, (posted, shown))  # what is sent again changes nothing
    elif posted.valid and told["error"]["code"] not in shown.answers:
        return f"a valid body was answered by {answer.status}: {told}"
    elif posted.valid:
        counts[f"refused as {told['error']['code']}"] += 1
    return _misshapen(answer.status, answer.content_type, told)


def _misshapen(status: int, content_type: str, told: Any) -> str:
    """Say what an answer lacks of its shape."""
    if content_type != "application/json":
        return f"{status} as {content_type}"
    if status == 200:
        shape = {"success", "receipt", "variables", "ignored", "message"}
        return "" if set(told) == shape and told["success"] is True else f"200 of another shape: {told}"
    error = told.get("error", {})
    if told.get("success") is not False or STATUSES.get(error.get("code")) != status or not error.get("message"):
        return f"{status} of another shape: {told}"
    return f"{status}" if status >= 500 else ""


async def _faults(redis: Any, form: Form) -> list[str]:
    """Compare a conversation, when all is handled, with what its forms were told."""
    await _handled(redis, form)
    session = read_session({name.decode(): raw for name, raw in (await redis.hgetall(keys.session(form.id))).items()})
    stored = {} if session is None else session.web_view
    faults = [
        f"{form.id}: `{name}` was accepted with {sequence} and is {stored.get(name, 'not there')[:40]!r}"
        for sequence, (posted, shown) in form.accepted.items()
        for name, value in _own(posted, shown).items()
        if stored.get(name) != value
    ]
    granted = {
        name
        for posted, shown in form.accepted.values()
        for name in names_in(posted.content)
        if shown.names is None or name in shown.names
    }
    nameable = (name for name in stored if name.startswith("only ") and len(name) <= LONGEST_NAME)
    if stolen := [name for name in nameable if name not in granted]:
        faults.append(f"{form.id}: no form that was let in may set {stolen}")
    said = Counter(posted.said for posted, _ in form.accepted.values() if posted.valid and posted.said is not None)
    outbox = [json.loads(entry.split(b"|", 2)[2]) for entry in await redis.lrange(keys.outbox(form.id), 0, -1)]
    if missing := said - Counter(entry["text"] for entry in outbox if entry["from"] == "consumer"):
        faults.append(f"{form.id}: {sum(missing.values())} messages were accepted and are not there")
    return faults


def _own(posted: Body, shown: Credential) -> dict[str, str]:
    """Return the variables that no other body has, as far as they can still be read in a body that was spoilt."""
    given: Any = posted.variables
    if not posted.valid:
        given = json.loads(posted.content.decode("utf-8-sig", errors="replace")).get("contextVariables")
    pairs = given.items() if isinstance(given, dict) else [(e["name"], e["value"]) for e in given or () if _is_pair(e)]
    own = {name: value for name, value in pairs if name.startswith("only ") and isinstance(value, str)}
    return {name: value for name, value in own.items() if shown.names is None or name in shown.names}


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("value"), str)


async def _handled(redis: Any, form: Form) -> None:
    async with asyncio.timeout(APPLIED_WITHIN):
        while await redis.hget(keys.conv(form.id), "state") != b"idle":
            await asyncio.sleep(0.05)
