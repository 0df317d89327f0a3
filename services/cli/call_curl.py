"""The curl command that makes the same request: for a POSIX shell, with secrets as `$NAME`, never as values."""

import shlex

from shared.bot.integration import Policy
from shared.integration.redirects import rewrite
from shared.integration.request import Request
from shared.integration.shown import Shown

_BODYLESS_METHODS = frozenset({"GET", "HEAD"})


def curl(shown: Shown, policy: Policy, rewrites: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the command, an option on each line; what `shown` marks stands as a variable of the shell."""
    request = shown.request
    address = rewrite(request.url, rewrites) or request.url
    lines = [f"curl {_method(request)}{_quoted(shown, address)}"]
    lines += [f"{option} {_quoted(shown, value)}" for option, value in shown.options]
    own = {"authorization"} if any(option == "--user" for option, _ in shown.options) else set()
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in own]
    lines += [f"--header {_header(shown, name, value)}" for name, value in headers]
    # The client sends these of itself; curl has others.
    if request.header("user-agent") is None:
        lines.append("--user-agent botlane")
    if request.body is not None and request.method not in _BODYLESS_METHODS:
        if request.header("content-type") is None:
            lines.append("--header Content-Type:")
        lines.append(f"--data-raw {_quoted(shown, request.body.decode())}")
    # curl takes headers of its own along to other origins, which the client does not: a secret follows no redirect
    follows = "" if shown.names else f" --location --max-redirs {policy.redirects}"
    lines.append(f"--compressed{follows}")
    lines.append(f"--connect-timeout {policy.connect_timeout:g} --max-time {policy.total_timeout:g}")
    return " \\\n  ".join(lines)


def _method(request: Request) -> str:
    """Return the option for the method; none where curl chooses it, since it then changes it in redirects as we do."""
    chosen = "GET" if request.body is None else "POST"
    if request.method == "HEAD":
        return "--head "
    return "" if request.method == chosen else f"--request {request.method} "


def _header(shown: Shown, name: str, value: str) -> str:
    # With nothing after the colon curl leaves the header out; a semicolon sends it empty.
    return _quoted(shown, f"{name}: {value}" if value else f"{name};")


def _quoted(shown: Shown, text: str) -> str:
    """Quote a text for the shell, what is not shown as a reference in double quotes."""
    pieces = [f'"${{{name}}}"' if name else shlex.quote(literal) for literal, name in shown.pieces(text)]
    return "".join(pieces) or "''"
