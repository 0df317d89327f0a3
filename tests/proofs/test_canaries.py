"""No secret and no token leaves the system but in a request to the right host, whatever happens on the way.

A bot with a credential of every type runs through everything that can become of a call. Then all that the system has
written and shows is searched: its data folder with every write to Redis, logs, metrics, traces, messages, commands.
"""

import asyncio
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import aiohttp
import pytest
from aiohttp import web

from services.cli.__main__ import main
from tests.journeys.consumer import Consumer
from tests.journeys.system import LoopbackApi, Running, botlane_run, clean_environment
from tests.proofs.beside import beside
from tests.proofs.canary_bot import BASIC, CANARIES, PROXY_BASIC, SMTP_PLAIN, Places, calls, environment, write_bot
from tests.services.integration_worker.authority import Authority
from tests.services.integration_worker.mail_server import MailServer, mailing
from tests.services.integration_worker.misbehaving import Server, serving
from tests.services.integration_worker.proxying import Proxy, proxying
from tests.unit.dialog.bots import BOT_ID

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

SECRETS = {**CANARIES, "basic": BASIC, "smtp": SMTP_PLAIN, "proxy": PROXY_BASIC}


def answers(api: LoopbackApi, other: LoopbackApi) -> None:
    """Let the API behave in every way, to every credential."""

    async def echo(request: web.Request) -> web.Response:
        sent = f"{request.path_qs} {dict(request.headers)} {await request.text()}"
        return web.json_response({"sent": sent}, headers={"X-Echo": sent.replace("\n", " ")})

    async def denied(request: web.Request) -> web.Response:
        return web.Response(status=401, text=f"not {dict(request.headers)}", headers={"WWW-Authenticate": "Bearer"})

    async def failing(request: web.Request) -> web.Response:
        return web.Response(status=500, text=f"Traceback: {request.path_qs} {dict(request.headers)}")

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def dropping(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{other.url}/there?{request.query_string}"})

    other.answers["/there"] = {"sent": "there"}
    for name, behaviour in calls():
        api.answers[f"/{behaviour}/{name}"] = {
            "ok": {"sent": "fine"},
            "echo": echo,
            "denied": denied,
            "failing": failing,
            "slow": slow,
            "dropping": dropping,
            "away": away,
        }.get(behaviour)


def token_answers(tokens: LoopbackApi) -> None:
    """Let token end-points give canaries, or repeat what they were sent."""

    async def repeating(request: web.Request) -> web.Response:
        said = f"{await request.text()} {dict(request.headers)}"
        return web.json_response(
            {"error": said, "error_description": said}, status=400, reason=said[:40].split("\n", maxsplit=1)[0]
        )

    async def busy(request: web.Request) -> web.Response:
        return web.Response(status=503, text=f"{dict(request.headers)}")

    def issued(token: str, **more: str) -> dict[str, object]:
        return {"access_token": CANARIES[token], "token_type": "Bearer", "expires_in": 600, **more}

    tokens.answers["/issuing"] = issued("issued_token")
    tokens.answers["/jwt"] = issued("jwt_token")
    tokens.answers["/photos"] = issued("photos_token", refresh_token=CANARIES["photos_refresh"])
    tokens.answers["/repeating"] = repeating
    tokens.answers["/busy"] = busy


class Others(NamedTuple):
    """The servers: the API, its token end-points, somebody else, and those that are reached in other ways."""

    api: LoopbackApi
    tokens: LoopbackApi
    other: LoopbackApi
    secure: Server
    proxy: Proxy
    mail: MailServer

    @property
    def places(self) -> Places:
        return Places(self.api.url, self.tokens.url, self.secure.url, self.proxy.url, self.mail.url)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Others]:
    authority = Authority(tmp_path)
    authority.client("client")
    with (
        LoopbackApi() as api,
        LoopbackApi() as tokens,
        LoopbackApi() as other,
        beside(serving(authority.server())) as secure,
        beside(proxying()) as proxy,
        beside(mailing()) as mail,
    ):
        answers(api, other)
        token_answers(tokens)
        secure.answers = [(200, {"Content-Type": "application/json"}, b'{"sent": "securely"}')]
        proxy.hosts["shop.invalid"] = ("127.0.0.1", int(api.url.rpartition(":")[2]))
        proxy.password = f"bot:{CANARIES['proxy_password']}"
        mail.says["AUTH"] = ["235 welcome", f"535 5.7.8 not {CANARIES['smtp_password']} {SMTP_PLAIN}"]
        yield Others(api, tokens, other, secure, proxy, mail)


def command(running: Running, *arguments: str, data: bool = True, code: int | None = None) -> str:
    """Type a command beside the running system and return all it printed."""
    where = ["--data", str(running.data)] if data else []
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments, *where],
        env=clean_environment() | environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert code is None or ended.returncode == code, ended.stdout + ended.stderr
    return f"{ended.stdout}{ended.stderr}"


