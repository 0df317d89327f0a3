"""Small exports in Conversation Builder's format, written so that a test reads like the bot it is about.

    bot(dialog("Welcome", starter("hi"), text("greeting", "Hello"), question("name", "Your name?", go("bye"))))

Interactions are linked in the order in which they are given; what a rule leads to is the name of an interaction,
`dialog:<name>`, or one of the words of the export (`next`, `none`, `close_dialog`, `close_conversation`).
"""

import hashlib
import itertools
import json
from typing import Any

from shared.bot.bot import compile_bot
from shared.bot.model import Bot
from shared.bot.source import BotSource

Part = dict[str, Any]
BOT_ID = "bot-1"
_WORDS = {"next", "none", "close_dialog", "close_conversation"}


def id_of(name: str) -> str:
    """Give the id of what has this name: 40 hex digits, as in an export."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


# -- the file -----------------------------------------------------------------------------------------------------


def export(
    *dialogs: Part,
    integrations: tuple[Part, ...] = (),
    intents: tuple[Part, ...] = (),
    functions: str | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return a whole export; `functions` are its Global Functions, `settings` keys of its `bot`."""
    parts: dict[str, Any] = {
        "bot": {"id": BOT_ID, "name": "Test bot", "language": "en-US", "sessionLength": 0, **settings},
        "groups": [part["group"] for part in dialogs],
        "conversationMessage": [message for part in dialogs for message in part["messages"]],
        "responder": list(integrations),
        "associatedIntents": list(intents),
    }
    if functions is not None:
        parts["globalFunctions"] = {"chatBotId": BOT_ID, "methods": functions}
    return parts


def compiled(content: dict[str, Any] | bytes | str, manifest: str = "") -> Bot:
    """Compile an export, with the text of a manifest."""
    if isinstance(content, dict):
        content = json.dumps(content)
    data = content.encode() if isinstance(content, str) else content
    return compile_bot(BotSource(data, manifest, "bot.json", "bot.botlane.toml"))


def bot(*dialogs: Part, manifest: str = "", **parts: Any) -> Bot:
    """Compile a bot of these dialogs (see `export`)."""
    return compiled(export(*dialogs, **parts), manifest)


def dialog(name: str, *interactions: Part, kind: str = "DIALOG", **more: Any) -> Part:
    """Return a dialog: its interactions, linked in this order."""
    group = {"id": id_of(f"dialog:{name}"), "name": name, "dialogType": kind, "status": "ENABLED", **more}
    messages = [{**message, "group": group["id"], "chatBotId": BOT_ID} for message in interactions]
    for one, following in itertools.pairwise(messages):
        one["nextMessageId"] = following["id"]
        following["prevMessageId"] = one["id"]
    return {"group": group, "messages": messages}


def fallback(*interactions: Part) -> Part:
    """Return the fallback dialog."""
    return dialog("Fallback", *interactions, kind="FALLBACK_DIALOG")


# -- interactions -------------------------------------------------------------------------------------------------


def interaction(kind: str, name: str, tile: Part | None = None, rules: tuple[Part, ...] = (), **more: Any) -> Part:
    """Return an interaction of any kind; without rules it has the default next action."""
    content: Part = {"contentType": "STATIC"}
    if tile is not None:
        tile = {"buttons": [], "quickReplyList": [], **tile}
        content["results"] = {"type": kind, "tile": {"tileData": [tile]}}
    return {
        "id": id_of(name),
        "name": name,
        "type": "BOT_MESSAGE",
        "interactionType": kind,
        "status": "ACTIVE",
        "content": content,
        "responseMatches": list(rules or (go("next"),)),
        **_scripts(more),
    }


def starter(*patterns: str, name: str = "", exclude: tuple[str, ...] = (), **more: Any) -> Part:
    """Return a dialog starter."""
    more |= {"pattern": list(patterns), "excludeKeywords": list(exclude)}
    return interaction("DIALOG_STARTER", name or f"starter {' '.join(patterns)}", {}, (), **more)


def text(name: str, content: str = "", then: str = "next", **more: Any) -> Part:
    """Return a statement; without content its name is what it says."""
    return interaction("TEXT", name, {"text": content or name}, (go(then),), **more)


def choices(name: str, content: str, *options: str, rules: tuple[Part, ...] = (), **more: Any) -> Part:
    """Return a multiple choice question."""
    multiple = {"multipleChoices": list(options), "displayChoice": "BUTTON", "textStyle": more.pop("style", "")}
    return interaction("MULTIPLE_CHOICE_QUESTION", name, {"text": content, "multipleChoice": multiple}, rules, **more)


