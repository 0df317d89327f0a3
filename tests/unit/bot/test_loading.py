"""Loading an export: what cannot be used is one clear error, the rest is a finding (CB: reference/dialogs.md 1)."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.bot.bot import bot_id, compile_bot
from shared.bot.errors import BotError
from shared.bot.source import BotSource, open_blob, read_bot
from tests.unit.dialog.bots import (
    Part,
    bot,
    call,
    compiled,
    dialog,
    export,
    fallback,
    go,
    id_of,
    integration,
    interaction,
    question,
    says,
    starter,
    text,
)

Change = Callable[[Any], object]
SHOP = export(
    dialog("Shop", starter("shop"), text("hello"), question("size?", "", go("bye", when=says("x"))), text("bye")),
    dialog("Help", text("help")),
    integrations=(integration("Store"),),
)


def refusal(change: Change) -> BotError:
    """Change the export and give the error it leads to."""
    changed = copy.deepcopy(SHOP)
    change(changed)
    with pytest.raises(BotError) as raised:
        compiled(changed)
    return raised.value


def test_an_export_becomes_a_bot_with_its_links_resolved() -> None:
    loaded = compiled(SHOP)
    shop = loaded.dialogs[id_of("dialog:Shop")]
    assert [loaded.interactions[one].name for one in shop.interactions] == ["starter shop", "hello", "size?", "bye"]
    assert shop.starter is not None
    assert loaded.names["size?"] == id_of("size?")
    assert [loaded.interactions[one].next_id for one in shop.interactions] == [*shop.interactions[1:], None]
    assert loaded.integration_names == {"Store": id_of("integration:Store")}
    assert loaded.findings == ()


def test_a_bot_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        compiled(SHOP).name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{nope", "line 1, column 2"),
        ('{"bot":\n  {"id": }', "line 2, column 10"),
        ('{"bot":\n{"id": "', "line 2, column 9"),
        (b'{"bot":{"id":"\xff","name":""},"groups":[],"conversationMessage":[]}', "line 1, column 15"),
    ],
)
def test_what_is_not_json_is_refused(content: str | bytes, place: str) -> None:
    with pytest.raises(BotError, match=r"^bot\.json: .*not JSON: .*\. Give a bot exported from Conv") as raised:
        compiled(content)
    assert raised.value.place == place


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[]", "expected 'object', got 'array'"),
        ("3", "expected 'object', got 'int'"),
        ("{}", "object missing required field 'bot'"),
    ],
)
def test_json_that_is_no_export_is_refused(content: str, problem: str) -> None:
    with pytest.raises(BotError) as raised:
        compiled(content)
    assert (raised.value.place, raised.value.problem) == ("top level", problem)


@pytest.mark.parametrize("odd", ["9" * 400, "9" * 5000, "1e999", '"\\u0000"', "[" * 300 + "]" * 300])
def test_what_stands_under_a_key_nobody_reads_does_not_matter(odd: str) -> None:
    content = f'{{"bot":{{"id":"b","name":"b","new":[{odd}]}},"groups":[],"conversationMessage":[]}}'
    assert [finding.place for finding in compiled(content).findings] == ["bot"]


def test_broken_text_under_a_key_nobody_reads_does_not_matter() -> None:
    content = b'{"bot":{"id":"b","name":"b","new":"\xff"},"groups":[],"conversationMessage":[]}'
    assert [finding.code for finding in compiled(content).findings] == ["unknown-key"]


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_file_is_refused_as_that(content: str) -> None:
    with pytest.raises(BotError, match=r"^bot\.json: the file is empty\. Give a bot exported from Conv"):
        compiled(content)


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(BotError, match=r"bot\.json: line 1, column 50[0-9]: nested too deeply"):
        compiled('{"bot":' + '{"a":' * 200_000 + "1" + "}" * 200_000 + "}")


@pytest.mark.parametrize(
    ("change", "place", "problem"),
    [
        (lambda e: e["bot"].pop("id"), "bot", "object missing required field 'id'"),
        (lambda e: e["bot"].update(id=""), "bot.id", "the bot's id is empty"),
        (lambda e: e["bot"].update(id=" "), "bot.id", "the bot's id is empty"),
        (lambda e: e["bot"].update(id="my shop"), "bot.id", '"my shop" cannot be the id of a bot'),
        (lambda e: e["bot"].update(id="a/b"), "bot.id", '"a/b" cannot be the id of a bot'),
        (lambda e: e["bot"].update(id="caf\u00e9"), "bot.id", '"caf\u00e9" cannot be the id of a bot'),
        (lambda e: e["bot"].update(id="b\n"), "bot.id", '"b\\n" cannot be the id of a bot'),
        (lambda e: e["bot"].update(id="b" * 129), "bot.id", f'"{"b" * 40}" cannot be the id of a bot'),
        (lambda e: e.pop("groups"), "top level", "object missing required field 'groups'"),
        (
            lambda e: e["conversationMessage"][1].pop("name"),
            "conversationMessage[1]",
            "object missing required field 'name'",
        ),
        (lambda e: e["groups"][1].update(name=None), "groups[1].name", "expected 'str', got 'null'"),
        (
            lambda e: e["responder"][0].update(headers={}),
            "responder[0].headers",
            "expected 'array | null', got 'object'",
        ),
        (
            lambda e: e["conversationMessage"][2]["responseMatches"][0].update(action={"value": 7}),
            "conversationMessage[2].responseMatches[0].action.value",
            "expected 'str', got 'int'",
        ),
    ],
)
def test_a_missing_field_or_a_wrong_type_is_named_with_its_place(change: Change, place: str, problem: str) -> None:
    error = refusal(change)
    assert (error.file, error.place, error.problem) == ("bot.json", place, problem)
    assert str(error) == f"bot.json: {place}: {problem}. {error.remedy}"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda e: e["groups"].append(e["groups"][0]), "groups[2].id"),
        (lambda e: e["conversationMessage"][3].update(id=id_of("hello")), "conversationMessage[3].id"),
        (lambda e: e["responder"].append(e["responder"][0]), "responder[1].id"),
    ],
)
def test_an_id_that_stands_there_twice_is_refused(change: Change, place: str) -> None:
    error = refusal(change)
    assert (error.place, error.problem) == (place, "the same id stands there twice")


def test_an_interaction_of_no_dialog_is_refused() -> None:
    error = refusal(lambda e: e["conversationMessage"][1].update(group="nobody"))
    assert (error.place, error.problem) == ("conversationMessage[1].group", "'hello' is in no dialog of this file")


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e["conversationMessage"][3].update(nextMessageId=id_of("hello")),
        lambda e: e["conversationMessage"][3].update(nextMessageId=id_of("bye")),
        lambda e: [
            one.update(status="INACTIVE", nextMessageId=id_of("hello")) for one in e["conversationMessage"][2:4]
        ],
    ],
)
def test_interactions_that_form_a_ring_are_refused(change: Change) -> None:
    error = refusal(change)
    assert error.place == "dialog 'Shop'"
    assert error.problem.startswith("its interactions form a ring at ")


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (lambda e: e["conversationMessage"][3].update(nextMessageId=id_of("gone")), "broken-links", "Shop / bye"),
        (lambda e: e["conversationMessage"][3].update(nextMessageId=id_of("help")), "broken-links", "Shop / bye"),
        (lambda e: e["conversationMessage"][3].update(prevMessageId=None), "broken-links", "Shop / bye"),
        (
            lambda e: e["conversationMessage"][2]["responseMatches"][0]["action"].update(value=id_of("gone")),
            "dangling-target",
            "Shop / size?",
        ),
        (lambda e: e["conversationMessage"][3].update(name="hello"), "duplicate-name", "Shop / bye"),
        (lambda e: e["conversationMessage"][1].update(interactionDelay="soon"), "bad-delay", "Shop / hello"),
        (lambda e: e["bot"].update(mood="good"), "unknown-key", "bot"),
        (
            lambda e: e["conversationMessage"][1]["content"].update(colour="red"),
            "unknown-key",
            "conversationMessage[1].content",
        ),
    ],
)
def test_what_is_odd_is_tolerated_and_found(change: Change, code: str, place: str) -> None:
    changed = copy.deepcopy(SHOP)
    change(changed)
    findings = [finding for finding in compiled(changed).findings if finding.code == code]
    assert [
        finding.place.replace("Shop / hello", place if code == "duplicate-name" else "Shop / hello")
        for finding in findings
    ] == [place]
    assert findings[0].note


def test_a_dialog_whose_first_interaction_claims_a_predecessor_still_has_a_first_one() -> None:
    changed = copy.deepcopy(SHOP)
    changed["conversationMessage"][0]["prevMessageId"] = id_of("bye")
    assert compiled(changed).dialogs[id_of("dialog:Shop")].first == id_of("starter shop")


def test_disabled_interactions_are_passed_over_by_the_links() -> None:
    off = [text(name, status="INACTIVE") for name in ("b", "c")]
    loaded = bot(dialog("D", text("a"), *off, text("d")))
    assert loaded.interactions[id_of("a")].next_id == id_of("d")


def test_an_integration_is_resolved_by_its_id_and_by_name_only_without_one() -> None:
    wrong_name = call("a", "Store")
    wrong_name["content"]["responderName"] = "Store_Locator"
    wrong_id = call("b", "Store")
    wrong_id["content"]["responderId"] = "gone"
    no_id = call("c", "Store")
    del no_id["content"]["responderId"]
    loaded = bot(dialog("D", wrong_name, wrong_id, no_id), integrations=(integration("Store"),))
    store = id_of("integration:Store")
    assert [loaded.interactions[id_of(name)].integration_id for name in "abc"] == [store, None, store]
    assert [finding.code for finding in loaded.findings] == ["dangling-integration"]


def test_an_unknown_type_of_interaction_and_of_dialog_is_kept() -> None:
    loaded = bot(dialog("D", interaction("TIME_TRAVEL", "t"), kind="SURVEY_DIALOG"))
    assert loaded.interactions[id_of("t")].kind == "TIME_TRAVEL"
    assert [finding.code for finding in loaded.findings] == ["unsupported-interaction"]


@pytest.mark.parametrize("expression", ["[", "(?<n", "a{2,1}", "[[a]", "(" * 3000, "\\p{IsNobody}", "a{99999999999}"])
def test_a_regular_expression_that_cannot_be_used_is_a_finding(expression: str) -> None:
    loaded = bot(
        dialog("D", question("q", "", go("q", when={"matchType": "REGEX", "regexMatch": {"regexText": expression}})))
    )
    assert [finding.code for finding in loaded.findings] == ["bad-regex"]


@pytest.mark.parametrize(
    ("minutes", "milliseconds"),
    [(0, 3_600_000), (None, 3_600_000), (10, 600_000), ("15", 900_000), ("long", 3_600_000)],
)
def test_the_length_of_a_session_is_the_exports_or_one_hour(minutes: object, milliseconds: int) -> None:
    assert bot(dialog("D", text("a")), sessionLength=minutes).session_ms == milliseconds


def test_the_settings_of_a_bot_have_defaults() -> None:
    loaded = bot(dialog("D", text("a")))
    assert (loaded.greeting, loaded.default_error, loaded.fallback) == ("hi", None, None)
    attributes: Part = {"DEFAULT_ERROR_MESSAGE": "Oh no", "ENABLE_DEBUG": "true"}
    loaded = bot(dialog("D", text("a")), fallback(text("f")), getStartedButtonPayload="start", botAttributes=attributes)
    assert (loaded.greeting, loaded.default_error, loaded.debug_commands) == ("start", "Oh no", True)
    assert loaded.fallback is not None


def test_a_version_is_the_hash_of_its_content() -> None:
    source = BotSource(b"{}", "a = 1")
    assert BotSource(b"{}", "a = 1", "elsewhere.json").version == source.version
    assert BotSource(b"{}", "a = 2").version != source.version
    assert BotSource(b"{ }", "a = 1").version != source.version


def test_a_stored_version_opens_to_the_same_bot() -> None:
    source = BotSource(msgspec.json.encode(SHOP), "keep_types = true", "bot.json")
    opened = open_blob(source.blob)
    assert opened.version == source.version
    assert compile_bot(opened).names == compile_bot(source).names
    assert compile_bot(opened).keep_types
    assert bot_id(opened) == "bot-1"


@pytest.mark.parametrize("blob", [b"", b"\x00", b"\x80", b"\xc1rubbish"])
def test_a_stored_version_that_cannot_be_read_is_a_clear_error(blob: bytes) -> None:
    with pytest.raises(BotError, match="Deploy the bot again"):
        open_blob(blob)


def test_the_manifest_beside_an_export_is_read_with_it(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_bytes(b"\xef\xbb\xbf" + msgspec.json.encode(SHOP))
    assert compile_bot(read_bot(tmp_path / "shop.json")).id == "bot-1"
    (tmp_path / "shop.botlane.toml").write_text("\ufeffkeep_types = true", encoding="utf-8")
    assert compile_bot(read_bot(tmp_path / "shop.json")).keep_types
    (tmp_path / "other.toml").write_text("greet = true")
    given = compile_bot(read_bot(tmp_path / "shop.json", tmp_path / "other.toml"))
    assert given.greet
    assert not given.keep_types


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_bytes(msgspec.json.encode(SHOP))
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    for export_path, manifest, problem in (
        ("none.json", None, r"none\.json: there is no such file\. Give"),
        (".", None, r"this is a folder\. Give the path of an exported bot"),
        ("shop.json", "none.toml", r"none\.toml: there is no such file\. Give the path of a manifest"),
        ("shop.json", "bad.toml", r"bad\.toml: not UTF-8 text"),
    ):
        with pytest.raises(BotError, match=problem):
            read_bot(tmp_path / export_path, tmp_path / manifest if manifest else None)
