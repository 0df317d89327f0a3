"""What was measured on: cores, processor, Python and server, and no name of a host."""

import os
import platform
import subprocess
from pathlib import Path

import msgspec

from services.cli.embedded_server import server_binary


class Machine(msgspec.Struct, frozen=True):
    """Where figures come from."""

    cores: int
    processor: str
    system: str
    python: str
    server: str


def this_machine() -> Machine:
    """Return what this machine is."""
    said = subprocess.run([str(server_binary()), "--version"], capture_output=True, text=True, check=True).stdout
    server, version = said.split()[0], next(word for word in said.split() if word.startswith("v="))
    system = f"{platform.system()} {platform.machine()}"
    cores = len(os.sched_getaffinity(0))
    return Machine(cores, _processor(), system, platform.python_version(), f"{server} {version[2:]}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return "unknown"
