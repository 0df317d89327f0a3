"""Keys that every export carries and nothing here needs: with or without them the bot is the same."""

import copy
from typing import Any

import msgspec
import pytest

from tests.unit.bot.test_loading import SHOP, Change
from tests.unit.dialog.bots import compiled, id_of

ENABLED = {"enabled": True}
TEMPLATE = {"id": "t", "parentDialogId": "d", "globalFunctions": "throw 1", "environmentVariables": []}


def each(part: str, **keys: Any) -> Change:
    """Give a change that adds keys to every entry of a list of the export."""
    return lambda export: [entry.update(keys) for entry in export[part]]


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(hash="-12", menus=[], requiredContext=[], platforms=[{"id": "p", "status": "NEW"}]),
        lambda e: e.update(dialogTemplates=[TEMPLATE]),
        lambda e: e.update(associatedDomains=[{"id": "d", "name": "Shop", "type": "LivePersonV2"}]),
        lambda e: e["bot"].update(status="NEW", version="2", publicBot=False, readOnly=False, demo=False),
        lambda e: e["bot"].update(skipNLP=True, passThroughMode=True, transcriptDisabled=True),
        lambda e: e["bot"].update(entityDataSourceId="d", channel="MESSAGING", transferGroupId="g"),
        each("groups", chatBotId="b", description="x", disambiguteOnlySelectedDomains=False, dialogTemplateIds=["t"]),
        each("conversationMessage", type="BOT_MESSAGE", required=True, comment={"content": "look here"}),
        each("conversationMessage", changeResponse=ENABLED, cancelResponse=ENABLED),
        each("responder", fileUrl="{{file_url}}", group="Responders", tangoContextEnabled=False),
        each("responder", defaultValues=[{"key": "title"}], results={"type": "TEXT", "tile": {"tileData": [{}]}}),
    ],
)
def test_keys_that_exports_carry_for_others_change_nothing_and_are_no_findings(change: Change) -> None:
    changed = copy.deepcopy(SHOP)
    change(changed)
    loaded, plain = compiled(changed), compiled(SHOP)
    assert loaded.findings == ()
    assert msgspec.structs.replace(loaded, version=plain.version) == plain


def test_interactions_stand_in_the_order_of_their_links_not_of_the_file() -> None:
    changed = copy.deepcopy(SHOP)
    changed["conversationMessage"].reverse()
    names = ["starter shop", "hello", "size?", "bye"]
    assert compiled(changed).dialogs[id_of("dialog:Shop")].interactions == tuple(id_of(name) for name in names)
