"""Log lines: one per event, readable by programs, without what anybody said."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.logs import configure_logs

PRIVATE = "4111-1111-1111-1111"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_program_level_and_time() -> None:
    stream = io.StringIO()
    configure_logs("json", "gateway", stream)
    structlog.get_logger("services.x").info("request", status=200)
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {"program": "gateway", "level": "info", "event": "request", "status": 200}


def test_people_get_a_line_they_can_read() -> None:
    stream = io.StringIO()
    configure_logs("console", "gateway", stream)
    structlog.get_logger("services.x").info("request", status=200)
    assert "request" in stream.getvalue()
    assert "status=200" in stream.getvalue()


def test_an_exception_is_logged_by_class_and_place_without_its_text() -> None:
    stream = io.StringIO()
    configure_logs("json", "gateway", stream)
    try:
        known: dict[str, str] = {}
        known[PRIVATE]
    except KeyError:
        structlog.get_logger("services.x").exception("request failed")
    assert PRIVATE not in stream.getvalue()
    (line,) = lines(stream)
    assert line["error"] == "KeyError"
    assert line["places"][-1].startswith("tests/services/test_logs.py:")


def test_a_library_is_heard_from_warnings_on_without_what_it_fills_in() -> None:
    stream = io.StringIO()
    configure_logs("json", "gateway", stream)
    library = logging.getLogger("aiohttp.server")
    library.info("connected %s", PRIVATE)
    library.warning("protocols %r do not overlap", PRIVATE)
    try:
        known: dict[str, str] = {}
        known[PRIVATE]
    except KeyError:
        library.exception("Error handling request from %s", PRIVATE)
    library.error("Task exception was never retrieved\nfuture: %s", PRIVATE)
    library.error(f"Task exception was never retrieved\nfuture: {PRIVATE}")
    assert PRIVATE not in stream.getvalue()
    warning, failure, template, whole = lines(stream)
    assert (warning["event"], warning["logger"]) == ("protocols %r do not overlap", "aiohttp.server")
    assert failure["error"] == "KeyError"
    assert template["event"] == whole["event"] == "Task exception was never retrieved"
