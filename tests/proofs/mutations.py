"""Exports gone wrong: seeded mutations that know where the ids, links, scripts, patterns and texts of an export are.

`mutated(exports, seed)` gives the same file for the same seed, whatever was made before.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.proofs.nasty import EXPRESSIONS, PATTERNS, SCRIPTS, TEMPLATES, TEXTS
from tests.proofs.odd_values import VALUES, WRITTEN, Written
from tests.proofs.trees import Site, Tree, sites, written

_IDS = frozenset({"id", "group", "nextMessageId", "prevMessageId", "responderId", "value", "intentId"})
_LINKS = ("nextMessageId", "prevMessageId", "group", "id")
_SCRIPT_KEYS = ("preProcessMessage", "postProcessMessage", "processUserResponse")
_TEXT_KEYS = frozenset(
    {"text", "title", "subTitle", "name", "callback", "payload", "leMessageJson", "webhook", "postBody"}
)
_WRITTEN_WORDS = {
    "interactionType": """TEXT TEXT_QUESTION QUICK_REPLY BUTTON MULTIPLE_CHOICE_QUESTION STRUCTURED UNIVERSAL IMAGE
        API_INTEGRATION ESCALATION DIALOG_STARTER KB_FAQ LIST_PICKER ORCHESTRATOR APPLE_RICHLINK FILE_UPLOAD NOTHING
        PRIVATE_MESSAGE KNOWLEDGE_AI AUTO_ESCALATION DISAMBIGUATION_QUESTION FILE_INTEGRATION text""",
    "dialogType": """DIALOG FALLBACK_DIALOG DISAMBIGUATION_DIALOG AUTO_ESCALATION_DIALOG SURVEY_DIALOG
        WELCOME_DIALOG NOTHING""",
    "status": "ACTIVE INACTIVE ENABLED DISABLED SUCCESS FAILURE NOTHING",
    "matchType": """PATTERN REGEX EVAL_OPTION EXACT_VALUE NO_MATCH API_RESULT KB_MATCH INTENT EQUALS CONTAINS
        GREATER_THAN DOES_NOT_EXIST EXISTS STARTS_WITH LESS_THAN_OR_EQUAL NOTHING""",
    "scope": "REQUEST DIALOG SESSION FOREVER NOTHING",
    "integrationType": "API FILE EMAIL KNOWLEDGE_BASE LP_FUNCTION LP_AGENT_ESCALATION NOTHING",
    "method": "GET POST PUT DELETE PATCH HEAD TRACE get NO\u0130",
}
_WORDS = {key: words.split() for key, words in _WRITTEN_WORDS.items()}


class Mutated(NamedTuple):
    """A mutated export: which bot it was, which mutations were made, and its bytes."""

    bot: str
    kinds: tuple[str, ...]
    content: bytes


def mutated(exports: dict[str, bytes], seed: int) -> Mutated:
    """Mutate one of the exports: one to three mutations of its tree, seldom one of its bytes."""
    chance = random.Random(seed)
    bot = chance.choice(sorted(exports))
    tree = json.loads(exports[bot])
    kinds: list[str] = []
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
        mutate = chance.choices(list(_TREE), list(_TREE.values()))[0]
        mutate(tree, chance)
        kinds.append(mutate.__name__)
    content = written(tree).encode()
    if chance.random() < 0.08:
        spoil = chance.choice(_BYTES)
        content = spoil(content, chance)
        kinds.append(spoil.__name__)
    return Mutated(bot, tuple(kinds), content)


def _site(tree: Tree, chance: random.Random, fits: Callable[[Any, Any], bool] = lambda *_: True) -> Site | None:
    """Choose a place; parts of the file that are small are chosen as often as large ones."""
    parts = [part for part in tree.values() if isinstance(part, dict | list) and part]
    part = chance.choice(parts) if parts and chance.random() < 0.5 else tree
    found = [site for site in sites(part) if fits(*site)]
    return chance.choice(found) if found else None


def _messages(tree: Tree) -> list[Tree]:
    held = tree.get("conversationMessage")
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []


def _any_id(tree: Tree, chance: random.Random) -> Any:
    """Give the id of something in the file, or of nothing."""
    parts = [tree.get(key) for key in ("groups", "conversationMessage", "responder")]
    ids = [one.get("id") for part in parts if isinstance(part, list) for one in part if isinstance(one, dict)]
    return chance.choice([*ids, "", "nowhere", None] if chance.random() < 0.3 else ids or ["nowhere"])


# -- one mutation each --------------------------------------------------------------------------------------------


def drops_a_key(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance)
    if site:
        del site[0][site[1]]


def renames_a_key(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance, lambda container, _: isinstance(container, dict))
    if site:
        key = str(site[1])
        new = chance.choice([key.upper(), key + "s", key[1:], "\0" + key, chance.choice(TEXTS)[:50]])
        site[0][new] = site[0].pop(site[1])


def retypes_a_value(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance)
    if site:
        site[0][site[1]] = copy.deepcopy(chance.choice(VALUES))


def writes_odd_json(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance)
    if site:
        site[0][site[1]] = chance.choice(WRITTEN)


def adds_an_unknown_key(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance, lambda container, _: isinstance(container, dict))
    if site:
        site[0][chance.choice(["new", "", "id ", "\u0130"])] = chance.choice([*VALUES, *WRITTEN[:24]])


def duplicates_a_key(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance, lambda container, _: isinstance(container, dict))
    if site:
        container, key = site
        other = chance.choice([container[key], *VALUES])
        container[key] = Written(f"{written(container[key])}, {json.dumps(key)}: {written(other)}")


def moves_a_value(tree: Tree, chance: random.Random) -> None:
    site, other = _site(tree, chance), _site(tree, chance)
    if site and other:
        site[0][site[1]] = copy.deepcopy(other[0][other[1]])


def swaps_ids(tree: Tree, chance: random.Random) -> None:
    first = _site(tree, chance, lambda _, key: key in _IDS)
    second = _site(tree, chance, lambda _, key: key in _IDS)
    if first and second:
        one, other = first[0][first[1]], second[0][second[1]]
        first[0][first[1]], second[0][second[1]] = other, one


def breaks_a_link(tree: Tree, chance: random.Random) -> None:
    messages = _messages(tree)
    if messages:
        chance.choice(messages)[chance.choice(_LINKS)] = _any_id(tree, chance)


def makes_a_ring(tree: Tree, chance: random.Random) -> None:
    messages = _messages(tree)
    if messages:
        ring = chance.sample(messages, min(len(messages), chance.randint(1, 4)))
        for one, following in zip(ring, [*ring[1:], ring[0]], strict=True):
            one["nextMessageId"], one["group"] = following.get("id"), ring[0].get("group")


def leads_elsewhere(tree: Tree, chance: random.Random) -> None:
    """Let rules lead anywhere: loops within a dialog and across dialogs, dead ends, ends."""
    actions = [site for site in sites(tree) if site[1] == "action" and isinstance(site[0]["action"], dict)]
    words = ["next", "none", "close_dialog", "close_conversation", "nothing"]
    for container, _ in chance.sample(actions, min(len(actions), chance.randint(1, 12))):
        name = chance.choice(["INTERACTION", "INTERACTION", "DIALOG", "NOTHING"])
        value = chance.choice(words) if chance.random() < 0.3 else _any_id(tree, chance)
        container["action"] = {"name": name, "value": value}


def changes_a_word(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance, lambda _, key: key in _WORDS)
    if site:
        site[0][site[1]] = chance.choice(_WORDS[site[1]])


def replaces_a_script(tree: Tree, chance: random.Random) -> None:
    for message in chance.sample(_messages(tree), min(len(_messages(tree)), chance.randint(1, 3))):
        message[chance.choice(_SCRIPT_KEYS)] = chance.choice(SCRIPTS)
    if chance.random() < 0.3:
        methods = f"function __initConversation() {{ {chance.choice(SCRIPTS)} }}\n{chance.choice(['', *SCRIPTS])}"
        tree["globalFunctions"] = {"methods": methods}
    held = tree.get("responder")
    for responder in held if isinstance(held, list) else []:
        if isinstance(responder, dict) and chance.random() < 0.3:
            responder["transformResultsScript"] = chance.choice(SCRIPTS)


def replaces_patterns(tree: Tree, chance: random.Random) -> None:
    lists = [site for site in sites(tree) if site[1] in {"pattern", "patterns", "excludeKeywords"}]
    for container, key in chance.sample(lists, min(len(lists), 4)):
        container[key] = chance.choices([*PATTERNS, *TEXTS, "*"], k=chance.randint(1, 5))


def adds_an_expression(tree: Tree, chance: random.Random) -> None:
    rules = [site for site in sites(tree) if site[1] == "responseMatches" and isinstance(site[0][site[1]], list)]
    for container, key in chance.sample(rules, min(len(rules), 3)):
        expression = chance.choice([*EXPRESSIONS, *PATTERNS, ".*"])
        condition = {"matchType": "REGEX", "regexMatch": {"regexText": expression, "excludeKeywords": ["*"]}}
        if chance.random() < 0.7:
            del condition["regexMatch"]["excludeKeywords"]  # type: ignore[attr-defined] # a tree has no types
        rule = {"name": "r", "conditions": [condition], "action": {"name": "INTERACTION", "value": "next"}}
        container[key].insert(0, rule)


def adds_conditions(tree: Tree, chance: random.Random) -> None:
    rules = [
        one for message in _messages(tree) for one in message.get("responseMatches") or [] if isinstance(one, dict)
    ]
    for rule in chance.sample(rules, min(len(rules), 4)):
        word, text = chance.choice(_WORDS["matchType"]), chance.choice([*TEXTS, *TEMPLATES])
        rule["contextConditions"] = [{"matchType": word, "contextName": chance.choice(["v", text]), "value": text}]
        rule["contextDataVariables"] = [{"name": "v", "value": text, "scope": chance.choice(_WORDS["scope"])}]


def breaks_texts(tree: Tree, chance: random.Random) -> None:
    texts = [site for site in sites(tree) if site[1] in _TEXT_KEYS and isinstance(site[0][site[1]], str)]
    for container, key in chance.sample(texts, min(len(texts), 6)):
        new = chance.choice([*TEXTS, *TEMPLATES, *TEMPLATES])
        container[key] = chance.choice([new, container[key] + new])


def repeats_an_item(tree: Tree, chance: random.Random) -> None:
    site = _site(tree, chance, lambda container, _: isinstance(container, list))
    if site:
        site[0].extend([copy.deepcopy(site[0][site[1]])] * chance.choice([1, 1, 2, 300]))


def shuffles_a_list(tree: Tree, chance: random.Random) -> None:
    lists = [container[key] for container, key in sites(tree) if isinstance(container[key], list)]
    if lists:
        chance.shuffle(chance.choice(lists))


_TREE: dict[Callable[[Tree, random.Random], None], int] = {
    drops_a_key: 3,
    renames_a_key: 2,
    retypes_a_value: 4,
    writes_odd_json: 3,
    adds_an_unknown_key: 2,
    duplicates_a_key: 2,
    moves_a_value: 2,
    swaps_ids: 2,
    breaks_a_link: 3,
    makes_a_ring: 1,
    leads_elsewhere: 4,
    changes_a_word: 4,
    replaces_a_script: 4,
    replaces_patterns: 3,
    adds_an_expression: 3,
    adds_conditions: 3,
    breaks_texts: 4,
    repeats_an_item: 2,
    shuffles_a_list: 2,
}


def cuts_the_file(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flips_bytes(content: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def inserts_bytes(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return (
        content[:at] + chance.choice([b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"{", b'"', b"\xef\xbb\xbf"]) + content[at:]
    )


def replaces_the_file(content: bytes, chance: random.Random) -> bytes:
    text = content.decode(errors="replace")
    wholes = [b"", b" ", b"null", b"[]", b"{}", b"7", b'"a"', b"\xef\xbb\xbf" + content, content + content]
    return chance.choice([*wholes, b"[" * 50_000, text.encode("utf-16"), b"\0" * 99, content + b"\0"])


_BYTES = (cuts_the_file, flips_bytes, inserts_bytes, replaces_the_file)
