"""Rich content as the page draws it, from JSON that no example bot sends: hostile links, maps, lists, the unknown."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.journeys.browser.conftest import LOOKS, Demo, quiet_page
from tests.journeys.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

DRAW = """async (content) => {
  const { rich } = await import("/page/rich.js");
  window.taps = [];
  document.getElementById("log").replaceChildren(rich(content, (message) => window.taps.push(message)));
}"""


def button(title: str, **action: Any) -> dict[str, Any]:
    return {"type": "button", "title": title, "click": {"actions": [action]}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened(chromium: Browser, demo: Demo) -> AsyncIterator[Page]:
    """One page for all: each test draws its own content in the place of what was there."""
    async with quiet_page(await chromium.new_context(**LOOKS)) as page:
        await Visitor(page, demo.url, demo.bots).opens("web-view")
        yield page
    await page.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def drawn(opened: Page) -> Any:
    """Draw content on the page; what its controls say lands in `taps`."""

    async def draw(*elements: dict[str, Any]) -> Page:
        content = elements[0] if len(elements) == 1 else {"type": "vertical", "elements": elements}
        await opened.evaluate(DRAW, content)
        return opened

    return draw


async def taps(page: Page) -> list[dict[str, Any]]:
    return list(await page.evaluate("window.taps"))


async def test_an_address_of_another_scheme_cannot_be_opened(drawn: Any) -> None:
    hostile = ["javascript:document.title='owned'", "data:text/html,x", "vbscript:x", "//", "", None, "file:///etc/x"]
    page = await drawn(*(button("Look", type="link", uri=address) for address in hostile))
    await expect(page.get_by_role("button", name="Look", disabled=True)).to_have_count(len(hostile))
    assert await page.locator(".rich a").count() == 0


async def test_a_link_opens_without_handing_over_the_opener(drawn: Any) -> None:
    good = ["https://example.com/a?b=c", "http://example.com/", "tel:+3120", "mailto:a@b.example"]
    page = await drawn(*(button("Look", type="link", uri=address, target="blank") for address in good))
    links = await page.get_by_role("link", name="Look").all()
    assert [await link.get_attribute("href") for link in links] == good
    web = "noopener noreferrer"
    assert [await link.get_attribute("rel") for link in links] == [web, web, None, None]


async def test_a_button_says_its_label_with_payload_and_metadata(drawn: Any) -> None:
    metadata = [{"type": "ExternalId", "id": "17"}]
    content = button("Blue", type="publishText", text="colour blue")
    content["click"]["metadata"] = metadata
    page = await drawn(content)
    await page.get_by_role("button", name="Blue").click()
    assert await taps(page) == [{"text": "Blue", "payload": "colour blue", "metadata": metadata}]


async def test_a_map_is_drawn_here_and_links_to_one(drawn: Any) -> None:
    page = await drawn({"type": "map", "la": 52.37, "lo": 4.89, "tooltip": "Our shop"})
    link = page.get_by_role("link", name="Our shop")
    await expect(link).to_have_attribute(
        "href", "https://www.openstreetmap.org/?mlat=52.37&mlon=4.89#map=15/52.37/4.89"
    )


async def test_a_list_says_what_was_ticked(drawn: Any) -> None:
    boxes = [
        {"type": "checkbox", "text": text, "click": {"actions": [{"type": "checked", "publishText": f"with {text}"}]}}
        for text in ("onion", "cheese", "olives")
    ]
    section = {"type": "section", "sectionID": "1", "elements": [{"type": "checklist", "elements": boxes}]}
    page = await drawn(
        {
            "type": "list",
            "elements": [
                {"type": "text", "text": "What goes on top?"},
                {"type": "sectionList", "elements": [section]},
                {"type": "buttonList", "elements": [{"type": "submitButton", "title": "Bake it"}]},
            ],
        }
    )
    send = page.get_by_role("button", name="Bake it")
    await expect(send).to_be_disabled()
    await page.get_by_label("onion").check()
    await page.get_by_label("olives").check()
    await send.click()
    assert await taps(page) == [{"text": "with onion, with olives", "payload": "with onion, with olives"}]


async def test_markup_in_every_kind_of_text_stays_text(drawn: Any) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    page = await drawn(
        {"type": "text", "text": evil, "tag": "title", "tooltip": evil},
        {"type": "image", "url": "data:image/png;base64,AAAA", "caption": evil, "tooltip": evil},
        button(evil, type="publishText", text=evil),
        {"type": "map", "la": 1, "lo": 2, "tooltip": evil},
        {"type": "keyValuePairList", "elements": [{"key": evil, "value": evil}]},
        {"type": evil},
    )
    await expect(page.locator(".rich img")).to_have_count(0)  # the picture itself cannot be loaded
    assert await page.title() == "Bike desk · Botlane"


async def test_colours_that_cannot_be_read_are_not_taken(drawn: Any) -> None:
    style = {"background-color": "#ffff00", "color": "#ffffff"}
    page = await drawn({**button("Pale", type="publishText", text="x"), "style": style})
    colour = await page.get_by_role("button", name="Pale").evaluate("button => getComputedStyle(button).color")
    assert colour == "rgb(0, 0, 0)"


async def test_content_that_nobody_knows_is_named(drawn: Any) -> None:
    page = await drawn({"type": "hologram"})
    await expect(page.get_by_text("This page cannot show “hologram” content.")).to_be_visible()


async def test_content_of_the_wrong_shape_breaks_nothing(drawn: Any) -> None:
    page = await drawn(
        None, 7, "text", [], {}, {"type": "vertical", "elements": 3}, {"type": "carousel"}, {"type": "list"}
    )
    await expect(page.get_by_text("This page cannot show")).to_have_count(5)


async def test_names_that_every_object_has_are_only_words(drawn: Any) -> None:
    stringless = {"toString": 1, "valueOf": 2}
    page = await drawn(
        {"type": "constructor"},
        {"type": "__proto__", "elements": []},
        {"type": "toString"},
        {"type": stringless},
        {"type": "text", "text": stringless, "tooltip": stringless},
        {"type": "button", "title": stringless, "tooltip": stringless, "click": {"actions": [None]}},
        {"type": "image", "url": stringless, "tooltip": stringless},
        button("Say it", type="publishText", text=stringless),
        button("Open it", type="link", uri=stringless),
    )
    await expect(page.get_by_text("This page cannot show")).to_have_count(4)
    await page.get_by_role("button", name="Say it").click()
    assert [tap["payload"] for tap in await taps(page)] == ['{"toString":1,"valueOf":2}']
