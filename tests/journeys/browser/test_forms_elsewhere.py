"""Forms on another origin in Chromium: CB's own way with its preflight, and the one line of script of safe mode."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, Request, expect

from tests.journeys.browser.form_pages import SAFE, form_bot, form_pages
from tests.journeys.system import botlane_run
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all
POST = """async ([gateway, headers]) => {
  const answer = await fetch(`${gateway}/thirdparty-services-0.1/webview`, {method: "POST", headers, body: "{}"});
  return [answer.status, (await answer.json()).success];
}"""
BOTS = {"old-forms": "", "safe-forms": SAFE}


@dataclass
class Consumer:
    """Somebody in a conversation, over HTTP."""

    http: aiohttp.ClientSession
    pages: str
    bot: str
    created: dict[str, str] = field(default_factory=dict)
    cursor: str = ""

    @property
    def path(self) -> str:
        return f"/v1/conversations/{self.created['conversationId']}/messages"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.created['token']}"}

    async def begin(self) -> None:
        async with self.http.post(f"/v1/bots/{self.bot}/conversations", json={}) as answer:
            self.created = await answer.json()

    async def say(self, text: str) -> str:
        async with self.http.post(self.path, json={"text": text}, headers=self.headers) as answer:
            assert answer.status == 202
        return await self.hear()

    async def hear(self) -> str:
        """The next thing the bot says."""
        for _ in range(20):
            query = {"after": self.cursor, "wait": "10"}
            async with self.http.get(self.path, params=query, headers=self.headers) as answer:
                page: dict[str, Any] = await answer.json()
            self.cursor = page["cursor"]
            said = [message["text"] for message in page["messages"] if message["from"] == "bot"]
            if said:
                return str(said[-1])
        raise AssertionError("the bot said nothing")

    @property
    def old_form(self) -> str:
        created = self.created
        return f"{self.pages}/old?b={self.bot}&c={created['conversationId']}&u={created['userId']}"


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A system with both bots: the addresses of its gateway and of the form pages, which are two origins."""
    folder = tmp_path_factory.mktemp("forms")
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    with form_pages(gateway) as pages:
        for name, manifest in BOTS.items():
            (folder / f"{name}.json").write_text(json.dumps(form_bot(name, pages)))
            (folder / f"{name}.botlane.toml").write_text(manifest)
        exports = [folder / f"{name}.json" for name in BOTS]
        with botlane_run(folder / "data", exports, "--port", str(port)):
            yield gateway, pages


@pytest_asyncio.fixture(loop_scope="session")
async def http(forms: tuple[str, str]) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(forms[0]) as session:
        yield session


async def begin(http: aiohttp.ClientSession, forms: tuple[str, str], bot: str) -> Consumer:
    consumer = Consumer(http, forms[1], bot)
    await consumer.begin()
    return consumer


async def test_an_unchanged_form_of_another_origin_posts_after_its_preflight(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str], context: BrowserContext
) -> None:
    consumer = await begin(http, forms, "old-forms")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.method == "POST" else None)
    await page.goto(consumer.old_form)
    await page.get_by_label("Size").fill("Größe M")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#outcome")).to_contain_text("sent 0-")
    assert await consumer.hear() == "size Größe M, extras null, admin null"
    [posted] = asked
    headers = await posted.all_headers()
    assert headers["origin"] == forms[1]
    assert "authorization" in headers  # which no browser sends to another origin without having asked


async def test_an_unchanged_form_shows_what_is_wrong(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "old-forms")
    await page.goto(consumer.old_form)
    await page.get_by_label("Size").fill("x" * 9000)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#outcome")).to_contain_text("413: A variable has at most 8 KiB")
    for header, value, status in (("X-Requested-With", "XMLHttpRequest", 401), ("Authorization", "x" * 9000, 400)):
        assert await page.evaluate(POST, [forms[0], {header: value}]) == [status, False]


async def test_safe_mode_tells_an_unchanged_form_what_to_do(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "safe-forms")
    await page.goto(consumer.old_form)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#outcome")).to_contain_text("getWebViewToken")


@pytest.mark.parametrize("bot", BOTS)
async def test_one_line_of_script_posts_the_form_with_its_token(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str], bot: str
) -> None:
    consumer = await begin(http, forms, bot)
    address = await consumer.say("form")
    assert consumer.created["conversationId"] not in address
    await page.goto(address)
    await page.get_by_label("Size").fill("L")
    await page.get_by_label("Bell").check()
    await page.get_by_label("Lamp").check()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_have_text("Sent. You can go back to the chat.")
    await expect(page.get_by_role("status")).to_be_focused()
    await expect(page.get_by_role("button", name="Send")).to_be_hidden()
    assert await consumer.hear() == "size L, extras bell,lamp, admin null"


async def test_clicking_twice_sends_one_form(page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]) -> None:
    consumer = await begin(http, forms, "safe-forms")
    await page.goto(await consumer.say("form"))
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    await page.get_by_label("Size").fill("L")
    await page.get_by_role("button", name="Send").dblclick()
    await expect(page.get_by_role("status")).to_be_visible()
    assert len(posted) == 1


