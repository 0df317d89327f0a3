"""The page about metrics says what the programs define."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from services.cli.metrics_help import DOCUMENT, EXPORTED_BY, defined, document, exported_name

ROOT = Path(__file__).parents[3]
ALL = [metric for module in EXPORTED_BY.values() for metric in defined(module)]


def test_the_page_about_metrics_says_what_is_defined() -> None:
    assert (ROOT / DOCUMENT).read_text() == document(), f"write it anew: make {DOCUMENT}"


@pytest.mark.parametrize("metric", ALL, ids=exported_name)
def test_a_metric_is_named_as_prometheus_recommends(metric: MetricWrapperBase) -> None:
    assert re.fullmatch(r"botlane_[a-z_]+", exported_name(metric))
    [described] = metric.describe()
    if described.type == "histogram":
        assert exported_name(metric).endswith("_seconds")
    assert not described.documentation.endswith(".")


def test_every_metric_named_for_operators_exists() -> None:
    named = set(re.findall(r"botlane_[a-z_]+", (ROOT / "docs/operating.md").read_text()))
    known = {exported_name(metric) for metric in ALL}
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count")}
    assert named <= known
