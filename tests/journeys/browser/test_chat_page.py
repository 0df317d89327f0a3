"""The chat page in a browser, in front of a whole system with the example bots."""

import os
import signal

import pytest
from playwright.async_api import Page, expect

from tests.journeys.browser.conftest import Demo
from tests.journeys.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

ATTACK = "<img src=x onerror=\"document.title='owned'\"> <b>1001</b>"


async def test_several_bots_are_offered_and_one_is_chosen(visitor: Visitor) -> None:
    await visitor.opens()
    await visitor.page.get_by_role("button", name="Bike desk").click()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Bike desk")
    await expect(visitor.page.get_by_role("button", name="Say “hi”")).to_be_focused()
    await visitor.page.get_by_role("button", name="All bots").click()
    await expect(visitor.page.get_by_role("button", name="Order desk")).to_be_visible()


async def test_a_conversation_needs_only_the_keyboard(visitor: Visitor) -> None:
    keyboard = visitor.page.keyboard
    await visitor.opens("order-status")
    greeting = visitor.page.get_by_role("button", name="Say “hi”")
    await expect(greeting).to_be_visible()
    while not await greeting.evaluate("button => button === document.activeElement"):
        await keyboard.press("Tab")
    await keyboard.press("Enter")
    await visitor.hears("What is your order number?")
    await expect(visitor.field).to_be_focused()
    await keyboard.type("4040")
    await keyboard.press("Enter")
    await expect(visitor.quick_replies).to_be_visible()
    await keyboard.press("Shift+Tab")
    await expect(visitor.quick_replies.get_by_role("button").last).to_be_focused()
    await keyboard.press("Enter")
    await visitor.hears("All right.")
    await expect(visitor.quick_replies).to_be_hidden()
    await expect(visitor.field).to_be_focused()


async def test_text_is_never_interpreted_as_html(visitor: Visitor) -> None:
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says(ATTACK)
    await visitor.hears("It holds 3 articles")
    await expect(visitor.bubble(ATTACK)).to_have_count(1)
    assert await visitor.page.locator(".bubble img, .bubble b").count() == 0
    assert await visitor.page.title() == "Order desk · Botlane"


async def test_cards_can_be_leafed_through_and_tapped(visitor: Visitor) -> None:
    await visitor.page.emulate_media(reduced_motion="reduce")
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("1003")
    cards = visitor.page.get_by_role("list", name="Cards, 5 in a row")
    await expect(cards.get_by_role("listitem")).to_have_count(5)
    on = visitor.page.get_by_role("button", name="Next cards")
    back = visitor.page.get_by_role("button", name="Previous cards")
    await expect(back).to_be_disabled()
    for _ in range(4):
        await on.evaluate("button => button.click()")  # at the end it is disabled, and does nothing
    await expect(on).to_be_disabled()
    await expect(back).to_be_enabled()
    last = cards.get_by_role("listitem").last
    await expect(last).to_be_in_viewport()
    await last.get_by_role("button", name="Return this").click()
    await visitor.hears("A return label for article C-05")
    await expect(visitor.bubble("Return this")).to_have_count(1)


async def test_the_typing_dots_stand_for_a_delay(visitor: Visitor) -> None:
    await visitor.opens("web-view")
    await visitor.page.evaluate(
        """() => {
          window.seen = [];
          const dots = document.getElementById("typing");
          new MutationObserver(() => window.seen.push(dots.hidden)).observe(dots, { attributeFilter: ["hidden"] });
        }"""
    )
    await visitor.says("hi")
    await visitor.hears("What shall we do?")
    assert await visitor.page.evaluate("window.seen") == [False, True]


async def test_quick_replies_vanish_after_the_next_message(visitor: Visitor) -> None:
    await visitor.opens("web-view")
    await visitor.says("hi")
    await expect(visitor.quick_replies.get_by_role("button")).to_have_count(2)
    await visitor.says("web view")
    await expect(visitor.quick_replies).to_be_hidden()


async def test_a_reload_goes_on_with_the_conversation(visitor: Visitor) -> None:
    await visitor.opens("web-view")
    await visitor.says("hi")
    await visitor.hears("What shall we do?")
    before = await visitor.said()
    await visitor.page.reload()
    await visitor.hears("What shall we do?")
    assert await visitor.said() == before
    await visitor.taps("How does this work?")
    await visitor.hears("The button opens a web page outside this chat.")


