import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from services.cli.data_folder import DataFolder
from services.cli.failure import WRONG_USE, CommandFailed


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    DataFolder(tmp_path / "a" / "data").close()
    assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700


def test_a_folder_in_use_is_refused_and_its_holder_named(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with pytest.raises(CommandFailed, match=f"is in use by process {os.getpid()}, started .*: stop it, or") as refused:
        DataFolder(tmp_path)
    assert refused.value.exit_code == WRONG_USE
    folder.close()


def test_a_folder_is_free_again_after_close_and_no_lock_stays(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()
    assert not (tmp_path / "lock").exists()
    DataFolder(tmp_path).close()


def test_a_folder_whose_holder_was_killed_is_free(tmp_path: Path) -> None:
    hold = "import sys, time, pathlib; from services.cli.data_folder import DataFolder; "
    hold += "held = DataFolder(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CommandFailed, match=f"process {holder.pid}"):
            DataFolder(tmp_path)
        holder.kill()
    DataFolder(tmp_path).close()


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    secret = folder.secret()
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    assert folder.secret() == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    folder.close()


def test_an_emptied_secret_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / "secret").touch()
    with pytest.raises(CommandFailed, match="remove it and a new one is made"):
        folder.secret()
    folder.close()


def test_a_socket_folder_has_a_short_path_and_goes_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    folder = DataFolder(tmp_path / "data")
    sockets = folder.socket_folder()
    assert len(os.fsencode(sockets)) < 90
    folder.close()
    assert not sockets.exists()


def test_a_socket_folder_left_by_a_killed_process_is_removed(tmp_path: Path) -> None:
    killed = DataFolder(tmp_path)
    left = killed.socket_folder()
    os.close(killed.lock)
    DataFolder(tmp_path).close()
    assert not left.exists()


def test_ready_json_appears_whole_and_goes_at_the_end(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.announce({"url": "http://127.0.0.1:1"})
    assert msgspec.json.decode((tmp_path / "ready.json").read_bytes()) == {"url": "http://127.0.0.1:1"}
    folder.close()
    assert not (tmp_path / "ready.json").exists()


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandFailed, match="Give a folder you may write to with --data"):
        DataFolder(tmp_path / "file" / "data")