def intent(name: str, display_name: str = "") -> Part:
    """Return an intent the bot refers to; its id is `id of <name>`."""
    return {"id": f"id of {name}", "name": name, "displayName": display_name or name}


def question(name: str, content: str = "", *rules: Part, **more: Any) -> Part:
    """Return a question that is answered with text."""
    return interaction("TEXT_QUESTION", name, {"text": content or name}, rules, **more)


def tiled(kind: str, name: str, *tiles: Part, rules: tuple[Part, ...] = (), **more: Any) -> Part:
    """Return an interaction of several tiles."""
    made = interaction(kind, name, {}, rules, **more)
    made["content"]["results"]["tile"]["tileData"] = [{"buttons": [], **tile} for tile in tiles]
    return made


def call(name: str, integration_name: str, *rules: Part, **more: Any) -> Part:
    """Return an interaction that calls an integration."""
    made = interaction("API_INTEGRATION", name, None, rules, **more)
    made["content"] = {
        "contentType": "DYNAMIC",
        "responderName": integration_name,
        "responderId": id_of(f"integration:{integration_name}"),
    }
    return made


def integration(name: str, url: str = "https://api.example.com/", script: str = "", **more: Any) -> Part:
    """Return an integration; `fields` are its custom data fields by name, `script` transforms its result."""
    fields = more.pop("fields", {})
    return {
        "id": id_of(f"integration:{name}"),
        "chatbotId": BOT_ID,
        "name": name,
        "group": "Responders",
        "integrationType": "API",
        "responseDataVariable": name,
        "method": "GET",
        "webhook": url,
        "transformResultsScript": script,
        "customDataFields": [{"key": key, "value": f"{{$.{path}}}"} for key, path in fields.items()],
        **more,
    }


def _scripts(more: Part) -> Part:
    keys = {"pre": "preProcessMessage", "post": "postProcessMessage", "response": "processUserResponse"}
    keys |= {"delay": "interactionDelay", "own_fallback": "fallbackMessage"}
    return {keys.get(key, key): value for key, value in more.items()}


# -- rules --------------------------------------------------------------------------------------------------------


def go(then: str, *variables: Part, when: Part | None = None, **more: Any) -> Part:
    """Return a rule; without a condition it is the default. `variables` are what `sets` and `holds` give."""
    action = {"name": "INTERACTION", "value": then if then in _WORDS else id_of(then)}
    if then.startswith("dialog:"):
        action = {"name": "DIALOG", "value": id_of(then)}
    return {
        "name": more.pop("name", ""),
        "conditions": [] if when is None else [when],
        "contextConditions": [one for one in variables if "matchType" in one],
        "contextDataVariables": [one for one in variables if "scope" in one],
        "action": action,
        **more,
    }


def says(*patterns: str, exclude: tuple[str, ...] = ()) -> Part:
    """Match by pattern."""
    return {"matchType": "PATTERN", "patternMatch": {"patterns": list(patterns), "excludeKeywords": list(exclude)}}


def finds(expression: str, exclude: tuple[str, ...] = ()) -> Part:
    """Match by regular expression."""
    return {"matchType": "REGEX", "regexMatch": {"regexText": expression, "excludeKeywords": list(exclude)}}


def chooses(choice: str) -> Part:
    """Match a choice of a multiple choice question."""
    return {"matchType": "EVAL_OPTION", "evaluateOptionMatch": {"value": choice}}


def equals(value: str) -> Part:
    """Match an exact value."""
    return {"matchType": "EXACT_VALUE", "exactValueMatch": {"value": value}}


def means(intent: str) -> Part:
    """Match by intent."""
    return {"matchType": "INTENT", "intentMatch": {"intentId": intent}}


def knows(status: str) -> Part:
    """Match what a knowledge search brought: `MATCH_FOUND` or `MATCH_NOT_FOUND`."""
    return {"matchType": "KB_MATCH", "kbResultMatch": {"status": status}}


def no_match(message: str = "") -> Part:
    """Match what nothing else matched."""
    return {"matchType": "NO_MATCH", "noMatch": {"fallbackMessage": message}}


def api(status: str) -> Part:
    """Match how a call ended: `SUCCESS` or `FAILURE`."""
    return {"matchType": "API_RESULT", "apiResultsMatch": {"status": status}}


def holds(name: str, operator: str, value: str = "") -> Part:
    """Return a condition on a variable."""
    return {"contextName": name, "matchType": operator, "value": value}


def sets(name: str, value: str, scope: str = "SESSION") -> Part:
    """Return an assignment."""
    return {"name": name, "value": value, "scope": scope}
