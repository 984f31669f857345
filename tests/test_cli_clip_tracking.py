"""ptfast track --method clip-tracking, with small untrained networks: files, interruptions, bad input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses, write_poses
from ptfast.methods import ClipTracking
from ptfast.models import Hrnet, HrnetArchitecture, save_weights
from ptfast.structures import Poses
from ptfast.synthetic import scene

FRAMES = 14


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow HRNet whose heatmaps have peaks everywhere."""
    torch.manual_seed(0)
    model = Hrnet(HrnetArchitecture(width=8, joints=15, stem=8, stem_blocks=1, modules=(1,), blocks=1))
    torch.nn.init.normal_(model.final_layer.weight, std=1.0)
    path = tmp_path_factory.mktemp("weights") / "pose.safetensors"
    settings = {"precision": "float32", "batch": 4, "merging": {"min_area": 0.0, "min_length": 1}}
    card = {"skeleton": "posetrack_15", "data": "", "command": "", "seed": 0, "score": {}, "frames": 9}
    save_weights(model, path, {**card, "size": [64, 48], "settings": settings})
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
    detect = ClipTracking.detect

    def interrupted(self: ClipTracking, frames: object) -> Iterator[Poses]:
        for index, poses in enumerate(detect(self, frames)):  # type: ignore[arg-type]
            if index == after:
                raise KeyboardInterrupt
            yield poses

    with monkeypatch.context() as patch:
        patch.setattr(ClipTracking, "detect", interrupted)
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
    np.testing.assert_allclose(
        gone_on.keypoints, expected.keypoints, atol=1e-2
    )  # batches of other sizes round otherwise
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "whole.json"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--boxes", "{boxes}", "--detector", "detect-and-track"), "--boxes and --detector exclude each other"),
        (("--boxes", "{boxes}", "--cost", "iou"), "--cost is for --method detect-and-track, not for clip-tracking"),
        (("--boxes", "{boxes}", "--step", "10"), "step must be between 1 and 8, got 10"),
        (("--boxes", "absent.json"), "absent.json"),
        (("--detector", "absent.safetensors"), "absent.safetensors: expected a .safetensors, .pth or .pkl file"),
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
        main(["track", str(video), "-o", str(tmp_path / "tracks.json"), "--step", "2"])
    assert "--step is for --method clip-tracking, not for detect-and-track" in capsys.readouterr().err  # type: ignore[attr-defined]


def test_boxes_must_cover_the_video(
    video: Path, truth: Poses, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few.json"
    write_poses(truth[:5], few)
    with pytest.raises(SystemExit):
        run(video, tmp_path / "tracks.json", weights, "--boxes", str(few))
    assert "poses must have boxes for every frame of the video, got 5 frames" in capsys.readouterr().err
