"""Nothing is dropped in silence: what a command leaves out is told, with its number, setting and remedy."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptfast.cli import main
from ptfast.cli.losses import Loss, report
from ptfast.cli.methods import add_method
from ptfast.cli.unseen import drawn_people_alone
from ptfast.io import read_poses, write_poses
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.structures import Poses


def weak(share: float) -> Poses:
    """Ten frames of two people; a share of the poses, the first ones, has joint scores of 0.30."""
    joint_scores = np.where(np.arange(20)[:, None] < 20 * share, 0.3, 0.9) * np.ones((20, 15))
    return replace(walkers(), joint_scores=joint_scores.astype(np.float32))


def walkers() -> Poses:
    rng = np.random.default_rng(0)
    steps = np.arange(20)[:, None, None] // 2 + np.array([0, 200])[np.arange(20) % 2][:, None, None]
    points = rng.uniform(0, 100, (1, 15, 2)) + steps
    return Poses(
        keypoints=points.astype(np.float32), frame_offsets=np.arange(0, 21, 2), skeleton=POSETRACK_15, sequence="walk"
    )


def said(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr of a command that does its work."""
    capsys.readouterr()
    main([str(argument) for argument in arguments])
    return capsys.readouterr().err.splitlines()


def failure(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr of a command that ends with exit code 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    return line


def test_link_that_drops_everything_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "weak.json", tmp_path / "tracks.json"
    write_poses(weak(1), source)
    assert failure(["link", source, out], capsys) == (
        f"ptfast link: {source}: 20 of 20 poses left out: 20 without a joint of --min-joint-score 0.45 "
        "(none keeps all); none is linked, and nothing is written"
    )
    assert not out.exists()
    assert said(["link", source, out, "--min-joint-score", "none"], capsys) == []
    assert len({*read_poses(out).track_ids.tolist()}) == 2


def test_link_says_first_what_was_more_than_half(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses(weak(0.7), tmp_path / "weak.json")
    main(["link", str(tmp_path / "weak.json"), str(tmp_path / "tracks.json")])
    assert capsys.readouterr().err == (
        "ptfast link: more than half: 14 of 20 poses left out: 14 without a joint of --min-joint-score 0.45 "
        "(none keeps all)\n"
    )


def test_link_counts_poses_joints_and_ids_by_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses, source = weak(0.2), tmp_path / "weak.json"
    scores, joint_scores = poses.scores.copy(), poses.joint_scores.copy()
    scores[4:7], joint_scores[7, :3] = 0.1, 0.2
    write_poses(replace(poses, scores=scores, joint_scores=joint_scores), source)
    lines = said(["link", source, tmp_path / "a.json", "--max-tracks", "1"], capsys)
    assert lines == [
        "ptfast link: 7 of 20 poses left out: 3 under --min-score 0.4 (none keeps all), "
        "4 without a joint of --min-joint-score 0.45 (none keeps all)",
        "ptfast link: 3 of 195 joints left out: 3 under --min-joint-score 0.45 (none keeps all)",
        "ptfast link: 6 of 13 linked poses without a track id: 6 over --max-tracks 1",
    ]
    lines = said(["link", source, tmp_path / "a.json", "--keep-filtered"], capsys)
    assert lines[0].startswith("ptfast link: 7 of 20 poses written without a track id: 3 under --min-score 0.4")
    assert len(read_poses(tmp_path / "a.json").scores) == 20


def test_link_names_sequences_that_lose_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses({"a": weak(0), "b": weak(1), "c": weak(0)}, tmp_path / "in")
    lines = said(["link", tmp_path / "in", tmp_path / "out"], capsys)
    assert lines == [
        "ptfast link: 20 of 60 poses left out: 20 without a joint of --min-joint-score 0.45 (none keeps all)",
        "ptfast link: 1 of 3 sequences left out: 1 all of whose poses are",
    ]


def test_nothing_is_said_where_nothing_is_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses(weak(0), tmp_path / "in.json")
    for suffix in ("json", "csv"):
        assert said(["link", tmp_path / "in.json", tmp_path / f"out.{suffix}"], capsys) == []
        assert said(["convert", tmp_path / "in.json", tmp_path / f"out.{suffix}"], capsys) == []


def test_convert_counts_joints_that_a_skeleton_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses(weak(0), tmp_path / "in.csv")
    line = "ptfast convert: 40 of 300 joints left out: 40 with names that --skeleton coco_17 lacks"
    assert said(["convert", tmp_path / "in.csv", tmp_path / "out.csv", "--skeleton", "coco_17"], capsys) == [line]


def test_convert_counts_head_joints_that_it_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses(complete(COCO_17), tmp_path / "in.csv")
    lines = said(["convert", tmp_path / "in.csv", tmp_path / "out.csv", "--skeleton", "posetrack_15"], capsys)
    assert lines == [
        "ptfast convert: 4 head joints extrapolated from shoulders and face",
        "ptfast convert: 8 of 34 joints left out: 8 with names that --skeleton posetrack_15 lacks",
    ]
    assert (read_poses(tmp_path / "out.csv").joint_visibility > 0).sum() == 34 - 8 + 4


def test_convert_to_a_skeleton_without_a_common_joint_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand = Skeleton("hand", tuple(f"finger_{number}" for number in range(15)))
    write_poses(replace(walkers(), skeleton=hand), tmp_path / "in.csv")
    line = failure(["convert", tmp_path / "in.csv", tmp_path / "out.csv", "--skeleton", "coco_17"], capsys)
    assert "300 of 300 joints left out: 300 with names that --skeleton coco_17 lacks; nothing is written" in line
    assert not (tmp_path / "out.csv").exists()


FRAMES = ["000.jpg", "001.jpg", "002.jpg"]


def complete(skeleton: Skeleton) -> Poses:
    """Two poses in three frames, the second one empty, with all that a file may hold."""
    joints = len(skeleton)
    visibility = np.full((2, joints), 2, np.uint8)
    visibility[:, 1] = 1
    return Poses(
        keypoints=np.linspace(0, 50, 4 * joints, dtype=np.float32).reshape(2, joints, 2),
        frame_offsets=np.array([0, 1, 1, 2]), skeleton=skeleton, joint_visibility=visibility,
        boxes=np.array([[0, 0, 80, 90], [5, 5, 70, 70]], np.float32), track_ids=np.array([0, 1]),
        head_boxes=np.array([[0, 0, 9, 9], [5, 5, 9, 9]], np.float32), areas=np.array([900, 400], np.float32),
        frame_names=tuple(FRAMES), frame_ids=np.array([5, 6, 7]), frame_size=np.full((3, 2), 99),
        is_labeled=np.array([True, False, True]), sequence="walk",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("format", "skeleton", "columns", "counts"),
    [
        ("posetrack17", POSETRACK_15, ["boxes", "areas", "image sizes"], []),
        (
            "frames",
            COCO_17,
            ["head boxes", "frame numbers", "image sizes", "labels of frames"],
            ["2 of 2 hidden joints"],
        ),
        ("coco_results", COCO_17, ["head boxes", "frame names", "image sizes", "labels of frames"], []),
        ("mot", COCO_17, ["head boxes", "areas", "frame names", "image sizes"], ["34 of 34 joints"]),
        ("posetrack18", COCO_17, [], []),
        ("coco", COCO_17, [], []),
        ("csv", COCO_17, [], []),
    ],
)
def test_convert_says_what_a_format_does_not_hold(
    format: str, skeleton: Skeleton, columns: list[str], counts: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_poses(complete(skeleton), tmp_path / "in.csv")
    lines = said(["convert", tmp_path / "in.csv", tmp_path / "out", "--format", format], capsys)
    missing = [line for line in lines if " files do not hold " in line and "; posetrack18, csv" in line]
    assert len(missing) == bool(columns) and all(column in "".join(missing) for column in columns)
    assert all(any(f" {count} " in line for line in lines) for count in counts)
    assert bool(lines) == bool(columns or counts)


def test_convert_of_a_folder_counts_over_all_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last_empty = replace(complete(COCO_17), frame_offsets=np.array([0, 1, 2, 2]))
    write_poses({"a": last_empty, "b": last_empty}, tmp_path / "in", format="csv")
    lines = said(["convert", tmp_path / "in", tmp_path / "out", "--format", "coco_results"], capsys)
    assert any(": 2 of 6 frames left out: 2 without poses" in line for line in lines)


def test_frames_that_reading_adds_are_not_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = np.array([3, 4, 5, 6, 7, 13, 14, 15, 16, 17])
    write_poses(replace(walkers(), frame_ids=numbers), tmp_path / "in.csv")  # MOT text begins at 1 and has no gap
    command = ["convert", tmp_path / "in.csv", tmp_path / "out.txt"]
    assert not [line for line in said(command, capsys) if "frames" in line]
    empty = replace(walkers(), frame_ids=[*numbers, 20], frame_offsets=np.array([*range(0, 21, 2), 20]))
    write_poses(empty, tmp_path / "in.csv")
    lines = said(command, capsys)
    assert any(": 1 of 11 frames left out: 1 without poses" in line for line in lines)


def test_link_says_what_a_format_does_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_poses(weak(0), tmp_path / "in.csv")
    lines = said(["link", tmp_path / "in.csv", tmp_path / "out.txt"], capsys)
    assert any("300 of 300 joints left out: 300 that mot files do not hold" in line for line in lines)


def test_track_counts_what_its_thresholds_drop(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["track", "--method", "detect-and-track", video, "-o", tmp_path / "tracks.csv", "--weights", weights]
    assert not [line for line in said(command, capsys) if "left out" in line]
    scores = read_poses(tmp_path / "tracks.csv").scores
    everybody, median = len(scores), f"{np.median(scores):.6f}"
    lines = said([*command, "--min-score", median], capsys)
    left = everybody - len(read_poses(tmp_path / "tracks.csv").scores)
    assert 0 < left < everybody
    share = "more than half: " if 2 * left > everybody else ""
    reason = f"{left} under --min-score {float(median)} (a lower one keeps more)"
    assert f"ptfast track: {share}{left} of {everybody} detections left out: {reason}" in lines


def test_track_that_finds_nobody_says_so(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tracks.json"
    lines = said(
        ["track", "--method", "detect-and-track", video, "-o", out, "--weights", weights, "--min-score", "2"], capsys
    )
    assert (
        lines[-1] == f"ptfast track: {video}: of those who were found in 23 frames, nobody is left; {out} has no tracks"
    )
    assert any(line.startswith("ptfast track: more than half: ") and "--min-score 2.0" in line for line in lines)
    assert len(read_poses(out)) == 23  # that nobody is there may be true


@pytest.mark.parametrize(("data", "said_so"), [("synthetic: 9 clips", True), ("synthetic", True), ("photos", False)])
def test_track_says_last_that_weights_have_only_seen_drawn_people(
    data: str, said_so: bool, video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = Path(shutil.copy(weights, tmp_path / "drawn.safetensors"))
    card = json.loads(weights.with_suffix(".json").read_text()) | {"data": data}
    drawn.with_suffix(".json").write_text(json.dumps(card))
    command = ["track", video, "-o", tmp_path / "tracks.json", "--method", "detect-and-track", "--weights", drawn]
    lines = said(command, capsys)
    line = (
        "ptfast track: drawn has only seen drawn people, and it finds few real ones; --method online has seen real ones"
    )
    assert (bool(lines) and lines[-1] == line) is said_so


def test_weights_that_come_along_say_what_they_have_seen() -> None:
    def lines(method: str, *more: str) -> list[str]:
        parser = argparse.ArgumentParser()
        add_method(parser)
        return drawn_people_alone(parser.parse_args(["--method", method, *more]))

    assert lines("online") == []
    assert lines("online", "--pose", "clip-tracking") == [
        "clip-tracking has only seen drawn people, and it finds few real ones; "
        "movenet-thunder and nanodet-g have seen real ones"
    ]
    assert lines("detect-and-track")[0].startswith("detect-and-track has only seen drawn people")
    assert lines("clip-tracking")[0].startswith("clip-tracking and detect-and-track have only seen drawn people")


def test_weights_of_a_flow_find_nobody(tmp_path: Path) -> None:
    def line(*more: str) -> list[str]:
        parser = argparse.ArgumentParser()
        add_method(parser)
        return drawn_people_alone(parser.parse_args(["--method", "simple-baselines", "--flow", str(flow), *more]))

    flow, pose = tmp_path / "flow.safetensors", tmp_path / "pose.safetensors"
    for file in (flow, pose):
        file.touch()
        file.with_suffix(".json").write_text('{"data": "synthetic"}')
    assert line("--weights", "movenet-thunder", "--detector", "nanodet-g") == []
    assert line("--weights", str(pose)) == [
        "pose has only seen drawn people, and it finds few real ones; --method online has seen real ones"
    ]


def test_track_counts_frames_that_could_not_be_decoded(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "walk", tmp_path / "tracks.csv"
    shutil.copytree(video, folder)
    for index in (3, 4, 9):
        (folder / f"{index:03d}.png").write_bytes(b"no picture")
    lines = said(["track", "--method", "detect-and-track", folder, "-o", out, "--weights", weights], capsys)
    assert "ptfast track: 3 of 23 frames without a picture: 3 that could not be decoded" in lines
    assert len(read_poses(out)) == 23


def test_track_without_any_picture_writes_nothing(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "walk", tmp_path / "tracks.json"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.jpg").write_bytes(b"no picture")
    with pytest.raises(SystemExit) as end:
        main(["track", "--method", "detect-and-track", str(folder), "-o", str(out), "--weights", str(weights)])
    assert end.value.code == 2 and not out.exists()
    line = f"ptfast track: {folder}: expected a frame that can be decoded, found none among 2"
    assert capsys.readouterr().err.splitlines()[-1] == line


def test_synth_says_how_many_frames_show_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--size", "64", "48", "--frames", "6", "--people", "1"]
    lines = said(["synth", tmp_path, *size, "--pan", "180", "--seed", "1", "--videos", "4"], capsys)
    empty = sum((np.diff(read_poses(path).frame_offsets) == 0).sum() for path in tmp_path.glob("*.json"))
    assert empty and [line for line in lines if f"{empty} of 24 frames without anybody" in line]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "100000", "100000"], "size must be between 2 and 8192, got 100000"),
        (["--size", "64", "1"], "size must be between 2 and 8192, got 1"),
        (["--pan", "nan"], "pan must be between 0 and 180, got nan"),
        (["--shake", "inf"], "shake must be between 0 and 180, got inf"),
        (["--blur", "0"], "blur must be between 1 and 1000, got 0"),
        (["--people", "1000000"], "people must be between 1 and 1000, got 1000000"),
    ],
)
def test_synth_names_numbers_out_of_range(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failure(["synth", tmp_path / "out", *options], capsys) == f"ptfast synth: {message}"
    assert not (tmp_path / "out").exists()


def test_most_proposals_may_be_left_out_without_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    reason = {"under --min-score 0.2 (a lower one keeps more)": 9}
    report("track", [Loss("detection", 10, reason, proposals=True), Loss("pose", 10, reason)], "done")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("ptfast track: more than half: 9 of 10 poses left out")
    assert lines[1].startswith("ptfast track: 9 of 10 detections left out")
    report("track", [Loss("detection", 9, reason, proposals=True)], "done")
    assert capsys.readouterr().err.startswith("ptfast track: more than half: 9 of 9 detections left out")
