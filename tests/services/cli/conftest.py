"""The command `call` in this process, and a server for it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.cli.__main__ import main
from tests.services.cli.calling import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True).start()
        yield started
        started.shutdown()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Run the command in this process; gives exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["call", *map(str, arguments)])
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    yield run
    structlog.reset_defaults()
