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


def test_a_line_that_nobody_reads_any_more_fails_nothing() -> None:
    stream = io.StringIO()
    configure_logs("json", "gateway", stream)
    stream.close()
    structlog.get_logger("services.x").error("request failed")


def test_nobody_gets_colours_who_is_no_terminal() -> None:
    stream = io.StringIO()
    configure_logs("console", "gateway", stream)
    structlog.get_logger("services.x").warning("a slow turn", ms=1200)
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_colours() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logs("console", "gateway", stream)
    structlog.get_logger("services.x").warning("a slow turn", ms=1200)
    assert "\x1b[" in stream.getvalue()


def test_what_was_said_once_of_a_turn_is_in_each_line_about_it() -> None:
    stream = io.StringIO()
    configure_logs("json", "dialog-worker", stream)
    with structlog.contextvars.bound_contextvars(conversation="0-1", turn=3, version="abc"):
        structlog.get_logger("services.x").warning("a turn failed")
        logging.getLogger("aiohttp.client").warning("Unclosed")
    structlog.get_logger("services.x").info("working")
    about, library, after = lines(stream)
    for line in (about, library):
        assert (line["conversation"], line["turn"], line["version"]) == ("0-1", 3, "abc")
    assert "conversation" not in after


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
