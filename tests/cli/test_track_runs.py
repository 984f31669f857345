"""Runs of ptfast track: signals, two runs for one output, outputs that cannot be written, folders of videos."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptfast.cli import main
from ptfast.cli.lock import only_run
from ptfast.io import read_poses
from ptfast.methods import DetectAndTrack


def run(video: Path, out: Path, weights: Path, *more: str) -> None:
    main(["track", "--method", "detect-and-track", str(video), "-o", str(out), "--weights", str(weights), *more])


def ended(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit code of a run, and its last line on stderr."""
    with pytest.raises(SystemExit) as end:
        run(*arguments)  # type: ignore[arg-type]
    return end.value.code, capsys.readouterr().err.splitlines()[-1]  # type: ignore[return-value]


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where detection begins."""

    def detect(*arguments: object) -> None:
        raise AssertionError("work has begun")

    monkeypatch.setattr(DetectAndTrack, "detect", detect)


def test_sigterm_keeps_what_is_done(
    video: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out, detect = tmp_path / "whole.json", tmp_path / "tracks.json", DetectAndTrack.detect
    run(video, whole, weights)

    def interrupted(self: DetectAndTrack, frames: object, before: object) -> object:
        for index, poses in enumerate(detect(self, frames, before)):  # type: ignore[arg-type]
            if index == 9:
                signal.raise_signal(signal.SIGTERM)
            yield poses

    with monkeypatch.context() as patch:
        patch.setattr(DetectAndTrack, "detect", interrupted)
        code, line = ended(capsys, video, out, weights)
    assert code == 143
    assert line == f"ptfast track: interrupted; 9 frames of walk tracked, in {out}; --resume goes on from there"
    assert len(read_poses(out)) == 9
    run(video, out, weights, "--resume")
    assert out.read_text() == whole.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "whole.json"]


@pytest.mark.parametrize("locked", ["tracks.json", "tracks.mp4"])
def test_another_run_of_one_output_ends_with_words(
    locked: str, video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    with only_run(tmp_path / locked):
        code, line = ended(capsys, video, tmp_path / "tracks.json", weights, "--render", str(tmp_path / "tracks.mp4"))
    assert code == 2
    assert line.startswith(f"ptfast track: {tmp_path / locked}: another run writes there, process {os.getpid()} on ")
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_run_left_is_removed_or_the_run_ends(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    elsewhere, remains = tmp_path / "elsewhere", tmp_path / "tracks.json.partial"
    elsewhere.mkdir()
    remains.symlink_to(elsewhere)  # rmtree removes no link
    code, line = ended(capsys, video, tmp_path / "tracks.json", weights)
    assert code == 2 and line.startswith(f"ptfast track: {remains}: expected to remove what an earlier run left")


def test_a_loop_of_links_as_output_is_found_before_tracking(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    code, line = ended(capsys, video, tmp_path / "loop.json", weights)
    assert code == 2 and line.startswith(f"ptfast track: {tmp_path / 'loop.json'}: ")
    code, line = ended(capsys, video, tmp_path / "a.json", weights, "--render", str(tmp_path / "loop.mp4"))
    assert code == 2 and line.startswith(f"ptfast track: {tmp_path / 'loop.mp4'}: ")


def test_an_output_that_is_a_folder_or_below_a_file_is_found_before_tracking(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    (tmp_path / "out" / "walk.json").mkdir(parents=True)
    code, line = ended(capsys, video, tmp_path / "out", weights)
    assert code == 2 and "walk.json: expected a file or nothing to replace, found something else" in line
    (tmp_path / "text").write_text("")
    code, line = ended(capsys, video, tmp_path / "text" / "a.json", weights)
    assert code == 2 and f"{tmp_path / 'text'}" in line


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is open to root")
def test_a_folder_that_is_closed_is_found_before_tracking(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    code, line = ended(capsys, video, closed / "a.json", weights)
    assert code == 2 and line == f"ptfast track: {closed}: no permission to write into the folder"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.pth", "; there is no such file"),
        ("gone.pkl", "; there is no such file"),
        ("gone.safetensors", "; there is no such file"),
        ("gone.bin", "; there is no such file"),
        ("nothing", "nothing: expected a .safetensors, .pth or .pkl file, or one of: detect-and-track, "),
        ("", ": expected a .safetensors, .pth or .pkl file, found a folder"),
        ("here.bin", "here.bin: expected a .safetensors, .pth or .pkl file, got .bin"),
    ],
)
def test_weights_that_are_not_there_are_told_from_those_of_another_kind(
    name: str, message: str, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here.bin").write_text("")
    code, line = ended(capsys, video, tmp_path / "tracks.json", tmp_path / name)
    assert code == 2 and message in line


def copies(video: Path, folder: Path, *places: str) -> list[str]:
    """Copies of a video's first picture, which are videos of one frame."""
    paths = [folder / place for place in places]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(video / "000.png", path)
    return [str(path) for path in paths]


