"""The scenario of a form outside the chat: open it from the chat, send it, and read the answer in the chat."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.journeys.browser.conftest import Demo
from tests.journeys.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all


async def test_what_is_entered_in_the_form_is_confirmed_in_the_chat(visitor: Visitor, context: BrowserContext) -> None:
    await visitor.opens("web-view")
    await visitor.says("web view")
    async with context.expect_page() as opened:
        await visitor.page.get_by_role("link", name="Open the booking form").click()
    form = await opened.value
    await form.get_by_label("Your name").fill("Ada <b>Byron</b>")
    await form.get_by_role("radio", name="Cargo bike").check()
    await form.get_by_label("On which day?").fill("2031-05-09")
    await form.get_by_label("I would like a helmet").check()
    await form.get_by_role("button", name="Send to the chat").click()
    await expect(form.get_by_role("heading", name="Sent")).to_be_visible()
    await expect(form.locator("#done")).to_be_focused()

    await visitor.hears("Thank you, Ada <b>Byron</b>.")
    await visitor.hears("Bike: Cargo bike\nDay: 9 May 2031\nHelmet: yes, please")
    await expect(visitor.bubble("Here are my booking details")).to_have_count(1)
    assert await visitor.page.locator(".bubble b").count() == 0
    await visitor.taps("Yes, book it")
    await visitor.hears("Your bike is booked, Ada <b>Byron</b>.")


async def test_the_form_says_what_is_missing_and_goes_there(visitor: Visitor, context: BrowserContext) -> None:
    await visitor.opens("web-view")
    await visitor.says("web view")
    async with context.expect_page() as opened:
        await visitor.page.get_by_role("link", name="Open the booking form").click()
    form = await opened.value
    await form.get_by_label("Your name").fill("Ada")
    await form.get_by_role("button", name="Send to the chat").click()
    await expect(form.get_by_text("Please choose a bike.")).to_be_visible()
    await expect(form.get_by_text("Please enter your name.")).to_have_count(0)
    await expect(form.get_by_role("radio", name="City bike")).to_be_focused()


async def test_a_form_of_a_conversation_that_is_gone_says_so(page: Page, demo: Demo) -> None:
    address = f"{demo.form_url}/?conversationId=0-{32 * '0'}&botId={demo.bots['web-view']}&userId=nobody"
    await page.goto(address)
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("radio", name="E-bike").check()
    await page.get_by_label("On which day?").fill("2031-05-09")
    await page.get_by_role("button", name="Send to the chat").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no such conversation")
    await expect(page.get_by_role("button", name="Send to the chat")).to_be_enabled()


async def test_a_form_opened_without_a_chat_says_where_to_begin(page: Page, demo: Demo) -> None:
    await page.goto(demo.form_url)
    await expect(page.get_by_role("alert")).to_contain_text("This page is opened from a chat")
    await expect(page.get_by_role("button", name="Send to the chat")).to_be_hidden()
