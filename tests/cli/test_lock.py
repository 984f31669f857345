"""Locks of outputs: one run holds them, and they are gone with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from ptfast.cli import main
from ptfast.cli.lock import only_run

HOLD = """
import sys, time
from pathlib import Path
from ptfast.cli.lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_run_learns_who_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "out" / "tracks.json"
    with only_run(place):
        holder = rf"tracks\.json: another run writes there, process {os.getpid()} on .+ since"
        with pytest.raises(ValueError, match=holder), only_run(place):
            raise AssertionError("two hold it")
        with only_run(place.with_suffix(".csv")):
            assert len(list(place.parent.iterdir())) == 2
    with only_run(place):
        pass
    assert list(place.parent.iterdir()) == []


def test_links_to_one_file_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("tracks.json")
    link = tmp_path / "link.json"
    with only_run(tmp_path / "tracks.json"), pytest.raises(ValueError, match="another run"), only_run(link):
        raise AssertionError("two hold it")


def test_a_folder_has_its_lock_inside(tmp_path: Path) -> None:
    with only_run(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
        with pytest.raises(ValueError, match="another run"), only_run(tmp_path):
            raise AssertionError("two hold it")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_killed_run_locks_nothing(tmp_path: Path) -> None:
    place = tmp_path / "tracks.json"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"another run writes there, process {other.pid} on "), only_run(place):
            raise AssertionError("two hold it")
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".tracks.json.lock"]
    with only_run(place):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_removed_in_between_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ptfast.cli import lock

    take, taken = lock._lock, []

    def slowly(handle: int) -> None:
        take(handle)
        taken.append(handle)
        if len(taken) == 1:
            (tmp_path / ".a.json.lock").unlink()

    monkeypatch.setattr(lock, "_lock", slowly)
    with only_run(tmp_path / "a.json"):
        assert len(taken) == 2 and (tmp_path / ".a.json.lock").exists()


def test_a_file_system_without_locks_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def none(handle: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("ptfast.cli.lock._lock", none)
    with pytest.warns(UserWarning, match=r"a\.json: no locks on this file system"), only_run(tmp_path / "a.json"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it is")
    (tmp_path / ".a.json.lock").symlink_to(victim)
    with warnings.catch_warnings(), pytest.raises(OSError), only_run(tmp_path / "a.json"):
        raise AssertionError("it was followed")
    assert victim.read_text() == "as it is"


def test_two_demos_do_not_share_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_run(tmp_path), pytest.raises(SystemExit) as end:
        main(["demo", "--out", str(tmp_path)])
    assert end.value.code == 2 and f"ptfast demo: {tmp_path}: another run writes there" in capsys.readouterr().err
