"""The compatibility page cannot lie: its rows are complete, their tests exist, and the page says what they say."""

from collections import Counter

import pytest

from tests.unit.compatibility_page import ROOT, STATUSES, Row, document, is_there, parts

ROWS = [pytest.param(row, id=f"{name}-{row.feature}") for name, part in parts().items() for row in part.row]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_a_test_that_exists_and_says_what_differs(row: Row) -> None:
    assert row.status in STATUSES
    assert row.source
    assert row.note or row.status == "same", "say what is different"
    assert is_there(row.test) or row == not_supported(row), f"there is no test {row.test!r}"


def not_supported(row: Row) -> Row:
    return Row(row.feature, row.source, "not supported", "", row.note)


def test_no_feature_is_listed_twice() -> None:
    seen = Counter(row.feature for part in parts().values() for row in part.row)
    assert [feature for feature, times in seen.items() if times > 1] == []


def test_the_page_is_made_from_its_data() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    assert page == document(), "run `make docs/compatibility.md`"
