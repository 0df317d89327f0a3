"""A consumer who signs in elsewhere: the token that a form brings, and the page to sign in at (CB: dialogs.md 4.5).

A form posts the token as a Web View variable; templates read it like a variable of the bot.
"""

from collections.abc import Mapping

from shared.bot.manifest_credentials import Consumer
from shared.bot.model import Bot

TOKEN, PAGE = "cidp_accessToken", "external_auth_url"


def of_consumer(bot: Bot, web_view: Mapping[str, str], name: str) -> str | None:
    """Return what stands for a variable that nothing has set; None when it is not about signing in."""
    ways = [one for one in bot.credentials.values() if isinstance(one, Consumer)]
    if name == PAGE:
        return next((one.sign_in_url for one in ways if one.sign_in_url), None)
    return web_view.get(name) if name == TOKEN or any(one.variable == name for one in ways) else None
