"""ptfast track, with a small untrained network: files, interruptions, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses
from ptfast.methods import DetectAndTrack
from ptfast.models import Architecture, MaskRcnn3d, save_weights
from ptfast.skeletons import POSETRACK_15


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow 3D network that finds people everywhere."""
    torch.manual_seed(1)
    model = MaskRcnn3d(
        Architecture(
            width=0.125, normalisation="group", anchor_sizes=(16.0, 32.0), box_channels=8, box_stride=2,
            keypoint_convs=1, keypoint_channels=8,
        )
    )  # fmt: skip
    for layer in (model.box_predictor.bbox_pred, model.box_predictor.cls_score):
        torch.nn.init.normal_(layer.weight, std=0.3)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    limits = {"proposals_before": 40, "proposals_after": 8, "min_score": 0.0, "most": 4}
    settings = {
        "short_side": 64,
        "min_score": 0.0,
        "min_joint_score": None,
        "batch": 4,
        "precision": "float32",
        "limits": limits,
    }
    card = {"skeleton": "posetrack_15", "data": "", "command": "", "seed": 0, "score": {}, "frames": 3}
    save_weights(model, path, {**card, "settings": settings})
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 23 pictures."""
    folder = tmp_path_factory.mktemp("videos") / "walk"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(23):
        picture = cv2.resize(rng.integers(0, 256, (8, 9, 3), np.uint8), (72, 64))
        cv2.imwrite(str(folder / f"{index:03d}.png"), picture)
    return folder


def run(video: Path, out: Path, weights: Path, *more: str) -> None:
    main(["track", str(video), "-o", str(out), "--weights", str(weights), *more])


def test_it_writes_what_the_method_gives(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, drawn = tmp_path / "tracks.json", tmp_path / "tracks.mp4"
    run(video, out, weights, "--render", str(drawn))
    written, expected = read_poses(out), DetectAndTrack.load(weights).track(video)
    np.testing.assert_array_equal(written.track_ids, expected.track_ids)
    np.testing.assert_allclose(written.to_skeleton(POSETRACK_15).keypoints, expected.keypoints, atol=1e-4)
    assert written.frame_names == expected.frame_names
    assert cv2.VideoCapture(str(drawn)).get(cv2.CAP_PROP_FRAME_COUNT) == 23
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("1 video, 23 frames, ") and last.endswith(f"written to {out} and {drawn}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "tracks.mp4"]


def test_options_reach_the_method(video: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks.csv"
    options = ["--windowing", "chunked", "--cost", "pckh", "--matcher", "greedy", "--min-score", "0.4"]
    run(video, out, weights, *options, "--min-joint-score", "-9")
    expected = DetectAndTrack.load(
        weights, windowing="chunked", cost="pckh", matcher="greedy", min_score=0.4, min_joint_score=-9.0
    ).track(video)
    np.testing.assert_array_equal(read_poses(out).track_ids, expected.track_ids)


def test_several_videos_go_into_a_folder(video: Path, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "0.png").write_bytes((video / "000.png").read_bytes())
    main(["track", str(video), str(other), "-o", str(tmp_path / "out"), "--weights", str(weights)])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.json", "walk.json"]


@pytest.mark.parametrize("after", [2, 9, 16])
def test_an_interrupted_run_leaves_a_valid_file_and_goes_on(
    video: Path, weights: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    run(video, whole, weights)
    detect = DetectAndTrack.detect

    def interrupted(self: DetectAndTrack, frames: object) -> object:
        for index, poses in enumerate(detect(self, frames)):  # type: ignore[arg-type]
            if index == after:
                raise KeyboardInterrupt
            yield poses

    with monkeypatch.context() as patch:
        patch.setattr(DetectAndTrack, "detect", interrupted)
        with pytest.raises(SystemExit) as end:
            run(video, out, weights)
    assert end.value.code == 130
    assert f"the first {after} frames of walk are in {out}" in capsys.readouterr().err
    assert len(read_poses(out)) == after
    run(video, out, weights, "--resume")
    gone_on, expected = read_poses(out), read_poses(whole)
    np.testing.assert_array_equal(gone_on.frame_offsets, expected.frame_offsets)
    np.testing.assert_array_equal(gone_on.track_ids, expected.track_ids)
    np.testing.assert_allclose(
        gone_on.keypoints, expected.keypoints, atol=1e-3
    )  # batches of other sizes round otherwise
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracks.json", "whole.json"]


def test_another_runs_remains_are_not_taken(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tracks.json"
    remains = tmp_path / "tracks.json.partial"
    remains.mkdir()
    (remains / "settings.json").write_text(json.dumps({"video": "elsewhere.mp4"}))
    with pytest.raises(SystemExit):
        run(video, out, weights, "--resume")
    assert f"{remains}: video: expected this run's" in capsys.readouterr().err
    run(video, out, weights)
    assert len(read_poses(out)) == 23 and not remains.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{missing}.mp4"], "{missing}.mp4"),
        (["{text}"], "{text}"),
        (["{video}", "--weights", "nothing"], "nothing: expected a .safetensors, .pth or .pkl file"),
        (["{video}", "{video}/000.png", "-o", "{tmp}/both.json"], "{tmp}/both.json: expected a folder for 2 videos"),
        (
            ["{video}", "--render", "{tmp}/film.avi"],
            "film.avi: expected a folder or a name that ends in .mp4, got .avi",
        ),
        (["{video}", "--device", "nowhere"], "expected cpu, cuda or cuda:<number>, got 'nowhere'"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    names = {"missing": tmp_path / "none", "text": text, "video": video, "tmp": tmp_path}
    given = [argument.format(**names) for argument in arguments]
    for option, value in (("-o", tmp_path / "out.json"), ("--weights", weights)):
        if option not in given:
            given += [option, str(value)]
    with pytest.raises(SystemExit) as end:
        main(["track", *given])
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert message.format(**names) in lines[-1]
    assert not (tmp_path / "out.json").exists()