async def test_what_is_written_while_the_gateway_is_away_arrives_once(visitor: Visitor, demo: Demo) -> None:
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    os.kill(demo.running.ready["programs"]["gateway"], signal.SIGKILL)
    await visitor.says("1002")
    await visitor.hears("It holds 1 article")
    own = visitor.page.locator(".from-consumer .bubble").filter(has_text="1002")
    await expect(own).to_have_count(1)
    demo.running.wait_until_ready()
    await visitor.page.reload()
    await visitor.hears("It holds 1 article")
    await expect(own).to_have_count(1)


async def test_an_api_that_is_down_can_be_tried_again(visitor: Visitor) -> None:
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("5030")
    await visitor.hears("The order desk cannot be reached at the moment.")
    await visitor.taps("Try again")
    asked = visitor.page.locator(".from-bot .bubble").filter(has_text="Shall I try again?")
    await expect(asked).to_have_count(2)
    await visitor.taps("Another number")
    await visitor.says("1002")
    await visitor.hears("Order 1002 is being packed. It holds 1 article:")


async def test_restart_begins_a_new_conversation(visitor: Visitor) -> None:
    await visitor.opens("web-view")
    await visitor.says("hi")
    await visitor.hears("What shall we do?")
    await visitor.page.get_by_role("button", name="Restart").click()
    await expect(visitor.page.get_by_role("button", name="Say “hi”")).to_be_focused()
    assert await visitor.said() == []
    await expect(visitor.quick_replies).to_be_hidden()
    await visitor.says("Here are my booking details")
    await visitor.hears("I have not received a form in this conversation yet.")


async def test_a_closed_conversation_offers_a_new_one(visitor: Visitor) -> None:
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("1002")
    await visitor.page.get_by_role("button", name="Return this").click()
    await visitor.taps("That is all")
    await visitor.hears("Thank you, and enjoy your order.")
    await expect(visitor.field).to_be_hidden()
    await expect(visitor.page.get_by_role("status")).to_contain_text("Ended")
    await visitor.page.get_by_role("button", name="Start a new one").click()
    await visitor.says("order")
    await visitor.hears("What is your order number?")


async def test_the_panel_shows_what_happened_in_each_turn(visitor: Visitor) -> None:
    await visitor.opens("order-status")
    await expect(visitor.panel).to_be_visible()
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("4040")
    await visitor.hears("there is no order 4040")
    turns = visitor.panel.get_by_role("article")
    await expect(turns).to_have_count(3)
    await expect(turns.nth(0)).to_contain_text("order_starter")
    await expect(turns.nth(1)).to_contain_text("Orders")
    await expect(turns.nth(2)).to_contain_text("404")
    await turns.nth(0).locator("summary").first.click()
    await expect(turns.nth(0).locator("pre").first).to_be_visible()


@pytest.mark.parametrize("width", [360, 700])
async def test_on_a_narrow_screen_the_panel_covers_the_chat_and_gives_the_focus_back(
    visitor: Visitor, width: int
) -> None:
    await visitor.page.set_viewport_size({"width": width, "height": 740})
    await visitor.opens("web-view")
    await visitor.says("hi")
    await visitor.hears("What shall we do?")
    await expect(visitor.panel).to_be_hidden()
    toggle = visitor.page.get_by_role("button", name="What happened")
    await toggle.click()
    await expect(visitor.page.get_by_role("button", name="Close the panel")).to_be_focused()
    assert await visitor.page.locator("#chat").evaluate("chat => chat.inert")
    await visitor.page.keyboard.press("Escape")
    await expect(toggle).to_be_focused()
    await expect(visitor.panel).to_be_hidden()


async def test_nothing_is_wider_than_a_narrow_screen(visitor: Visitor) -> None:
    await visitor.page.set_viewport_size({"width": 360, "height": 740})
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("1003 " + "long" * 60)
    await visitor.hears("It holds 5 articles")
    assert await too_wide(visitor.page) == 0


async def too_wide(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
