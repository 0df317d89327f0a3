"""How every program logs: one line per event, JSON or for people, on standard error.

What consumers, bots and APIs say never reaches a log. So an exception is logged as its class and the places it passed,
without its text, and a library's line as its template, without what would be filled in.
"""

import asyncio
import atexit
import contextlib
import logging
import sys
import traceback
from pathlib import Path
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_ROOT = Path(__file__).resolve().parent.parent
_MOST_PLACES = 20


def configure_logs(log_format: str, program: str, stream: TextIO | None = None) -> None:
    """Send the lines of this process to `stream`, as `log_format` (`json` or `console`) says.

    `program` names the program in every line. Libraries are heard from level WARNING.
    """
    stamped: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _named(program),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _without_text,
    ]
    target = sys.stderr if stream is None else stream
    lines = _Lines(target)
    structlog.configure(
        processors=[*stamped, _renderer(log_format, target)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log_format, target)]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=processors, foreign_pre_chain=[_template_only, *stamped])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for ours in ("services", "shared", "__main__"):
        logging.getLogger(ours).setLevel(logging.INFO)


class _Lines:
    """Writes lines: by way of `logging` each would cost more than twice as much.

    What an event loop says in one go is written in one go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self._write)

    def info(self, line: str) -> None:
        """Write a line soon."""
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if self._loop is not loop:
            self._loop = loop
            loop.call_soon(self._write)

    def msg(self, line: str) -> None:
        """Write a line now."""
        self._waiting.append(line)
        self._write()

    warning = error = msg

    def _write(self) -> None:
        """Write what waits, or drop it when nobody reads any more: no request and no turn may fail for that."""
        self._loop = None
        text = "".join(f"{line}\n" for line in self._waiting)
        self._waiting.clear()
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _renderer(log_format: str, stream: TextIO) -> Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="at", pad_event_to=40)
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _named(program: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["program"] = program
        return event

    return add


def _template_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Reduce a library's line to the first line of its template."""
    record = event["_record"]
    event["event"] = str(record.msg).partition("\n")[0]
    event["logger"] = record.name
    if record.exc_info:
        event["exc_info"] = record.exc_info
        record.exc_info = None
    return event


def _without_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and the places it passed, the last one last."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exception()
    if error is not None:
        event["error"] = type(error).__name__
        places = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
        event["places"] = [f"{_short(place.filename)}:{place.lineno} {place.name}" for place in places]
    return event


def _short(filename: str) -> str:
    """Return a file of ours relative to the project, another by its last two names."""
    path = Path(filename)
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])
