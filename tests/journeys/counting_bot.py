"""A bot of our own that counts: in the session by script, slowly if wanted, and through an API."""

import json
from typing import Any

BOT_ID = "counting"
SAY = "count"
ASK_GET = "ask"
ASK_POST = "order"
NOT_FOUND = "Sorry, I could not find anything for that."

_COUNT = """
for (var i = 0; i < SPIN; i++) {}
var n = Number(botContext.getBotVariable('n') || 0) + 1;
botContext.setBotVariable('n', n, true, false);
botContext.setBotVariable('said', 'message ' + n + ': ' + botContext.getCurrentUserMessage(), true, false);
"""
_TRANSFORM = """
var answer = JSON.parse(botContext.getBotVariable('api_NAME').jsonData).api_NAME;
botContext.setBotVariable('answer', answer.text, true, false);
"""


def counting_bot(api_url: str, spin: int = 0) -> bytes:
    """Return the export: anything is counted (`spin` turns of a loop first), `ask …` and `order …` call the API."""
    interactions = [
        *_dialog("asking", ["ask*"], [_call("call", "Question"), _text("answered", "Answer: {$botContext.answer}")]),
        *_dialog("ordering", ["order*"], [_call("post", "Order"), _text("ordered", "Order: {$botContext.answer}")]),
        *_dialog("counting", ["*"], [_text("counted", "{$botContext.said}", _COUNT.replace("SPIN", str(spin)))]),
    ]
    return json.dumps(
        {
            "bot": {"id": BOT_ID, "name": "Counting", "getStartedButtonPayload": "count"},
            "groups": [{"id": name, "name": name} for name in ("asking", "ordering", "counting")],
            "conversationMessage": interactions,
            "responder": [
                _integration("Question", "GET", f"{api_url}/question?text={{$userMessage}}"),
                _integration("Order", "POST", f"{api_url}/order", '{"text": "{$userMessage}"}'),
            ],
        }
    ).encode()


def scripted_bot(script: str) -> bytes:
    """Return a bot that runs a script at every message and then says `still here`."""
    interactions = _dialog("scripted", ["*"], [_text("said", "still here", script)])
    return json.dumps(
        {
            "bot": {"id": BOT_ID, "name": "Scripted"},
            "groups": [{"id": "scripted", "name": "scripted"}],
            "conversationMessage": interactions,
        }
    ).encode()


def stuck_bot(sorry: str) -> bytes:
    """Return a bot whose turns fail while the Web View variable `stuck` is `yes`: more scripts hang than may be killed."""
    hang = """
    if (botContext.getWebViewVariable('stuck') == 'yes') {
        var s = new Array(1000001).join('a');
        (s + s).indexOf(s + 'b');
    }
    """
    texts = [_text(f"silent {n}", "BLANK_MESSAGE", hang) for n in range(1, 4)]
    texts.append(_text("counted", "{$botContext.said}", hang + _COUNT.replace("SPIN", "0")))
    return json.dumps(
        {
            "bot": {"id": BOT_ID, "name": "Stuck", "defaultErrorMessage": sorry},
            "groups": [{"id": "counting", "name": "counting"}],
            "conversationMessage": _dialog("counting", ["*"], texts),
        }
    ).encode()


def _dialog(name: str, patterns: list[str], interactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    starter = {
        "id": f"{name}-starter",
        "name": f"{name} starter",
        "interactionType": "DIALOG_STARTER",
        "pattern": patterns,
    }
    chain: list[dict[str, Any]] = [starter, *interactions]
    for at, interaction in enumerate(chain):
        interaction["group"] = name
        interaction["responseMatches"] = [{"conditions": [], "action": {"name": "INTERACTION", "value": "next"}}]
        if at:
            interaction["prevMessageId"] = chain[at - 1]["id"]
            chain[at - 1]["nextMessageId"] = interaction["id"]
    return chain


def _text(name: str, text: str, pre: str = "") -> dict[str, Any]:
    content = {"results": {"type": "TEXT", "tile": {"tileData": [{"text": text}]}}}
    return {"id": name, "name": name, "interactionType": "TEXT", "content": content, "preProcessMessage": pre}


def _call(name: str, integration: str) -> dict[str, Any]:
    content = {"contentType": "DYNAMIC", "responderId": integration}
    return {"id": name, "name": name, "interactionType": "API_INTEGRATION", "content": content}


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
