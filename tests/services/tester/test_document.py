"""docs/testing.md is true: its examples can be read and played, and it names every key."""

import re
import shutil
from pathlib import Path

import pytest

from services.tester.batch import play_one
from services.tester.reading import read_suite
from services.tester.step_reading import _READERS
from services.tester.suite import FAILURES, ExpectedRequest, Profile, Setting

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/testing.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_of_the_page_passes(tmp_path: Path, number: int) -> None:
    for name in ("order-status.json", "order-status.botlane.toml"):
        shutil.copy(ROOT / "examples/order-status" / name, tmp_path / name)
    (tmp_path / "shared.yaml").write_text("fixtures: {}")
    file = tmp_path / "one.test.yaml"
    file.write_text(BLOCKS[number])
    assert [play_one(scenario).played.failure for scenario in read_suite(file, {})] == [None]


def test_the_page_names_every_step_key_and_failure() -> None:
    names = [*_READERS, *FAILURES, *Setting.__struct_fields__, *ExpectedRequest.__struct_fields__[1:]]
    names += [name for name in Profile.__struct_fields__ if name in {"channel", "user_id", "customer_info"}]
    assert [name for name in names if name not in PAGE] == []
