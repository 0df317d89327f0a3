"""axe-core finds nothing to mend on any screen of the page and the form, narrow and wide, light and dark."""

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.journeys.browser.conftest import Demo
from tests.journeys.browser.visitor import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # one browser for all
    pytest.mark.parametrize(
        ("scheme", "width"),
        [
            ("light", 360),
            ("dark", 1280),
            pytest.param("dark", 360, marks=pytest.mark.proof),
            pytest.param("light", 1280, marks=pytest.mark.proof),
        ],
    ),
]
Scheme = Literal["light", "dark"]


async def looks(page: Page, width: int, scheme: Scheme) -> None:
    await page.set_viewport_size({"width": width, "height": 820})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


async def clean(page: Page) -> None:
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


async def test_the_choice_of_a_bot(visitor: Visitor, width: int, scheme: Scheme) -> None:
    await looks(visitor.page, width, scheme)
    await visitor.opens()
    await expect(visitor.page.get_by_role("button", name="Order desk")).to_be_visible()
    await clean(visitor.page)


async def test_a_conversation_with_cards_quick_replies_and_the_panel(
    visitor: Visitor, width: int, scheme: Scheme
) -> None:
    page = visitor.page
    await looks(page, width, scheme)
    await visitor.opens("order-status")
    await expect(page.get_by_role("button", name="Say “hi”")).to_be_visible()
    await clean(page)
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("1003")
    await page.get_by_role("button", name="Return this").first.click()
    await expect(visitor.quick_replies).to_be_visible()
    await clean(page)
    if width == 360:
        await page.get_by_role("button", name="What happened").click()
    await expect(visitor.panel.get_by_role("article")).to_have_count(4)
    for summary in await visitor.panel.locator("summary").all():
        await summary.click()
    await clean(page)
    if width == 360:
        await page.get_by_role("button", name="Close the panel").click()
    await visitor.taps("That is all")
    await expect(page.get_by_role("button", name="Start a new one")).to_be_visible()
    await clean(page)


async def test_the_form(page: Page, demo: Demo, width: int, scheme: Scheme) -> None:
    await looks(page, width, scheme)
    await page.goto(f"{demo.form_url}/?conversationId=a&botId=b&userId=c")
    await clean(page)
    await page.get_by_role("button", name="Send to the chat").click()
    await expect(page.get_by_text("Please choose a bike.")).to_be_visible()
    await clean(page)
    await page.goto(demo.form_url)
    await expect(page.get_by_role("alert")).to_be_visible()
    await clean(page)
