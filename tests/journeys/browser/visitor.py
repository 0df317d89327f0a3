"""A person in front of the chat page: what they do there, and what they can see."""

from playwright.async_api import Locator, Page, expect


class Visitor:
    """Somebody who talks to a bot through the page."""

    def __init__(self, page: Page, url: str, bots: dict[str, str]) -> None:
        self.page = page
        self.url = url
        self.bots = bots
        self.field = page.get_by_label("Message", exact=True)
        self.quick_replies = page.get_by_role("group", name="Quick replies")
        self.panel = page.get_by_role("complementary", name="What happened")

    async def opens(self, bot: str = "") -> None:
        """Open the page, with a bot chosen or not."""
        await self.page.goto(f"{self.url}/?bot={self.bots[bot]}" if bot else f"{self.url}/")
        if bot:
            await expect(self.field).to_be_enabled()

    async def says(self, text: str) -> None:
        """Write and send."""
        await self.field.fill(text)
        await self.field.press("Enter")

    def bubble(self, text: str) -> Locator:
        """A message with this text, of anybody."""
        return self.page.get_by_role("log").locator(".bubble").filter(has_text=text)

    async def hears(self, text: str) -> None:
        """See the bot say this."""
        await expect(self.page.locator(".from-bot .bubble").filter(has_text=text).last).to_be_visible()

    async def taps(self, label: str) -> None:
        """Choose a quick reply."""
        await self.quick_replies.get_by_role("button", name=label).click()

    async def said(self) -> list[str]:
        """All messages as they are read out, own and bot's."""
        return await self.page.locator(".bubble").all_inner_texts()
