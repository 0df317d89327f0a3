"""The page of a receipt: what the JSON tells, in sentences, and commands to ask again or to post a call by hand.

It is read aloud well: nothing moves by itself, and nothing has to be scrolled sideways.
"""

import base64
import hashlib
import html
import shlex

import msgspec
from aiohttp import web

from services.gateway.errors import WEB_VIEW_PATH, Refused, error_response
from services.gateway.wire import ReceiptTold

_STATES = {
    "accepted": "Accepted. The bot has not come to it yet.",
    "applied": "Applied. The bot has what the form sent.",
    "ended": "Not applied: the conversation was over before the bot came to it.",
    "given-up": "Not applied: the bot failed on it. Its operator finds it with `botlane dead list`.",
}
_MESSAGES = {
    "none": "There was none.",
    "queued": "It waits for its turn.",
    "late": "Not said: it came more than 24 hours after the consumer last wrote. The variables were kept.",
    "routed": "It was said in the consumer's name, and the bot went on with it.",
    "kept": "Not handled by the bot: the conversation is with people.",
    "dropped": "Dropped: it came while the bot was busy, and this bot wants such messages dropped.",
}
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
dt { font-weight: 650; margin-top: 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.75rem; border: 1px solid; border-radius: 0.5rem; }
"""
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
_HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Receipt · {state}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Receipt of a form</h1>
<p>{sentence}</p>
{facts}</main>
</body>
</html>
"""
_AGAIN = '<p><a href="">Look again</a></p>\n'
_FACTS = """{again}<dl>
<dt>Accepted</dt><dd>{accepted_at}</dd>
{applied}<dt>Variables</dt><dd>{variables}</dd>
<dt>Message</dt><dd>{message}</dd>
<dt>Read by</dt>{readers}
</dl>
<h2>Ask again</h2>
<pre><code>{ask}</code></pre>
<h2>Post a call by hand</h2>
<p>Put the ids that your form was opened with in place of the names.</p>
<pre><code>{post}</code></pre>
<p>To a bot in safe mode, and wherever your form was opened with a token, put that in place of the name.</p>
<pre><code>{post_safely}</code></pre>
<p>This receipt is kept for 24 hours. It never shows what was sent.</p>
"""


def receipt_page(told: ReceiptTold, address: str) -> web.Response:
    """Return the page; `address` is that of the gateway."""
    shown = {
        "again": _AGAIN if told.state == "accepted" else "",
        "accepted_at": _time(told.accepted_at),
        "applied": "" if told.applied_at is msgspec.UNSET else f"<dt>Applied</dt><dd>{_time(told.applied_at)}</dd>\n",
        "variables": told.variables,
        "message": html.escape(_MESSAGES[told.message]),
        "readers": _readers(told),
        "ask": html.escape(f"curl {shlex.quote(f'{address}/v1/receipts/{told.receipt}')}"),
        "post": html.escape(_by_hand(address)),
        "post_safely": html.escape(_by_hand_with_token(address)),
    }
    return web.Response(
        text=_page(told.state, _STATES[told.state], _FACTS.format(**shown)), content_type="text/html", headers=_HEADERS
    )


def refusal_page(refused: Refused, path: str) -> web.Response:
    """Return the page that says why there is no receipt, with the status that programs get."""
    status = error_response(refused, path).status
    text = _page("not found", refused.message, "")
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def _page(state: str, sentence: str, facts: str) -> str:
    return _PAGE.format(state=html.escape(state), style=_STYLE, sentence=html.escape(sentence), facts=facts)


def _readers(told: ReceiptTold) -> str:
    if not told.read_by:
        return "<dd>No interaction has read one of its variables yet.</dd>"
    return "".join(f"<dd>{html.escape(reader.interaction)} ({_time(reader.at)})</dd>" for reader in told.read_by)


def _time(at: str) -> str:
    return f'<time datetime="{at}">{at.replace("T", " ").replace("Z", " UTC")}</time>'


def _by_hand(address: str) -> str:
    return "\n".join(
        [
            f"curl {shlex.quote(address + WEB_VIEW_PATH)} \\",
            """  -H "Authorization: $(printf '%s' "$CONVERSATION || $BOT" | sha256sum | cut -d' ' -f1)" \\""",
            """  --json '{"botId": "'$BOT'", "conversationId": "'$CONVERSATION'", "userId": "'$USER_ID'",""",
            """    "contextVariables": [{"name": "size", "value": "M"}]}'""",
        ]
    )


def _by_hand_with_token(address: str) -> str:
    return "\n".join(
        [
            f"curl {shlex.quote(address + WEB_VIEW_PATH)} \\",
            """  -H "Authorization: Bearer $TOKEN" \\""",
            """  --json '{"contextVariables": [{"name": "size", "value": "M"}]}'""",
        ]
    )
