"""The Lua files: complete, described, and whole after their parts were put in."""

from pathlib import Path

import pytest

from shared.queue import jobs, scripts
from shared.queue.mailbox import CONVERSATION_SCRIPTS


@pytest.mark.parametrize("name", [*CONVERSATION_SCRIPTS, "sweep", "read", "take"])
def test_a_script_says_its_keys_arguments_and_states_and_leaves_no_include(name: str) -> None:
    text = scripts.source(name)
    assert "-- include:" not in text
    assert text.startswith(f"-- {name.upper()}: ")
    for heading in ("States: ", "-- KEYS  ", "-- ARGV  ", "Returns "):
        assert heading in text


def test_a_part_stands_once_in_a_script() -> None:
    assert scripts.source("commit").count("local function post(") == 1


def test_the_limits_in_lua_are_those_in_python() -> None:
    part = Path(scripts.__file__).with_name("_jobs.lua").read_text()
    assert f"JOB_TTL, BELL_LIMIT, OVERDUE = {jobs.PAYLOAD_TTL_MS}, {jobs.BELL_LIMIT}, 4000" in part
