"""Labels that bots choose are few and short."""

import pytest

from services.integration_worker import metrics


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_names", set())


def test_an_integration_has_its_own_label() -> None:
    assert metrics.label_of("Store Locator") == "Store Locator"


def test_a_long_name_is_cut() -> None:
    assert metrics.label_of("x" * 5000) == "x" * metrics.NAME_LENGTH


def test_beyond_the_most_names_the_rest_is_one_label() -> None:
    for number in range(metrics.MOST_NAMES):
        metrics.label_of(f"integration {number}")
    assert metrics.label_of("one more") == metrics.OTHER
    assert metrics.label_of("integration 7") == "integration 7"
