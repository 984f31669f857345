"""The command line: what it writes, what it prints, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfast import synthetic
from ptfast.cli import main
from ptfast.cli.demo import CLIP
from ptfast.io import open_video, read_poses, read_sequences, write_poses
from ptfast.tracking import link


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with annotations/ and detections/ of two short synthetic sequences."""
    folder = tmp_path_factory.mktemp("scene")
    truth = {name: synthetic.scene(seed, frames=25, people=3) for seed, name in enumerate(("a", "b"))}
    write_poses(truth, folder / "annotations")
    write_poses({name: synthetic.detections(poses) for name, poses in truth.items()}, folder / "detections")
    return folder


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command prints for bad input."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_link_writes_what_link_gives(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["link", str(files / "detections"), str(tmp_path / "tracks")])
    for name, poses in read_sequences(files / "detections").items():
        written = read_poses(tmp_path / "tracks" / f"{name}.json")
        np.testing.assert_array_equal(written.track_ids, link(poses).track_ids)
    last = capsys.readouterr().out.splitlines()[-1]
    assert "2 sequences, 50 frames" in last and last.endswith(f"written to {tmp_path / 'tracks'}")


def test_link_options_reach_the_linker(files: Path, tmp_path: Path) -> None:
    source, out = files / "detections" / "a.json", tmp_path / "a.csv"
    arguments = ["--cost", "iou", "--motion", "none", "--lookback", "1", "--max-cost", "none", "--min-score", "0.3"]
    main(["link", str(source), str(out), *arguments, "--min-joint-score", "none", "--max-tracks", "2"])
    expected = link(
        read_poses(source), cost="iou", motion="none", lookback=1, max_cost=None, min_score=0.3, min_joint_score=None,
        max_tracks=2,
    )  # fmt: skip
    np.testing.assert_array_equal(read_poses(out).track_ids, expected.track_ids)


def test_eval_prints_a_table_and_writes_figures(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["eval", str(files / "annotations"), str(files / "annotations"), "--json", str(tmp_path / "scores.json")])
    printed = capsys.readouterr().out
    assert "MOTA" in printed and printed.splitlines()[-1] == f"figures written to {tmp_path / 'scores.json'}"
    assert set(json.loads((tmp_path / "scores.json").read_text())["sequences"]) == {"a", "b"}


def test_eval_filters_joints_for_mota_alone(files: Path, tmp_path: Path) -> None:
    truth, tracks = str(files / "annotations"), str(tmp_path / "tracks")
    main(["link", str(files / "detections"), tracks, "--min-joint-score", "none", "--min-score", "none"])
    figures = {}
    for name, extra in {"all": [], "some": ["--mota-min-joint-score", ",".join(["0.5"] * 15)]}.items():
        main(["eval", truth, tracks, "--json", str(tmp_path / name), *extra])
        figures[name] = json.loads((tmp_path / name).read_text())
    assert figures["all"]["ap"] == figures["some"]["ap"]
    assert figures["all"]["false_positives"] != figures["some"]["false_positives"]


def test_convert_changes_format_and_skeleton(files: Path, tmp_path: Path) -> None:
    source = files / "annotations" / "a.json"
    main(["convert", str(source), str(tmp_path / "a.csv"), "--skeleton", "posetrack_15"])
    converted = read_poses(tmp_path / "a.csv")
    assert converted.skeleton.name == "posetrack_15"
    np.testing.assert_array_equal(converted.track_ids, read_poses(source).track_ids)


def test_info_names_versions_and_build(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info"])
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("ptfast", "native core", "CUDA", "threads", "torch", "numpy"))


def test_demo_leaves_tracks_video_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--out", str(tmp_path / "demo"), "--seed", "3"])
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    drawn = {"tracks.json", "tracks.mp4", "contact_sheet.png"}
    assert names == {"video.mp4", "ground_truth.json", *drawn, *(f"real_{name}" for name in drawn)}
    real = read_poses(tmp_path / "demo" / "real_tracks.json")
    assert len(real) == 80 and len(real.keypoints) > 60  # one person in each frame
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"results are in {tmp_path / 'demo'}")


