"""ptfast track --method clip-tracking, with small untrained networks: files, interruptions, bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses, write_poses
from ptfast.methods import ClipTracking
from ptfast.methods.clip_tracking import method
from ptfast.models import Architecture, Hrnet, HrnetArchitecture, MaskRcnn3d, save_weights
from ptfast.pipeline import FrameTracklets, SinglePose, given_boxes
from ptfast.pipeline.weights import load_movenet_weights
from ptfast.structures import Poses
from ptfast.synthetic import scene

FRAMES = 14
CARD = {"skeleton": "posetrack_15", "data": "", "command": "", "seed": 0, "score": {}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow HRNet whose heatmaps have peaks everywhere."""
    torch.manual_seed(0)
    model = Hrnet(HrnetArchitecture(width=8, joints=15, stem=8, stem_blocks=1, modules=(1,), blocks=1))
    torch.nn.init.normal_(model.final_layer.weight, std=1.0)
    path = tmp_path_factory.mktemp("weights") / "pose.safetensors"
    settings = {"precision": "float32", "batch": 4, "merging": {"min_area": 0.0, "min_length": 1}}
    save_weights(model, path, {**CARD, "frames": 9, "size": [64, 48], "settings": settings})
    return path


@pytest.fixture(scope="module")
def truth() -> Poses:
    return scene(3, frames=FRAMES, people=2, size=(96, 72))


@pytest.fixture(scope="module")
def boxes(truth: Poses, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("boxes") / "boxes.json"
    write_poses(truth, path)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures."""
    folder = tmp_path_factory.mktemp("videos") / "walk"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index:03d}.png"), cv2.resize(rng.integers(0, 256, (9, 12, 3), np.uint8), (96, 72)))
    return folder


def run(video: Path, out: Path, weights: Path, *options: str) -> None:
    main(["track", str(video), "-o", str(out), "--method", "clip-tracking", "--weights", str(weights), *options])


def interrupt(patch: pytest.MonkeyPatch, after: int) -> None:
    """Has somebody press Ctrl-C after so many frames."""
    detect = ClipTracking.detect

    def interrupted(self: ClipTracking, frames: object, before: object) -> Iterator[FrameTracklets]:
        for index, record in enumerate(detect(self, frames, before)):  # type: ignore[arg-type]
            if index == after:
                raise KeyboardInterrupt
            yield record

    patch.setattr(ClipTracking, "detect", interrupted)


def test_tracks_are_written(video: Path, boxes: Path, weights: Path, truth: Poses, tmp_path: Path) -> None:
    run(video, tmp_path / "tracks.json", weights, "--boxes", str(boxes), "--render", str(tmp_path / "tracks.mp4"))
    tracks = read_poses(tmp_path / "tracks.json")
    assert isinstance(tracks, Poses) and len(tracks) == FRAMES
    assert set(truth.track_ids.tolist()) and len(tracks.scores) >= len(truth.scores) // 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "tracks.mp4"]


@pytest.mark.parametrize("after", [2, 9, 13])
def test_an_interrupted_run_leaves_a_valid_file_and_goes_on(
    video: Path, boxes: Path, weights: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, out, given = tmp_path / "whole.json", tmp_path / "tracks.json", ("--boxes", str(boxes))
    run(video, whole, weights, *given)
    with monkeypatch.context() as patch:
        interrupt(patch, after)
        with pytest.raises(SystemExit) as end:
            run(video, out, weights, *given)
    assert end.value.code == 130
    assert f"{after} frames of walk tracked, in {out}" in capsys.readouterr().err
    assert len(read_poses(out)) == after
    run(video, out, weights, *given, "--resume")
    gone_on, expected = read_poses(out), read_poses(whole)
    assert isinstance(gone_on, Poses) and isinstance(expected, Poses)
    np.testing.assert_array_equal(gone_on.frame_offsets, expected.frame_offsets)
    np.testing.assert_array_equal(gone_on.track_ids, expected.track_ids)
    np.testing.assert_array_equal(gone_on.keypoints, expected.keypoints)
    assert out.read_text() == whole.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "whole.json"]


def small_crops(weights: Path, **_: object) -> SinglePose:
    """The pose network on crops of 32 pixels, which is fast."""
    return SinglePose(load_movenet_weights(weights).model, size=32)


def test_networks_of_real_people_resume_to_the_byte(
    short: Path, movenet: Path, nanodet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A MoveNet on crops in a NanoDet's boxes, both narrow and untrained."""
    monkeypatch.setattr(method, "load_person_poses", small_crops)
    whole, out, every = tmp_path / "whole.json", tmp_path / "tracks.json", ("--min-score", "0", "--min-length", "1")
    options = ("--detector", str(nanodet), "--step", "2", *every, "--min-joint-score", "0", "--min-area", "0")
    run(short, whole, movenet, *options)
    assert np.diff(read_poses(whole).frame_offsets).all()  # type: ignore[union-attr]
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 3)
        run(short, out, movenet, *options)
    run(short, out, movenet, *options, "--resume")
    assert out.read_text() == whole.read_text()


