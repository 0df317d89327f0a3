"""Who may see the console: the chat page, the list of bots and what turns did.

On a loopback address whoever sits at the machine may, provided the address bar says so too (a foreign name that leads
here would let its pages read along). Elsewhere a token is asked for: in the header `X-Botlane-Console`, or once as
`/?console=<token>`, which gives a cookie for 24 hours and takes the token out of the address.
"""

import hmac
import ipaddress
import time

from aiohttp import hdrs, web

from services.gateway.errors import Refused
from services.gateway.tokens import TokenExpired, Tokens, TokenWrong
from services.settings import Settings, SettingsError

HEADER = "X-Botlane-Console"
COOKIE = "botlane_console"
PARAMETER = "console"
COOKIE_SECONDS = 24 * 3600
_PURPOSE = "console"


class Console:
    """Checks callers of the console. Raises SettingsError when it would stand open to the network."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._enabled = settings.console
        self._token = settings.console_token.encode()
        self._tokens = tokens
        if settings.console and not self._token and not is_loopback(settings.host):
            raise SettingsError(
                f"The console is on and BOTLANE_HOST ({settings.host}) can be reached by others: "
                "set BOTLANE_CONSOLE_TOKEN, or BOTLANE_CONSOLE=0."
            )

    def check(self, request: web.Request) -> None:
        """Return when the caller may see the console. Raises Refused: 404 when it is off, 401 or 403."""
        if not self._enabled:
            raise Refused("not_found", "There is nothing at this address: the chat page needs BOTLANE_CONSOLE=1.")
        if self._token:
            self._check_token(request)
        elif not names_this_machine(request):
            message = "The console answers on loopback addresses only: set BOTLANE_CONSOLE_TOKEN to open it elsewhere."
            raise Refused("forbidden", message)

    def exchange(self, request: web.Request) -> web.Response | None:
        """Return the answer that swaps the token in the address for a cookie; None when there is no good one."""
        given = request.query.get(PARAMETER)
        if given is None or not self._enabled or not self._fits(given):
            return None
        # A relative address, since a proxy may have put the gateway under a path.
        response = web.Response(status=303, headers={"Location": "./", "Cache-Control": "no-store"})
        pass_token = self._tokens.sign(_PURPOSE, self._fingerprint(), int(time.time()) + COOKIE_SECONDS)
        response.set_cookie(
            COOKIE, pass_token, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.secure
        )
        return response

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get(HEADER)
        if given is not None and self._fits(given):
            return
        try:
            subject, _ = self._tokens.verify(_PURPOSE, request.cookies.get(COOKIE, ""), time.time())
        except (TokenWrong, TokenExpired):
            subject = ""
        if subject != self._fingerprint():
            message = f"The console needs its token: open /?{PARAMETER}=<token> or send the header {HEADER}."
            raise Refused("unauthorized", message)

    def _fits(self, given: str) -> bool:
        return bool(self._token) and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)

    def _fingerprint(self) -> str:
        """Tie cookies to the token, so that a new token ends them."""
        return self._tokens.stamp(self._token)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def names_this_machine(request: web.Request) -> bool:
    """Tell whether the caller calls us by a loopback address, and is no page of another machine's site.

    A foreign name that leads here is another site's page, and BOTLANE_CORS_ORIGINS may let one in for other things.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    return is_loopback(_name_in(request.host)) and (origin is None or is_loopback(_name_in(origin.partition("://")[2])))


def _name_in(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
