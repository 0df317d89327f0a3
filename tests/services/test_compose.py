import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.readiness import is_ready
from services.settings import read_settings
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests/services/compose-spec.json"
"""The compose specification's own schema (Apache-2.0)."""
PROGRAMS = ["gateway", "dialog-worker", "integration-worker"]


def filled_in(value: Any) -> Any:
    """What compose does with `${NAME:-default}` in an empty environment, after it has parsed the file."""
    match value:
        case str():
            return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        case dict():
            return {name: filled_in(part) for name, part in value.items()}
        case list():
            return [filled_in(part) for part in value]
        case _:
            return value


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = filled_in(yaml.safe_load((ROOT / "compose.yaml").read_text()))
    return content


def test_compose_yaml_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(compose)


def test_the_server_appends_every_write_to_a_file_on_a_volume(compose: dict[str, Any]) -> None:
    server = compose["services"]["valkey"]
    command = server["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert server["volumes"] == ["data:/data"]
    assert "data" in compose["volumes"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_stop_gently_check_their_health_and_are_not_root(compose: dict[str, Any], program: str) -> None:
    service = compose["services"][program]
    assert service["stop_grace_period"] == "30s"
    assert service["healthcheck"]["test"] == ["CMD", "botlane", program, "--check"]
    assert service["user"] == "10001:10001"
    assert service["command"] == ["botlane", program]


@pytest.mark.parametrize("program", ["dialog-worker", "integration-worker"])
def test_workers_can_be_scaled(compose: dict[str, Any], program: str) -> None:
    assert not {"container_name", "ports", "hostname"} & set(compose["services"][program])


def test_secrets_are_files_and_never_variables(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name in service.get("environment", {}):
            assert not re.search(r"(SECRET|KEYS|TOKEN)$", name)
    assert {"botlane_secret", "channel_keys"} == set(compose["secrets"])


def test_the_dialog_worker_reaches_the_data_and_nothing_else(compose: dict[str, Any]) -> None:
    assert compose["services"]["dialog-worker"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def environment_of(service: dict[str, Any], folder: Path, redis_url: str) -> dict[str, str]:
    """The service's own variables, with its server, secrets, ports and addresses put on this machine."""
    variables = dict(service["environment"])
    for name in service.get("secrets", []):
        (folder / name).write_text("s" * 32 if name == "botlane_secret" else "")
    moved = {name: value.replace("/run/secrets", str(folder)) for name, value in variables.items()}
    here = {"BOTLANE_REDIS_URL": redis_url, "BOTLANE_OPS": f"127.0.0.1:{free_port()}"}
    if "BOTLANE_PORT" in variables:
        here |= {"BOTLANE_HOST": "127.0.0.1", "BOTLANE_PORT": str(free_port())}
    return moved | here | {"PATH": f"{Path(sys.executable).parent}:{os.defpath}"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_service_starts_with_its_environment_is_healthy_and_stops_in_time(
    compose: dict[str, Any], program: str, tmp_path: Path, valkey_server: str
) -> None:
    service = compose["services"][program]
    variables = environment_of(service, tmp_path, valkey_server)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            service["command"], env=variables, cwd=tmp_path, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while not is_ready(variables["BOTLANE_OPS"]):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        check = service["healthcheck"]["test"][1:]
        while subprocess.run(check, env=variables, cwd=tmp_path, check=False).returncode:
            assert process.poll() is None, log.read_text()  # it asks for three seconds: a busy machine may take longer
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_every_variable_of_a_service_is_a_setting(compose: dict[str, Any], tmp_path: Path) -> None:
    for name in PROGRAMS:
        read_settings(environment_of(compose["services"][name], tmp_path, "unix:///tmp/none"))


def steps_of_first_stage() -> list[tuple[str, str]]:
    """The Dockerfile's instructions from the first FROM to the second."""
    text = (ROOT / "services/Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    stages = [index for index, line in enumerate(lines) if line.startswith("FROM ")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines[stages[0] + 1 : stages[1]]]


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_the_images_install_steps_work_in_an_empty_environment(tmp_path: Path) -> None:
    work, opt = tmp_path / "src", tmp_path / "opt"
    work.mkdir()
    python = tmp_path / "bin"
    python.mkdir()
    (python / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}  # noqa: TID251 - where this machine finds packages
    variables = {"PATH": f"{python}:{os.defpath}", "PIP_NO_COMPILE": "1", **index}
    for instruction, rest in steps_of_first_stage():
        if instruction == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, work / target if len(sources) == 1 and target != "./" else work / source)
        elif instruction == "RUN":
            command = rest.replace("/opt/", f"{opt}/")
            ended = subprocess.run(
                command, shell=True, cwd=work, env=variables, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        else:
            assert instruction in {"ENV", "WORKDIR"}
    botlane = opt / "botlane/bin/botlane"
    version = subprocess.run([botlane, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert version.stdout.startswith("botlane ")
    installed = subprocess.run(
        [botlane.with_name("python"), "-P", "-c", "import shared.queue.mailbox as m; print(m.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert installed.stdout.startswith(str(opt))


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_the_image_is_slim_and_its_programs_are_not_root() -> None:
    lines = (ROOT / "services/Dockerfile").read_text().splitlines()
    bases = [shlex.split(line)[1] for line in lines if line.startswith("FROM ")]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])
    assert "USER 10001:10001" in lines


def test_the_build_context_holds_what_the_image_copies() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for step, rest in steps_of_first_stage() if step == "COPY" for name in rest.split()[:-1]}
    assert copied == allowed
