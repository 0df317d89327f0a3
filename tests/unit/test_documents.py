import re
import shlex
from pathlib import Path

import click
import pytest

from services.cli.app import COMMANDS, botlane
from services.cli.credentials_help import ABOUT as ABOUT_CREDENTIALS
from services.cli.manifest_help import ABOUT, document
from services.settings import SETTINGS
from shared.bot.manifest import Manifest, part_of
from shared.bot.manifest_credentials import KINDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_readme_fits_its_first_screen_with_three_commands() -> None:
    commands = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)[0].strip().splitlines()
    assert len(commands) == 3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"`((?:services|shared|tests|examples|docs)/[\w./-]+)`", text))
    linked = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert [name for name in sorted(linked) if not (document.parent / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_a_document_names_exists(document: Path) -> None:
    known = {setting.variable for setting in SETTINGS} | {"BOTLANE_CORPUS", "BOTLANE_TEST_SERVER"}
    assert set(re.findall(r"BOTLANE_[A-Z_]*[A-Z]", document.read_text())) <= known


def test_the_page_about_the_manifest_has_every_key_and_no_other() -> None:
    described = {table.partition(".")[0]: set(keys) for table, keys in ABOUT.items()}
    tables = set(Manifest.__struct_fields__) - described[""]
    assert set(described) == {"", *tables} - {"credentials"}
    for table in tables:
        part = part_of(table)
        assert part is None or described[table] == set(part.__struct_fields__), table
    assert (ROOT / "docs/manifest.md").read_text() == document()


def test_every_target_the_readme_names_is_in_the_makefile() -> None:
    for target in re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE), target


def test_every_command_the_readme_names_exists_with_its_options() -> None:
    for line in re.findall(r"botlane ((?:run|gateway|deploy|trace)[^`\n#]*)", README):
        name, *words = shlex.split(line)
        command = botlane.get_command(click.Context(botlane), name)
        assert command is not None
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_help_of_every_command_can_be_read() -> None:
    for name in COMMANDS:
        command = botlane.get_command(click.Context(botlane), name)
        assert command is not None
        assert command.help


def test_the_page_about_the_manifest_has_every_key_of_every_credential() -> None:
    keys = {field for kind in KINDS.values() for field in kind.__struct_fields__}
    assert set(ABOUT_CREDENTIALS) == keys
