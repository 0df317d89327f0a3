"""docs/metrics.md: every number the programs export, read from where they are defined."""

from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase

from services import queue_figures
from services.dialog_worker import metrics as dialog_worker
from services.gateway import metrics as gateway
from services.integration_worker import metrics as integration_worker

DOCUMENT = "docs/metrics.md"
EVERYWHERE = "Every program"
EXPORTED_BY: dict[str, ModuleType] = {
    EVERYWHERE: queue_figures,
    "The gateway": gateway,
    "The dialog worker": dialog_worker,
    "The integration worker": integration_worker,
}


def defined(module: ModuleType) -> list[MetricWrapperBase]:
    """Return the numbers that a module defines, in its order."""
    return [value for value in vars(module).values() if isinstance(value, MetricWrapperBase)]


def exported_name(metric: MetricWrapperBase) -> str:
    """Return the name as Prometheus knows it (of a histogram: without `_bucket`, `_sum` and `_count`)."""
    [described] = metric.describe()
    return f"{described.name}_total" if described.type == "counter" else described.name


def document() -> str:
    """Return the content of docs/metrics.md."""
    lines = list(_HEAD)
    for program, module in EXPORTED_BY.items():
        lines += ["", f"## {program}", "", "| name | type | labels | what it counts |"]
        lines += ["|---|---|---|---|", *map(_row, defined(module))]
    return "\n".join([*lines, ""])


def _row(metric: MetricWrapperBase) -> str:
    [described] = metric.describe()
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - the library shows them nowhere else
    return f"| `{exported_name(metric)}` | {described.type} | {labels} | {described.documentation}. |"


_HEAD = [
    "# Metrics",
    "",
    "Each program serves its numbers at `/metrics` of its operations port (`BOTLANE_OPS`), in the format of",
    "Prometheus, with those of Python and of the process (`process_…`, `python_…`) beside them. Labels come from the",
    "code: no ids, no names of consumers, no values. The labels that bots choose, `integration` and `name`, are cut to",
    "60 characters and have at most 100 values in one worker: the rest is `other`, or left out of what has a `name`.",
    "A histogram is three series: `…_bucket`, `…_sum`, `…_count`.",
    "",
    "`docs/operating.md` says which to watch.",
]
