"""What the side panel shows of a call: request, attempts with their times, response and custom data fields."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.journeys.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

FACTS = {"method": "GET", "status": 200, "success": True}
DRAW = """async (line) => {
  const { turnCard } = await import("/page/turns.js");
  document.getElementById("log").replaceChildren(turnCard({ turn: 1, at: 0, event: "outcome", lines: [line] }));
}"""


async def drawn(visitor: Visitor, **values: Any) -> Locator:
    """Draw the card of a call that came back with these values."""
    await visitor.opens("web-view")
    line = {"code": "outcome", "interaction": "ask", "facts": FACTS, "values": values}
    await visitor.page.evaluate(DRAW, line)
    return visitor.page.get_by_role("article", name="Turn 1")


async def test_a_call_is_shown_with_attempts_request_response_and_fields(visitor: Visitor) -> None:
    await visitor.opens("order-status")
    await visitor.says("order")
    await visitor.hears("What is your order number?")
    await visitor.says("5030")
    await visitor.hears("cannot be reached")
    call = visitor.panel.get_by_role("article").nth(2)
    await expect(call).to_contain_text("GET http://127.0.0.1:8082/orders/5030")
    attempts = call.get_by_role("list", name="Attempts").get_by_role("listitem")
    await expect(attempts).to_have_count(2)
    await expect(attempts.nth(0)).to_contain_text("Attempt 1503")
    await expect(attempts.nth(1)).to_contain_text("after the first")
    await call.get_by_text("Request", exact=True).click()
    await expect(call.get_by_text("Idempotency-Key")).to_be_visible()
    await call.get_by_text("Response", exact=True).click()
    await expect(call.locator("pre").filter(has_text="closed for maintenance")).to_be_visible()
    await call.get_by_text("8 custom data fields").click()
    await expect(call.get_by_text("Orders.code.count")).to_be_visible()


async def test_attempts_lie_on_one_time_line(visitor: Visitor) -> None:
    attempts = [
        {"at": "2026-11-22T03:04:05.000Z", "ms": 100, "outcome": "503"},
        {"at": "2026-11-22T03:04:05.900Z", "ms": 100, "outcome": "200", "renewed": True},
    ]
    card = await drawn(visitor, attempts=attempts, address="https://api.example.com/", body="")
    bars = card.locator(".attempt-bar")
    spans = [await bars.nth(at).evaluate(ENDS) for at in range(2)]
    assert spans == [[0, 10], [90, 100]]
    await expect(card).to_contain_text("100 ms, 900 ms after the first, with a new token")
    await expect(card.locator(".attempt.is-bad")).to_have_count(1)


ENDS = """bar => {
  const [whole, part] = [bar.getBoundingClientRect(), bar.firstChild.getBoundingClientRect()];
  return [part.left, part.right].map((edge) => Math.round(((edge - whole.left) / whole.width) * 100));
}"""


async def test_a_call_of_which_only_the_address_is_known_is_shown_as_well(visitor: Visitor) -> None:
    card = await drawn(visitor, attempts=[], address="https://api.example.com/x", body="")
    await expect(card).to_contain_text("GET https://api.example.com/x")
    await expect(card.locator("details")).to_have_count(0)


async def test_markup_in_any_part_of_a_call_stays_text(visitor: Visitor, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    request = {"method": evil, "address": evil, "headers": {evil: evil}, "body": evil, "cut": 7}
    attempts = [{"at": "x", "ms": None, "outcome": evil}]
    card = await drawn(visitor, attempts=attempts, request=request, headers={evil: {"a": 1}}, body={"toString": 1})
    await expect(card.locator("img")).to_have_count(0)
    await card.get_by_text("Request", exact=True).click()
    await expect(card.get_by_text("7 more characters")).to_be_visible()
    assert await page.title() == "Bike desk · Botlane"
