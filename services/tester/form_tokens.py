"""The token that a form's page has got in a test, and what a gateway would say of a call with it (safe mode)."""

from typing import Any

from services.tester.calls import Unexpected
from shared.privacy.form_token import Wanted, wanted

_TOKEN = "wv1.a-token-of-a-test"  # noqa: S105 - it opens nothing


class FormRefused(Unexpected):
    """The call of a form is refused: nothing of it comes into the conversation."""


class PageToken:
    """The token that a script made last: no other is known to a test, whatever address it stands in."""

    def __init__(self) -> None:
        self._says: Wanted | None = None
        self._till = 0
        self._used = False

    def make(self, key: str, now: int) -> dict[str, Any]:
        """Return what a script's `getWebViewToken` reads."""
        asked = wanted(key)
        if asked is None:
            return {}
        self._says, self._till, self._used = asked, asked.till(now), False
        return {"token": _TOKEN}

    def use(self, variables: dict[str, str], now: int) -> None:
        """Post with the token. Raises FormRefused, and Unexpected when variables would be left out."""
        says = self._says
        if says is None:
            raise FormRefused("the bot is in safe mode, and no script has made a token for its form (401)")
        if self._till <= now:
            raise FormRefused("the token of the form has ended (401)")
        if says.once and self._used:
            raise FormRefused("the token of the form counted once, and was used (403)")
        self._used = True
        left_out = [name for name in variables if name not in says.names]
        if left_out:
            raise Unexpected(f"the token of the form is not for {', '.join(left_out)}: getWebViewToken names variables")
