"""`botlane call` with credentials: secrets and tokens go with the call and are never shown."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.services.cli.calling import ORDER, PRIVATE, Server, orders, written

TOKEN = (
    PRIVATE
    + """
[integrations.Orders]
credential = "crm"
[credentials.crm]
type = "oauth2_client_credentials"
token_url = "{url}/token"
client_id = "bot"
client_secret = {{ command = "printenv CRM_SECRET" }}
"""
)


def test_a_token_is_fetched_for_one_call(
    server: Server, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_SECRET", "canary-secret")
    server.answers = [(200, b'{"access_token": "canary-token"}'), (200, json.dumps(ORDER).encode())]
    bot = written(tmp_path, orders(server.url), manifest=TOKEN.format(url=server.url))
    code, out, err = call(bot, "Orders", "--set", "number=7")
    assert code == 0, err
    asked, called = server.seen
    assert (asked[1], called[2]["authorization"]) == ("/token", "Bearer canary-token")
    assert asked[2]["authorization"] == "Basic " + base64.b64encode(b"bot:canary-secret").decode()
    assert "canary" not in out + err


def test_a_secret_that_is_missing_is_named(server: Server, tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, orders(server.url), manifest=TOKEN.format(url=server.url))
    code, out, _ = call(bot, "Orders", "--set", "number=7")
    assert (code, len(server.seen)) == (1, 0)
    assert "credential crm: client_secret: the command printenv ended with exit code 1" in out


def test_the_secret_of_a_run_is_no_secret_for_bots(
    server: Server, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".botlane").mkdir()
    (tmp_path / ".botlane/secret").write_text("cAnAry")
    manifest = (
        '[credentials.own]\ntype = "access_token"\ntoken = { file = ".botlane/secret" }\n'
        f'[integrations.Orders]\ncredential = "own"\n{PRIVATE}'
    )
    code, out, _ = call(written(tmp_path, orders(server.url), manifest=manifest), "Orders", "--set", "number=7")
    assert (code, server.seen) == (1, [])
    assert "is Botlane's own and not for bots" in out
