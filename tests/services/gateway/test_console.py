"""The chat page and what it asks for: who may see it, from where, and what a browser may do with it."""

import msgspec
import pytest

from services.settings import SettingsError
from shared.bot.source import BotSource
from shared.dialog.events import Attempt
from shared.dialog.trace import TraceLine, TurnTrace
from shared.store.bots import Bots
from tests.services.gateway.loopback import EXPORT, Gateway, StartConversation, StartGateway, error_of

TOKEN = "a-console-token"
ADDRESSES = ("/", "/page/chat.js", "/v1/bots", f"/v1/conversations/0-{'0' * 32}/trace")


@pytest.fixture
async def console(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(console=True)


@pytest.fixture
async def guarded(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(console=True, console_token=TOKEN)


@pytest.mark.parametrize("path", ADDRESSES)
async def test_without_the_console_there_is_nothing(gateway: Gateway, path: str) -> None:
    async with gateway.client.get(path) as answer:
        error = await error_of(answer, 404)
    assert "BOTLANE_CONSOLE" in error["message"]


async def test_the_page_is_served_under_a_strict_policy(console: Gateway) -> None:
    for path, kind in (("/", "text/html"), ("/page/chat.js", "text/javascript"), ("/page/icon.svg", "image/svg+xml")):
        async with console.client.get(path) as answer:
            assert answer.status == 200
            assert answer.content_type == kind
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-cache"
            rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


async def test_the_page_has_no_script_or_style_of_its_own_inside(console: Gateway) -> None:
    async with console.client.get("/") as answer:
        page = await answer.text()
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src=')


async def test_an_unchanged_file_is_not_sent_again(console: Gateway) -> None:
    async with console.client.get("/page/chat.js") as answer:
        tag = answer.headers["ETag"]
    async with console.client.get("/page/chat.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize(
    "name", ["nothing.js", "%2e%2e%2fapp.py", "..%2f..%2fapp.py", "index.html", ".js", "chat.js%00"]
)
async def test_only_the_pages_own_files_are_served(console: Gateway, name: str) -> None:
    from yarl import URL

    async with console.client.get(URL(f"{console.url}/page/{name}", encoded=True)) as answer:
        await error_of(answer, 404)


async def test_the_page_learns_which_bots_there_are(console: Gateway, bots: Bots) -> None:
    other = BotSource(msgspec.json.encode(EXPORT | {"bot": {"id": "a", "name": "Another"}}))
    await bots.publish(other)
    async with console.client.get("/v1/bots") as answer:
        listed = (await answer.json())["bots"]
    assert [bot["id"] for bot in listed] == ["a", "shop"]
    assert listed[0] == {"id": "a", "name": "Another", "greeting": listed[0]["greeting"], "version": other.version}
    assert listed[1]["greeting"] == "hello"


async def test_what_turns_did_is_shown_from_a_turn_on(console: Gateway, conversation: StartConversation) -> None:
    made = await conversation(console)
    for turn in (1, 2):
        await made.say("hi")
        line = TraceLine(code="starter", interaction="welcome", values={"text": "hi"})
        await made.reply(trace=msgspec.json.encode(TurnTrace(turn, 1, "message", "v", lines=[line])))
    async with console.client.get(f"{made.path}/trace") as answer:
        turns = (await answer.json())["turns"]
    assert [turn["turn"] for turn in turns] == [1, 2]
    assert turns[0]["lines"] == [{"code": "starter", "interaction": "welcome", "values": {"text": "hi"}}]
    assert turns[0]["at"] == "1970-01-01T00:00:00.001Z"
    async with console.client.get(f"{made.path}/trace?after=1") as answer:
        assert [turn["turn"] for turn in (await answer.json())["turns"]] == [2]
    async with console.client.get(f"{made.path}/trace?after=x") as answer:
        assert (await error_of(answer, 400))["field"] == "after"


@pytest.mark.parametrize("unknown", [f"0-{'0' * 32}", "nonsense"])
async def test_the_trace_of_a_conversation_that_is_not_there_is_not_found(console: Gateway, unknown: str) -> None:
    async with console.client.get(f"/v1/conversations/{unknown}/trace") as answer:
        await error_of(answer, 404)


async def test_a_page_that_may_call_otherwise_does_not_see_the_console(
    start_gateway: StartGateway,
) -> None:
    open_to_all = await start_gateway(console=True, cors_origins=("*",))
    for origin, status in (("https://elsewhere.example", 403), ("null", 403), ("http://localhost:3000", 200)):
        async with open_to_all.client.get("/v1/bots", headers={"Origin": origin}) as answer:
            assert answer.status == status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "192.168.1.5", "localhost.evil.example"])