def test_the_demos_clip_is_what_its_card_says() -> None:
    card = json.loads(CLIP.with_suffix(".json").read_text())
    assert sha256(CLIP.read_bytes()).hexdigest() == card["sha256"] and "CC-BY-4.0" in card["licence"]
    assert CLIP.stat().st_size < 1_000_000
    assert [frame.size for frame in open_video(CLIP, backend="opencv")] == [(640, 360)] * 80


def test_synth_leaves_videos_and_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "synth"
    main(["synth", str(out), "--videos", "2", "--seed", "7", "--frames", "5", "--people", "3", "--size", "96", "64"])
    assert {path.name for path in out.iterdir()} == {
        f"synthetic_00000{seed}.{suffix}" for seed in (7, 8) for suffix in ("json", "mp4")
    }
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"results are in {out}")
    truth = synthetic.render(8, frames=5, people=3, size=(96, 64), pan=5, shake=0.2).poses
    read = read_poses(out / "synthetic_000008.json").to_skeleton(truth.skeleton)
    np.testing.assert_array_equal(read.track_ids, truth.track_ids)
    np.testing.assert_allclose(read.keypoints, truth.keypoints, atol=1e-2)
    video = cv2.VideoCapture(str(out / "synthetic_000008.mp4"))
    sizes = [video.read()[1].shape for _ in range(5)]
    assert sizes == [(64, 96, 3)] * 5
    assert not video.read()[0]


def test_synth_of_no_videos_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = failure(["synth", str(tmp_path / "synth"), "--videos", "0"], capsys)
    assert message == "ptfast synth: videos must be at least 1, got 0"
    assert not (tmp_path / "synth").exists()


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = failure(["link", str(tmp_path / "none.json"), str(tmp_path / "out.json")], capsys)
    assert message.startswith("ptfast link: ") and "none.json" in message
    assert not (tmp_path / "out.json").exists()


def test_a_truncated_file_is_one_line(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.json"
    path.write_text((files / "detections" / "a.json").read_text()[:5000])
    message = failure(["link", str(path), str(tmp_path / "out.json")], capsys)
    assert "cut.json" in message


def test_a_wrong_number_is_one_line(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = failure(["link", str(files / "detections"), str(tmp_path / "out"), "--lookback", "0"], capsys)
    assert message == "ptfast link: lookback must be between 1 and 2147483647, got 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-cost", "x"], "argument --max-cost: expected a number or none, got 'x'; see ptfast link --help"),
        (["--cost", "l2"], "argument --cost: invalid choice"),
    ],
)
def test_a_wrong_option_is_one_line(arguments: list, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in failure(["link", "in", "out", *arguments], capsys)


@pytest.mark.parametrize("command", ["link", "convert"])
def test_the_input_is_not_replaced(files: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (files / "detections", files / "detections" / "a.json"):
        before = (files / "detections" / "a.json").read_bytes()
        assert "expected another place than the input's" in failure([command, str(source), str(source)], capsys)
        assert (files / "detections" / "a.json").read_bytes() == before


def test_figures_do_not_replace_what_was_scored(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, tracks = str(files / "annotations"), files / "annotations"
    message = failure(["eval", truth, str(tracks), "--json", str(tracks / "a.json")], capsys)
    assert "expected another place than the input's" in message


def test_a_reader_that_stops_early_ends_it_silently() -> None:
    command = f"{sys.executable} -m ptfast info | true"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert run.stderr == ""


def test_sequences_that_differ_are_one_line(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure(["eval", str(files / "annotations"), str(files / "annotations" / "a.json")], capsys)


@pytest.mark.parametrize("command", ["link", "eval", "convert", "synth", "train", "info", "demo"])
def test_help_is_there_for_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "usage: ptfast" in capsys.readouterr().out


def test_the_package_runs_as_a_module() -> None:
    run = subprocess.run([sys.executable, "-m", "ptfast", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("ptfast 0.")
