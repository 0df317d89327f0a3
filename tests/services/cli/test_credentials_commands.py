"""`botlane credentials` on published bots: what there is, whether it is usable, and no secret."""

import asyncio
import json
from pathlib import Path

import pytest

from services.cli.__main__ import main
from shared.bot.bot import compile_bot
from shared.bot.source import BotSource
from shared.credentials.naming import token_name
from shared.credentials.token_store import PURPOSE, Kept, RedisTokens
from shared.privacy.sealing import Sealer
from shared.store.bots import Bots
from shared.store.connection import connect
from tests.unit.dialog.bots import dialog, export, integration, text

SECRET = "a secret of this installation"
MANIFEST = """
[integrations.Orders]
credential = "crm"
[integrations.Photos]
credential = "photos"
[credentials.crm]
type = "basic"
username = "bot"
password = { env = "CRM_PASSWORD" }
[credentials.maps]
type = "api_key"
key = { file = "/nowhere/key" }
query = "key"
[credentials.photos]
type = "oauth2_authorization_code"
authorize_url = "https://login.example.com/authorize"
token_url = "https://login.example.com/token"
client_id = "bot"
"""


def botlane(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Type a command; return its exit code and what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.fixture
def source(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> BotSource:
    """A bot with credentials, published, in an environment that has the secret of the first."""
    monkeypatch.setenv("BOTLANE_REDIS_URL", valkey_server)
    monkeypatch.setenv("BOTLANE_SECRET", SECRET)
    monkeypatch.setenv("CRM_PASSWORD", "canary-password")
    content = export(dialog("D", text("a")), integrations=(integration("Orders"), integration("Photos")))
    made = BotSource(json.dumps(content).encode(), MANIFEST)

    publish(valkey_server, made)
    return made


def publish(url: str, made: BotSource) -> None:
    async def put() -> None:
        redis = connect(url)
        await redis.flushall()
        await Bots(redis, 3600).publish(made)
        await redis.aclose()

    asyncio.run(put())


def publish_with_client_id(url: str, source: BotSource, client_id: str) -> None:
    publish(url, BotSource(source.export, MANIFEST.replace('client_id = "bot"', f"client_id = {client_id}")))


def consent_given(url: str, source: BotSource) -> None:
    bot = compile_bot(source)
    name = token_name(bot.id, "photos", bot.credentials["photos"])

    async def give() -> None:
        redis = connect(url)
        store = RedisTokens(redis, Sealer((SECRET,), PURPOSE))
        await store.lock(name, "me")
        await store.keep(name, "me", Kept("canary-token", "1"), 3_600_000, "canary-refresh")
        await redis.aclose()

    asyncio.run(give())


def test_credentials_are_listed_with_what_keeps_them_from_being_used(
    source: BotSource, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = botlane(capsys, "credentials", "list")
    bot = compile_bot(source).id
    nobody = "not usable: nobody has consented (botlane credentials authorize photos)"
    assert code == 1
    assert out.splitlines() == [
        f"{bot}  crm  basic  used by Orders  usable",
        f"{bot}  maps  api_key  used by nobody  not usable from here: without the file /nowhere/key (key)",
        f"{bot}  photos  oauth2_authorization_code  used by Photos  {nobody}",
    ]


def test_a_consent_makes_a_credential_usable_and_is_not_shown(
    source: BotSource, valkey_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    consent_given(valkey_server, source)
    _, out, err = botlane(capsys, "credentials", "list")
    assert "used by Photos  usable, a token for 59 min more" in out
    assert "canary" not in out + err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("authorize", "crm"), "'crm' needs no consent: that is for oauth2_authorization_code."),
        (("authorize", "nope"), "No published bot has a credential 'nope': there are crm, maps, photos."),
        (("authorize", "photos", "--bot", "nope"), "No bot 'nope' is published: botlane bots lists those that are."),
        (("list", "--bot", "nope"), "No bot 'nope' is published: botlane bots lists those that are."),
    ],
)
def test_what_cannot_be_done_is_said(
    source: BotSource, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    code, _, err = botlane(capsys, "credentials", *arguments)
    assert (code, problem in err) == (2, True)


@pytest.mark.parametrize("allowed", ["0", "1"])
def test_a_consent_runs_commands_of_a_published_bot_only_where_they_are_allowed(
    source: BotSource,
    valkey_server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    allowed: str,
) -> None:
    ran = tmp_path / "ran"
    publish_with_client_id(valkey_server, source, f'{{ command = "touch {ran}" }}')
    monkeypatch.setenv("BOTLANE_SECRET_COMMANDS", allowed)
    code, _, err = botlane(capsys, "credentials", "authorize", "photos")
    assert (code, "the command touch" in err, ran.exists()) == (2, True, allowed == "1")


def test_a_consent_tells_nobody_the_secret_of_the_installation(
    source: BotSource,
    valkey_server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    monkeypatch.delenv("BOTLANE_SECRET")
    monkeypatch.setenv("BOTLANE_SECRET_FILE", str(secret))
    publish_with_client_id(valkey_server, source, f'{{ file = "{secret}" }}')
    code, out, err = botlane(capsys, "credentials", "authorize", "photos")
    assert (code, out, "not for bots" in err) == (2, "", True)


def test_a_consent_needs_the_secret_of_the_gateway(
    source: BotSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("BOTLANE_SECRET")
    code, _, err = botlane(capsys, "credentials", "authorize", "photos")
    assert (code, "BOTLANE_SECRET is not set" in err) == (2, True)
