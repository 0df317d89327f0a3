"""Measure candidates: `python -m tests.bench.intents.measure [NAME …]`; without names Botlane's own, with `all` all.

Each runs in a process of its own, on a folder with nothing but what it needs (installed there with pip, wheels only).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from services.turn_process.lockdown import LockdownFailed, lock_down
from tests.bench.intents.candidates import CANDIDATES
from tests.bench.intents.figures import figures, good_by_phrases, held_out, out_of_scope, phrases

GOOD = 0.7
ROOT = Path(__file__).parents[3]
_HEAD = "candidate                  F1    F1 good  right  wrong  false  ms/text   fit ms  start ms   RSS MB  disk MB  locked"
_LINE = (
    "{name:26} {f1:.3f} {f1_good:7.3f} {right:6} {wrong:6} {false:6} {ms:8.2f} {fit:8.0f} {start:9.0f} {rss:8.0f}"
    " {disk:8.1f}  {locked}"
)


def main(names: list[str]) -> None:
    """Print a table, one line for each candidate."""
    sys.stdout.write(f"{_HEAD}\n")
    for name in list(CANDIDATES) if names == ["all"] else names or ["local"]:
        with tempfile.TemporaryDirectory() as folder:
            package, _ = CANDIDATES[name]
            install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--target", folder, package]
            subprocess.run([sys.executable, *install], check=True, stderr=subprocess.DEVNULL)
            size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
            found = _child(folder, "measure", name)
            locked = _lives(folder, name)
        found |= {"disk": size / 1e6, "locked": locked}
        sys.stdout.write(f"{_LINE.format(name=name, **found)}\n")
        sys.stdout.flush()


def measure(name: str) -> None:
    """Measure one candidate in this process and print what was found as JSON."""
    _, fit = CANDIDATES[name]
    before, began = _memory(), time.perf_counter()
    fit({"a": ["hello there", "good day"], "b": ["so long", "see you"]})  # imports what it needs
    start = time.perf_counter() - began
    began = time.perf_counter()
    score = fit(phrases())
    fitted = time.perf_counter() - began
    memory = _memory() - before
    texts = [*(text for said in held_out().values() for text in said), *out_of_scope()]
    began = time.perf_counter()
    for text in texts:
        score(text)
    spent = time.perf_counter() - began
    good = GOOD if name == "local" else good_by_phrases(fit)
    cost = {"ms": spent / len(texts) * 1000, "fit": fitted * 1000, "start": start * 1000, "rss": memory}
    sys.stdout.write(json.dumps(figures(score, good)._asdict() | cost))


def live(name: str) -> None:
    """End with 0 if the candidate, once it is fitted, can score in a locked-down turn process."""
    _, fit = CANDIDATES[name]
    score = fit(phrases())
    score("warm up")
    try:
        lock_down(os.getppid())
        score("where is my order")
    except (LockdownFailed, MemoryError, OSError):
        os._exit(1)
    os._exit(0)


def _lives(folder: str, name: str) -> str:
    """Say whether it lives in a locked-down process: as it is, or only if its numerics are told to start no threads."""
    environment = _environment(folder)
    for answer, more in (("yes", {}), ("if told", {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})):
        ended = subprocess.run(_command("live", name), env=environment | more, check=False, cwd=ROOT)
        if ended.returncode == 0:
            return answer
    return "no"


def _child(folder: str, what: str, name: str) -> dict[str, Any]:
    done = subprocess.run(_command(what, name), env=_environment(folder), check=True, cwd=ROOT, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _command(what: str, name: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.intents.measure", f"--{what}", name]


def _environment(folder: str) -> dict[str, str]:
    """Name the folder first, and nothing that would spare a library its threads."""
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": folder}


def _memory() -> float:
    """Return the memory in use, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--measure", name]:
            measure(name)
        case ["--live", name]:
            live(name)
        case names:
            main(names)