async def test_a_token_that_was_used_or_cut_tells_the_person_to_open_the_form_again(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "safe-forms")
    address = await consumer.say("once")
    for opened, size, role, said in (
        (address, "L", "status", "Sent."),
        (address, "M", "alert", "open it again from the chat"),
        (address[:-9], "M", "alert", "not whole. Please open it again from the chat"),
    ):
        await page.goto("about:blank")
        await page.goto(opened)
        await page.get_by_label("Size").fill(size)
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("status" if role == "status" else "alert")).to_contain_text(said)
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    assert await consumer.hear() == "size L, extras null, admin null"


FIELDS = """
<form id="a">
  <input name="size" value="L"><input name="size" value="M"><input name="" value="no name"><input type="file" name="file">
  <select name="extras" multiple><option selected>bell</option><option selected>lamp</option></select>
  <input name="off" value="x" disabled><button name="go" value="yes">Send</button>
</form>
<p id="ok" hidden>Thank you</p><p id="bad" hidden></p>
<script src="{gateway}/webview.js" data-form="#a" data-message="form sent" data-done="#ok" data-error="#bad"
  data-token="{token}"></script>
"""


async def test_the_line_posts_what_a_browser_would_and_shows_the_elements_it_names(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "safe-forms")
    token = (await consumer.say("form")).partition("#webview=")[2]
    posted: list[Any] = []
    page.on("request", lambda request: posted.append(request.post_data_json) if request.method == "POST" else None)
    await page.goto(f"{forms[1]}/empty")
    for given, shown in (("wv1.wrong", "#bad"), (token, "#ok")):
        await page.set_content(FIELDS.format(gateway=forms[0], token=given))
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(shown)).to_be_visible()
        await expect(page.locator({"#ok": "#bad", "#bad": "#ok"}[shown])).to_be_hidden()
    await expect(page.locator("#ok")).to_have_text("Thank you")
    fields = {"size": ["L", "M"], "extras": ["bell", "lamp"], "go": "yes"}
    sent = {"message": "form sent", "contextVariables": [{"name": n, "value": v} for n, v in fields.items()]}
    assert posted == [sent, sent]
    assert await consumer.hear() == "size L,M, extras bell,lamp, admin null"


async def test_a_page_may_speak_for_itself_and_post_without_a_form(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "safe-forms")
    await page.goto(await consumer.say("once"))
    told = """new Promise((resolve) => {
      for (const name of ["botlane:sent", "botlane:failed"])
        document.addEventListener(name, (event) => { event.preventDefault(); resolve([name, event.detail]); });
      document.querySelector("#order").requestSubmit();
    })"""
    await page.get_by_label("Size").fill("L")
    name, detail = await page.evaluate(told)
    assert (name, detail["receipt"][:2]) == ("botlane:sent", "0-")
    await expect(page.get_by_role("status")).to_be_hidden()
    assert await consumer.hear() == "size L, extras null, admin null"
    await page.get_by_label("Size").fill("M")
    name, detail = await page.evaluate(told)
    assert (name, detail["code"]) == ("botlane:failed", "token_used")
    await expect(page.get_by_role("alert")).to_be_hidden()
    failed = "botlane.send({size: 'M'}).catch((error) => [error.code, error.message])"
    code, message = await page.evaluate(failed)
    assert (code, message[:25]) == ("token_used", "This form was for one use")
    address = await consumer.say("form")
    await page.goto("about:blank")
    await page.goto(address)
    assert (await page.evaluate("botlane.send({size: 'M'}, 'form sent')"))["message"] == "queued"
    assert await consumer.hear() == "size M, extras null, admin null"


async def test_a_form_that_no_chat_opened_says_so(page: Page, forms: tuple[str, str]) -> None:
    await page.goto(f"{forms[1]}/safe")
    await expect(page.get_by_role("alert")).to_contain_text("opened from a chat")


async def test_a_form_whose_chat_cannot_be_reached_says_so_and_can_be_sent_again(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "safe-forms")
    await page.goto(await consumer.say("form"))
    await page.route("**/webview", lambda route: route.abort())
    await page.get_by_label("Size").fill("L")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await page.unroute("**/webview")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_be_visible()
    assert await consumer.hear() == "size L, extras null, admin null"


async def test_a_receipt_opened_in_the_browser_is_a_page(
    page: Page, http: aiohttp.ClientSession, forms: tuple[str, str]
) -> None:
    consumer = await begin(http, forms, "old-forms")
    await page.goto(consumer.old_form)
    await page.get_by_label("Size").fill("secret size")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#outcome")).to_contain_text("sent 0-")
    receipt = (await page.locator("#outcome").inner_text()).removeprefix("sent ")
    await consumer.hear()
    await page.goto(f"{forms[0]}/v1/receipts/{receipt}")
    await expect(page.get_by_role("heading", name="Receipt of a form")).to_be_visible()
    await expect(page.get_by_text("Applied. The bot has what the form sent.")).to_be_visible()
    await expect(page.get_by_text("Sum up")).to_be_visible()
    assert "secret size" not in await page.content()
    await page.set_viewport_size({"width": 320, "height": 800})
    for shown in ("Applied.", "There is no such receipt"):
        await expect(page.get_by_role("main")).to_contain_text(shown)
        assert await page.evaluate("document.documentElement.scrollWidth") == 320
        results = await Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        await page.goto(f"{forms[0]}/v1/receipts/0-{'0' * 32}-1")
