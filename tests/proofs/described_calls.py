"""What Schemathesis cannot invent: three of four of its calls get a conversation that is there, and what opens it.

Loaded by `schemathesis run` (SCHEMATHESIS_HOOKS); the conversations come as JSON in BOTLANE_PROOF_LIVE, and the file
into which every answer is written: method, path as described, status.
"""

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.transport import Response

_live = json.loads(os.environ["BOTLANE_PROOF_LIVE"])  # noqa: TID251 - how the proof tells this process
_answers = Path(_live["answers"])
_choices = random.Random(_live["seed"])
_NEVER_LONG = "0.02"  # an empty conversation is waited on for as long as the caller says


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    _shorten_wait(case)
    if _choices.random() < 0.25:
        return
    conversation = _choices.choice(_live["conversations"])
    other = _choices.choice(_live["conversations"]) if _choices.random() < 0.1 else conversation
    if "botId" in case.path_parameters:
        case.path_parameters["botId"] = _live["bot"]
    if "id" in case.path_parameters:
        case.path_parameters["id"] = conversation["conversationId"]
        case.headers["Authorization"] = f"Bearer {other['token']}"
    elif "receipt" in case.path_parameters:
        case.path_parameters["receipt"] = conversation["receipt"]
    elif case.path.endswith("/webview"):
        _admit_form(case, conversation, other)
    if isinstance(case.body, dict) and _choices.random() < 0.05:
        case.body |= dict.fromkeys(("text", "message"), "x" * 9000)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    shape = "" if response.status_code < 400 or _is_error(response) else " without the shape of errors"
    with _answers.open("a") as file:
        file.write(f"{case.method} {case.path} {response.status_code}{shape}\n")


def _is_error(response: Response) -> bool:
    """Tell whether an answer is an error as the contract wants it, also where Schemathesis does not look."""
    try:
        error = response.json()["error"]
        return {"code", "message"} <= set(error) <= {"code", "message", "field"}
    except (ValueError, TypeError, LookupError):
        return False


def _shorten_wait(case: Case[Any]) -> None:
    try:
        if 0 < float(case.query.get("wait", 0)) <= 30:
            case.query["wait"] = _NEVER_LONG
    except (TypeError, ValueError):
        pass  # that is what the gateway has to answer


def _admit_form(case: Case[Any], conversation: dict[str, Any], other: dict[str, Any]) -> None:
    ids = {"botId": _live["bot"], "conversationId": conversation["conversationId"], "userId": other["userId"]}
    if _choices.random() < 0.5:
        case.headers["Authorization"] = f"Bearer {_choices.choice(conversation['formTokens'])}"
        ids = dict.fromkeys(ids) if _choices.random() < 0.5 else ids
    else:
        content = f"{conversation['conversationId']} || {_live['bot']}"
        case.headers["Authorization"] = hashlib.sha256(content.encode()).hexdigest()
    if isinstance(case.body, dict):
        case.body |= ids