def test_outputs_mirror_folders_where_names_are_the_same(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = copies(video, tmp_path, "in/a/x.png", "in/b/x.png", "in/b/c/y.png", "in/z.png")
    out, drawn = tmp_path / "out", tmp_path / "drawn"
    main(
        [
            "track",
            "--method",
            "detect-and-track",
            *videos,
            "-o",
            str(out),
            "--render",
            str(drawn),
            "--weights",
            str(weights),
        ]
    )
    places = ["a/x", "b/c/y", "b/x", "z"]
    for folder, suffix in ((out, "json"), (drawn, "mp4")):
        assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*.*")) == [f"{n}.{suffix}" for n in places]
    np.testing.assert_array_equal(read_poses(out / "a/x.json").keypoints, read_poses(out / "b/x.json").keypoints)
    capsys.readouterr()
    main(
        [
            "track",
            "--method",
            "detect-and-track",
            *videos,
            "-o",
            str(out),
            "--render",
            str(drawn),
            "--weights",
            str(weights),
            "--resume",
        ]
    )
    assert capsys.readouterr().err.count("skipped, ") == 4


def test_videos_of_one_name_in_one_folder_are_refused(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_work: None
) -> None:
    videos = copies(video, tmp_path, "x.png", "x.jpg")
    with pytest.raises(SystemExit):
        main(["track", "--method", "detect-and-track", *videos, "-o", str(tmp_path / "out"), "--weights", str(weights)])
    assert "x.json: expected videos of different names, found two" in capsys.readouterr().err


def test_a_video_that_another_run_writes_leaves_the_others_their_files(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copies(video, tmp_path, "x.png", "y.png"), tmp_path / "out"
    with only_run(out / "x.json"), pytest.raises(SystemExit) as end:
        main(["track", "--method", "detect-and-track", *videos, "-o", str(out), "--weights", str(weights)])
    assert end.value.code == 2 and f"{out / 'x.json'}: another run writes there" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["y.json"]


def test_a_full_disk_is_told_with_the_files_name(video: Path, weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = f"""
import resource
from ptfast.cli import main
from ptfast.methods import DetectAndTrack
DetectAndTrack.load({str(weights)!r})  # what compiles writes files, too
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
options = ["--method", "detect-and-track", "--weights", {str(weights)!r}]
main(["track", {str(video)!r}, "-o", {str(tmp_path / "tracks.json")!r}, *options])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    place = tmp_path / "tracks.json.partial" / "000000000.npz"
    assert run.returncode == 2 and run.stderr.splitlines()[-1] == f"ptfast track: {place}: file too large"


def test_a_drawing_that_fails_leaves_the_tracks_and_says_so(
    video: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def render_video(*arguments: object, **how: object) -> None:
        raise RuntimeError("no encoder")

    monkeypatch.setattr("ptfast.viz.render_video", render_video)
    out, drawn = tmp_path / "tracks.json", tmp_path / "tracks.mp4"
    code, line = ended(capsys, video / "000.png", out, weights, "--render", str(drawn))
    assert code == 2
    assert line == f"ptfast track: {drawn}: the tracks are written, but could not be drawn: no encoder"
    assert len(read_poses(out)) == 1


def test_names_that_are_not_utf8_become_text(video: Path, weights: Path, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xff"))
    try:
        folder.mkdir()
        shutil.copy(video / "000.png", os.fsencode(folder) + b"/\xfe.png")
    except OSError:
        pytest.skip("names are text on this file system")
    for suffix in ("json", "csv"):
        run(folder, tmp_path / f"tracks.{suffix}", weights)
        poses = read_poses(tmp_path / f"tracks.{suffix}")
        assert poses.frame_names == ("\\udcfe.png",)
    assert poses.sequence == "w\\udcff"
