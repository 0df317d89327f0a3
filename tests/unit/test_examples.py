"""The two example bots: sound exports, sound manifests, and nothing left over."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shared.bot.bot import compile_bot
from shared.bot.source import read_bot
from shared.bot.unknown_keys import unknown_keys

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("web-view", "order-status")


@pytest.fixture(params=NAMES)
def path(request: pytest.FixtureRequest) -> Path:
    name: str = request.param
    return EXAMPLES / name / f"{name}.json"


@pytest.fixture
def export(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_example_compiles_without_a_finding(path: Path) -> None:
    bot = compile_bot(read_bot(path))
    assert bot.findings == ()
    assert bot.greeting == "hi"
    assert bot.fallback is not None


def test_an_example_has_only_keys_that_conversation_builder_writes(path: Path) -> None:
    assert list(unknown_keys(path.read_bytes())) == []


def test_the_links_of_every_dialog_form_one_line_from_a_single_head(export: dict[str, Any]) -> None:
    messages = {message["id"]: message for message in export["conversationMessage"]}
    for group in export["groups"]:
        inside = [message for message in messages.values() if message["group"] == group["id"]]
        heads = [message for message in inside if "prevMessageId" not in message]
        assert len(heads) == 1
        seen = [heads[0]["id"]]
        while (following := messages[seen[-1]].get("nextMessageId")) is not None:
            assert messages[following]["prevMessageId"] == seen[-1]
            seen.append(following)
        assert sorted(seen) == sorted(message["id"] for message in inside)


def test_every_rule_leads_somewhere(export: dict[str, Any]) -> None:
    messages = {message["id"] for message in export["conversationMessage"]}
    groups = {group["id"] for group in export["groups"]}
    words = {"next", "none", "close_dialog", "close_conversation"}
    for message in export["conversationMessage"]:
        for rule in message["responseMatches"]:
            known = groups if rule["action"]["name"] == "DIALOG" else messages | words
            assert rule["action"]["value"] in known, message["name"]


def test_scripts_jump_only_to_interactions_that_exist(export: dict[str, Any]) -> None:
    names = {message["name"] for message in export["conversationMessage"]}
    jumps = set(re.findall(r"setTriggerNextMessage\('([^']+)'\)", json.dumps(export)))
    assert jumps
    assert jumps <= names


def test_the_manifest_names_every_environment_variable_that_the_bot_reads(path: Path) -> None:
    read = set(re.findall(r"\{\$env\.(\w+)\}", path.read_text()))
    assert read == set(compile_bot(read_bot(path)).environment)


def test_every_quick_reply_is_understood_by_its_question(export: dict[str, Any]) -> None:
    for message in export["conversationMessage"]:
        conditions = [condition for rule in message["responseMatches"] for condition in rule["conditions"]]
        patterns = [
            pattern for condition in conditions for pattern in condition.get("patternMatch", {}).get("patterns", [])
        ]
        starts = tuple(pattern.rstrip("*") for pattern in patterns)
        for reply in message.get("quickReplies", []):
            assert reply["payload"].startswith(starts), (message["name"], reply)


def test_pictures_of_articles_fit_the_limit_of_a_rich_content_address() -> None:
    articles = load("order-status/api.py").ARTICLES
    assert all(len(picture) <= 2048 for _, _, picture in articles.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_of_an_example_is_short(name: str) -> None:
    assert len((EXAMPLES / name / "README.md").read_text().splitlines()) <= 10
