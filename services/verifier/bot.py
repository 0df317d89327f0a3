"""The bot of the load, as an export: it counts what it is told and repeats it, so that every answer can be foretold.

| said       | answer                                                                 |
|------------|------------------------------------------------------------------------|
| `say 7`    | `1 say 7 []`; in brackets what a form posted last as `v`               |
| `ask 8`    | `2 ask 8 = yes-8 []` after a call (GET), or `= failed` after the text of a failed call |
| `order 9`  | the same with a call that may not be repeated (POST)                   |
| `choose 3` | `4 choose 3? []`, and the next message answers: `5 say 4! []`          |
"""

import json
from typing import Any

BOT_ID = "botlane-verify"

_COUNT = """
var n = Number(botContext.getBotVariable('n') || 0) + 1;
var v = botContext.getWebViewVariable('v');
botContext.setBotVariable('n', n, true, false);
botContext.setBotVariable(
  'said', n + ' ' + botContext.getCurrentUserMessage() + MARK + ' [' + (v === null ? '' : v) + ']', true, false);
"""
_FORGET = "botContext.setBotVariable('answer', '', true, false);"
_TRANSFORM = """
var answer = JSON.parse(botContext.getBotVariable('api_NAME').jsonData).api_NAME;
botContext.setBotVariable('answer', answer.text, true, false);
"""
_CALL_MARK = "' = ' + (botContext.getBotVariable('answer') || 'failed')"


def export() -> bytes:
    """Return the export."""
    interactions = [
        *_dialog("asking", "ask*", _call("asks", "Question"), _text("asked", _CALL_MARK)),
        *_dialog("ordering", "order*", _call("orders", "Order"), _text("ordered", _CALL_MARK)),
        *_dialog("choosing", "choose*", _text("chooses", "'?'", "TEXT_QUESTION"), _text("chosen", "'!'")),
        *_dialog("saying", "*", _text("said", "''")),
    ]
    content = {
        "bot": {"id": BOT_ID, "name": "Botlane verify", "defaultErrorMessage": "given up"},
        "groups": [{"id": name, "name": name} for name in ("asking", "ordering", "choosing", "saying")],
        "conversationMessage": interactions,
        "responder": [
            _integration("Question", "GET", "{$env.api}/answer?text={$userMessage}"),
            _integration("Order", "POST", "{$env.api}/answer", '{"text": "{$userMessage}"}'),
        ],
    }
    return json.dumps(content, indent=1).encode()


def manifest(api_url: str) -> str:
    """Return the manifest with which the bot calls the API at `api_url`, which may be on loopback."""
    return f'[environment]\napi = "{api_url}"\n\n[egress]\nprivate = ["127.0.0.0/8"]\n'


def _dialog(name: str, pattern: str, *interactions: dict[str, Any]) -> list[dict[str, Any]]:
    starter = {"id": f"{name}-starter", "name": name, "interactionType": "DIALOG_STARTER", "pattern": [pattern]}
    chain: list[dict[str, Any]] = [starter, *interactions]
    for at, interaction in enumerate(chain):
        following = "next" if at + 1 < len(chain) else "none"
        interaction["group"] = name
        interaction["responseMatches"] = [{"conditions": [], "action": {"name": "INTERACTION", "value": following}}]
        if at:
            interaction["prevMessageId"] = chain[at - 1]["id"]
            chain[at - 1]["nextMessageId"] = interaction["id"]
    return chain


def _text(name: str, mark: str, kind: str = "TEXT") -> dict[str, Any]:
    tile = {"tileData": [{"text": "{$botContext.said}"}]}
    content = {"results": {"type": "TEXT", "tile": tile}}
    script = _COUNT.replace("MARK", mark)
    return {"id": name, "name": name, "interactionType": kind, "content": content, "preProcessMessage": script}


def _call(name: str, integration: str) -> dict[str, Any]:
    content = {"contentType": "DYNAMIC", "responderId": integration}
    made = {"id": name, "name": name, "interactionType": "API_INTEGRATION", "content": content}
    return {**made, "preProcessMessage": _FORGET}


def _integration(name: str, method: str, url: str, body: str | None = None) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "integrationType": "API",
        "responseDataVariable": name,
        "webhook": url,
        "method": method,
        "postBody": body,
        "transformResultsScript": _TRANSFORM.replace("NAME", name),
    }