def consented(running: Running) -> str:
    """Consent to `photos` as a person does; return what the command and the page said."""
    typed = [sys.executable, "-m", "services.cli", "credentials", "authorize", "photos", "--data", str(running.data)]
    process = subprocess.Popen(
        typed, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    printed = ""
    while not (found := re.search(r"^  (http\S+/consent\S+)$", printed, re.MULTILINE)):
        line = process.stdout.readline()
        assert line, printed
        printed += line
    asked = {name: values[0] for name, values in parse_qs(urlsplit(found[1]).query).items()}
    back = f"{asked['redirect_uri']}?code={CANARIES['photos_code']}&state={asked['state']}"
    with urlopen(back) as page:
        said = page.read().decode()
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, printed + rest
    assert "Authorized" in said
    return f"{printed}{rest}{said}"


async def talked(url: str) -> tuple[str, list[str]]:
    """Let every call be made; return what consumers and the console saw, and the conversations' ids."""
    shown, ids = [], []

    async def one(called: str) -> None:
        async with conversation(url) as consumer:
            ids.append(consumer.conversation_id)
            await consumer.say(f"go {called}")
            while not (heard := await consumer.next()).get("text", "").startswith(f"ended {called}"):
                shown.append(json.dumps(heard))
            shown.append(json.dumps(heard))
            shown.append(json.dumps(await consumer.trace()))

    names = [f"{name}-{behaviour}" for name, behaviour in calls()]
    for at in range(0, len(names), 12):
        await asyncio.gather(*map(one, names[at : at + 12]))
    return "\n".join(shown), ids


@asynccontextmanager
async def conversation(url: str) -> AsyncIterator[Consumer]:
    """Open a conversation whose consumer has signed in."""
    async with Consumer(url, BOT_ID) as consumer:
        await sign_in(consumer)
        yield consumer


async def sign_in(consumer: Consumer, **more: str) -> None:
    """Post the consumer's token as a form does."""
    proof = hashlib.sha256(f"{consumer.conversation_id} || {BOT_ID}".encode()).hexdigest()
    variables = {"cidp_accessToken": CANARIES["consumer_token"], **more}
    body = {"botId": BOT_ID, "conversationId": consumer.conversation_id, "userId": consumer.user_id}
    given = [{"name": name, "value": value} for name, value in variables.items()]
    path, headers = "/thirdparty-services-0.1/webview", {"Authorization": proof}
    status, answer = await consumer.request("POST", path, json={**body, "contextVariables": given}, headers=headers)
    assert status == 200, answer


async def buried(url: str) -> None:
    """Let a consumer's token come too late: its event is given up."""
    async with conversation(url) as consumer:
        await consumer.say("close")
        await sign_in(consumer, again="yes")
        while (await consumer.next())["type"] != "closed":
            pass


async def metrics(running: Running) -> str:
    """Return the metrics of all programs."""
    told = []
    ready = json.loads((running.data / "ready.json").read_text())  # a program may have been started again
    async with aiohttp.ClientSession() as http:
        for name, pid in ready["programs"].items():
            variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            for ops in (one.partition("=")[2] for one in variables if one.startswith("BOTLANE_OPS=")):
                async with http.get(f"http://{ops}/metrics") as answer:
                    assert answer.status == 200, name
                    told.append(await answer.text())
    assert len(told) == 3
    return "\n".join(told)


def found_in(places: dict[str, str]) -> list[str]:
    return [
        f"{name} in {place}"
        for place, content in places.items()
        for name, secret in SECRETS.items()
        if secret in content
    ]


def called_by_hand(bot: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Let `botlane call` make one call with each credential, in all its forms; return all it printed."""
    told = ""
    last = {name: behaviour for name, behaviour in calls() if behaviour in {"ok", "echo", "again"}}
    for name, behaviour in last.items():
        for form in ([], ["--json"], ["--curl"]):
            words = ["call", str(bot), f"{name}-{behaviour}", *form]
            if name == "consumer":
                words += ["--set", f"cidp_accessToken={CANARIES['consumer_token']}"]
            with pytest.raises(SystemExit):
                main(words)
            said = capsys.readouterr()
            told += f"{name} {said.out}{said.err}"
    return told


def test_secrets_appear_in_requests_to_the_right_host_and_nowhere_else(
    tmp_path: Path, servers: Others, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, tokens, other, secure, proxy, mail = servers
    bot = write_bot(tmp_path, servers.places)
    with botlane_run(tmp_path / ".botlane", [bot], **environment(), BOTLANE_CREATE_RATE="10000") as running:
        places = {"authorize": consented(running)}
        places["conversations"], ids = asyncio.run(talked(running.url))
        places["metrics"] = asyncio.run(metrics(running))
        places["list"] = command(running, "credentials", "list")
        for at, form in enumerate(([], ["--values"], ["--json"])):
            places[f"trace {form}"] = "".join(command(running, "trace", one, *form, code=0) for one in ids[at::30])
        places["status"] = command(running, "status", "--json", code=0)
        asyncio.run(buried(running.url))
        places["dead list"] = command(running, "dead", "list", "--json", code=0)
        [letter] = json.loads(places["dead list"])
        places["dead show"] = command(running, "dead", "show", letter["id"], "--values", code=0)
        places["check"] = command(running, "check", str(bot), data=False)
        monkeypatch.chdir(tmp_path)
        for name, value in environment().items():
            monkeypatch.setenv(name, value)
        places["call"] = called_by_hand(bot, capsys)
        secret = (running.data / "secret").read_text()
    places["what botlane run printed"] = running.log.read_text()
    stored = {
        str(file): file.read_bytes().decode("latin-1")
        for file in running.data.rglob("*")
        if file.is_file() and file.name != "secret"
    }
    assert any("appendonly" in name for name in stored)
    assert "outcome=credential" in stored[str(running.data / "logs/integration-worker.log")].replace('":"', "=")
    assert found_in(places | stored) == []
    assert [name for name, content in (places | stored).items() if secret in content] == []
    assert found_in({"another origin": str(other.requests)}) == []
    assert len(other.requests) > 0
    assert secret not in str(api.requests)
    sent = str([api.requests, tokens.requests, proxy.heads, [one.user for one in mail.taken]])
    sent += "".join(
        base64.b64decode(basic).decode() for basic in re.findall(r"(?:Basic|PLAIN) ([A-Za-z0-9+/=]+)", sent)
    )
    assert secure.seen.count > 0
    unsent = {"private_key", "passphrase", "locked_phrase"}  # signed with, or opened by
    assert [name for name in SECRETS if name not in unsent and SECRETS[name] not in sent] == []