async def test_a_foreign_name_that_leads_to_this_machine_does_not_open_the_console(console: Gateway, host: str) -> None:
    for path in ADDRESSES:
        async with console.client.get(path, headers={"Host": host}) as answer:
            await error_of(answer, 403)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
async def test_every_name_of_this_machine_opens_the_console(console: Gateway, host: str) -> None:
    async with console.client.get("/v1/bots", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ADDRESSES)
async def test_where_a_token_is_set_it_is_asked_for(guarded: Gateway, path: str) -> None:
    for headers in ({}, {"X-Botlane-Console": "wrong"}, {"Cookie": "botlane_console=x.y"}):
        async with guarded.client.get(path, headers=headers) as answer:
            error = await error_of(answer, 401)
        assert TOKEN not in error["message"]


async def test_the_token_opens_the_console_by_header(guarded: Gateway) -> None:
    async with guarded.client.get("/v1/bots", headers={"X-Botlane-Console": TOKEN}) as answer:
        assert answer.status == 200


async def test_the_token_in_the_address_is_swapped_for_a_cookie(guarded: Gateway) -> None:
    async with guarded.client.get(f"/?console={TOKEN}", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "./"
        cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    value = cookie.partition(";")[0]
    for path in ADDRESSES[:3]:
        async with guarded.client.get(path, headers={"Cookie": value, "Host": "bots.example"}) as answer:
            assert answer.status == 200


async def test_a_wrong_token_in_the_address_opens_nothing(guarded: Gateway) -> None:
    async with guarded.client.get("/?console=wrong", allow_redirects=False) as answer:
        await error_of(answer, 401)
        assert "Set-Cookie" not in answer.headers


async def test_a_new_console_token_ends_old_cookies(guarded: Gateway, start_gateway: StartGateway) -> None:
    async with guarded.client.get(f"/?console={TOKEN}", allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    renewed = await start_gateway(console=True, console_token="another-console-token")
    async with renewed.client.get("/v1/bots", headers={"Cookie": cookie}) as answer:
        await error_of(answer, 401)


async def test_a_conversation_token_does_not_open_the_console(
    guarded: Gateway, conversation: StartConversation
) -> None:
    made = await conversation(guarded)
    async with guarded.client.get("/v1/bots", headers={"Cookie": f"botlane_console={made.token}"}) as answer:
        await error_of(answer, 401)


async def test_a_console_open_to_the_network_is_not_started(start_gateway: StartGateway) -> None:
    with pytest.raises(SettingsError, match="BOTLANE_CONSOLE_TOKEN"):
        await start_gateway(console=True, host="0.0.0.0")


async def test_a_browser_is_asked_for_the_token(guarded: Gateway) -> None:
    async with guarded.client.get("/", headers={"Accept": "text/html,*/*"}) as answer:
        assert answer.status == 401
        assert answer.content_type == "text/html"
        assert 'name="console"' in await answer.text()
        assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


async def test_attempts_of_a_call_are_dated_like_everything_else(
    console: Gateway, conversation: StartConversation
) -> None:
    made = await conversation(console)
    await made.say("hi")
    lines = [
        TraceLine(code="outcome", values={"attempts": [Attempt(61_000, 5, "200")]}),
        TraceLine(code="outcome", note="without the console"),
        TraceLine(code="event", values={"attempts": "what a form named so"}),
    ]
    await made.reply(trace=msgspec.json.encode(TurnTrace(1, 1, "outcome", "v", lines=lines)))
    async with console.client.get(f"{made.path}/trace") as answer:
        shown = (await answer.json())["turns"][0]["lines"]
    assert shown[0]["values"]["attempts"] == [{"at": "1970-01-01T00:01:01.000Z", "ms": 5.0, "outcome": "200"}]
    assert shown[2]["values"] == {"attempts": "what a form named so"}