def test_a_run_goes_on_with_the_same_people_in_the_same_frames_only(
    video: Path, boxes: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out, detector = tmp_path / "tracks.json", tmp_path / "detector.safetensors"
    narrow = Architecture(width=0.125, temporal_kernel=1, box_channels=8, keypoint_convs=1, keypoint_channels=8)
    settings = {"short_side": 64, "limits": {"proposals_after": 8}}
    save_weights(MaskRcnn3d(narrow), detector, {**CARD, "frames": 1, "settings": settings})
    for option, given in (("--boxes", boxes), ("--detector", detector)):
        for file in given.parent.glob(f"{given.stem}.*"):  # weights have a card
            shutil.copy(file, tmp_path / f"other{file.suffix}")
        with monkeypatch.context() as patch:
            interrupt(patch, 2)
            with pytest.raises(SystemExit):
                run(video, out, weights, option, str(given))
        for options, message in (
            ((option, str(tmp_path / f"other{given.suffix}")), "boxes: expected this run's"),
            ((option, str(given), "--step", "2"), "step: expected this run's 2, found 1"),
        ):
            capsys.readouterr()
            with pytest.raises(SystemExit):
                run(video, out, weights, *options, "--resume")
            assert message in capsys.readouterr().err.splitlines()[-1]


def test_hypotheses_are_merged_as_the_option_says(video: Path, boxes: Path, weights: Path, tmp_path: Path) -> None:
    run(video, tmp_path / "tracks.csv", weights, "--boxes", str(boxes), "--merge", "highest")
    tracks, detector = read_poses(tmp_path / "tracks.csv"), given_boxes(read_poses(boxes))  # type: ignore[arg-type]
    highest, usual = (
        ClipTracking.load(weights, detector=detector, merging={"merge": merge}).track(video).keypoints
        for merge in ("highest", "spatiotemporal")
    )
    np.testing.assert_allclose(tracks.keypoints, highest, atol=1e-2)  # type: ignore[union-attr]
    assert highest.shape != usual.shape or np.abs(highest - usual).max() > 1


def test_boxes_of_a_file_are_for_one_video_and_all_taken(
    video: Path, truth: Poses, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsure, out = tmp_path / "unsure.csv", tmp_path / "tracks.json"
    write_poses(replace(truth, scores=np.full(len(truth.scores), 0.1)), unsure)
    run(video, out, weights, "--boxes", str(unsure))
    assert len(read_poses(out).scores) >= len(truth.scores)  # type: ignore[union-attr]
    shutil.copytree(video, tmp_path / "run")
    with pytest.raises(SystemExit):
        main(["track", str(video), str(tmp_path / "run"), "-o", str(tmp_path / "out"), "--method", "clip-tracking",
              "--weights", str(weights), "--boxes", str(unsure)])  # fmt: skip
    assert "--boxes has the boxes of one video, got 2 videos" in capsys.readouterr().err


def test_boxes_of_a_file_that_nobody_asks_for_are_counted(
    video: Path, truth: Poses, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, sparse = np.diff(truth.frame_offsets), tmp_path / "longer.txt"
    twice = replace(Poses.concatenate([truth, truth]), frame_ids=np.arange(2 * len(truth)) + 1, frame_names=None)
    write_poses(twice.with_track_ids(np.arange(len(twice.scores))), sparse)
    run(video, tmp_path / "tracks.csv", weights, "--boxes", str(sparse), "--step", "4")
    looked_at = people[::4].sum()  # the video has half of the boxes
    told = f"{2 * people.sum() - looked_at:,} of {2 * people.sum():,} boxes not looked at: "
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--boxes", "{boxes}", "--detector", "detect-and-track"), "--boxes and --detector exclude each other"),
        (("--boxes", "{boxes}", "--cost", "iou"), "--cost is for --method detect-and-track, not for clip-tracking"),
        (("--boxes", "{boxes}", "--step", "10"), "step must be between 1 and 8, got 10"),
        (("--boxes", "{boxes}", "--min-score", "nan"), "min_box_score must be "),
        (("--boxes", "{boxes}", "--min-area", "-1"), "min_area must be at least 0, got -1.0"),
        (
            ("--boxes", "{boxes}", "--min-length", "40"),
            "min_length must be at most 33, one more than lookahead, got 40",
        ),
        (("--weights", "movenet-thunder", "--size", "256x192"), "size may be given for HRNets and PoseResNets alone"),
        (
            ("--weights", "movenet-multipose", "--detector", "movenet-thunder"),
            "movenet-thunder: expected a MoveNet with boxes",
        ),
        (
            ("--weights", "nanodet-g"),
            "nanodet-g: network: expected one of 'hrnet', 'pose-resnet', 'inception-pose', 'movenet'",
        ),
        (("--detector", ""), "--detector must be a name or a file, got an empty one"),
        (("--boxes", "absent.json"), "absent.json"),
        (("--detector", "absent.safetensors"), "absent.safetensors: expected a file, or one of: "),
    ],
)
def test_bad_options_are_one_line(
    video: Path, boxes: Path, weights: Path, tmp_path: Path, options: tuple[str, ...], message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with pytest.raises(SystemExit) as end:
        run(video, tmp_path / "tracks.json", weights, *(option.format(boxes=boxes) for option in options))
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not any(tmp_path.iterdir())


def test_options_of_clip_tracking_are_not_for_the_other_method(video: Path, tmp_path: Path, capsys: object) -> None:
    with pytest.raises(SystemExit):
        main(["track", "--method", "detect-and-track", str(video), "-o", str(tmp_path / "tracks.json"), "--step", "2"])
    assert "--step is for --method clip-tracking, not for detect-and-track" in capsys.readouterr().err  # type: ignore[attr-defined]


def test_boxes_must_cover_the_video(
    video: Path, truth: Poses, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few.json"
    write_poses(truth[:5], few)
    with pytest.raises(SystemExit):
        run(video, tmp_path / "tracks.json", weights, "--boxes", str(few))
    assert "poses must have boxes for every frame of the video, got 5 frames" in capsys.readouterr().err


def left_out(video: Path, out: Path, weights: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """What a run says that it leaves out."""
    capsys.readouterr()
    run(video, out, weights, *options)
    return [line for line in capsys.readouterr().err.splitlines() if " left out: " in line]


@pytest.fixture
def unsure(truth: Poses, tmp_path: Path) -> Path:
    """The boxes, those of even rows unsure, and one of an odd row without an area."""
    boxes, scores = truth.boxes.copy(), np.where(np.arange(len(truth.scores)) % 2, 0.9, 0.25)
    boxes[5, 2] = boxes[5, 0]
    write_poses(replace(truth, boxes=boxes, scores=scores), tmp_path / "unsure.csv")
    return tmp_path / "unsure.csv"


def test_detections_poses_and_joints_that_are_left_out_are_told(
    video: Path, unsure: Path, weights: Path, truth: Poses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, every = ("--boxes", str(unsure), "--min-score", "0.5"), len(truth.scores)
    low = (every + 1) // 2
    told = left_out(video, tmp_path / "a.csv", weights, capsys, *given, "--min-joint-score", "-9")
    assert told == [
        f"ptfast track: more than half: {low + 1} of {every} detections left out: "
        f"{low} under --min-score 0.5 (a lower one keeps more), 1 without an area"
    ]
    poses = read_poses(tmp_path / "a.csv")
    sides = poses.boxes[:, 2:] - poses.boxes[:, :2]  # type: ignore[union-attr]
    area = float(np.median(sides.prod(1))) + 0.5
    small = int((sides.prod(1) < area).sum())
    limit = f"{float(np.median(poses.joint_scores)):.3f}"  # type: ignore[union-attr]
    filters = ("--min-area", f"{area:.2f}", "--min-joint-score", limit, "--min-length", str(FRAMES))
    told = left_out(video, tmp_path / "b.csv", weights, capsys, *given, *filters)
    shown = read_poses(tmp_path / "b.csv")
    line = next(line for line in told if " poses left out: " in line)
    count = len(poses.scores) - len(shown.scores)  # type: ignore[union-attr]
    assert f"{count} of {len(poses.scores)} poses left out: {small} of an area under --min-area " in line  # type: ignore[union-attr]
    assert f" in tracks shorter than --min-length {FRAMES} (a lower one keeps more)" in line


def test_a_resumed_run_tells_what_an_uninterrupted_one_does(
    video: Path, unsure: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    options = ("--boxes", str(unsure), "--min-score", "0.5", "--min-joint-score", "1", "--min-area", "900")
    whole = left_out(video, tmp_path / "whole.json", weights, capsys, *options)
    with monkeypatch.context() as patch:
        interrupt(patch, 5)
        with pytest.raises(SystemExit):
            run(video, tmp_path / "tracks.json", weights, *options)
    assert left_out(video, tmp_path / "tracks.json", weights, capsys, *options, "--resume") == whole
    assert {line.split(" left out")[0].split()[-1] for line in whole} == {"detections", "poses", "joints"}


def test_tubes_without_any_joint_and_thresholds_of_the_weights_are_told(
    video: Path, boxes: Path, weights: Path, truth: Poses, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tracklets = ClipTracking.tracklets

    def blind(self: ClipTracking, *arguments: object) -> object:
        found = tracklets(self, *arguments)  # type: ignore[arg-type]
        found.joint_scores[:] = np.where(found.first_frame[:, None, None] % 2, found.joint_scores, 0)
        return found

    monkeypatch.setattr(ClipTracking, "tracklets", blind)
    card = weights.with_suffix(".json")
    own = tmp_path / "own.safetensors"
    shutil.copy(weights, own)
    settings = json.loads(card.read_text())
    settings["settings"]["merging"]["joint_thresholds"] = [1e6] * 7 + [-1e6] * 8
    own.with_suffix(".json").write_text(json.dumps(settings))
    told = left_out(video, tmp_path / "tracks.csv", own, capsys, "--boxes", str(boxes))
    seen = sum(len(truth.frame(f).scores) for f in range(1, FRAMES, 2))
    every = len(truth.scores)
    assert any(
        f"{every - seen} of {every} detections left out: {every - seen} without any joint" in line for line in told
    )
    (line,) = (line for line in told if " joints left out: " in line)
    assert line.endswith("under the weights' joint_thresholds (a lower --min-joint-score in their place keeps more)")
