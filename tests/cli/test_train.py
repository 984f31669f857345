"""ptfast train: from a config and data to weights that ptfast track takes."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.cli.lock import only_run
from ptfast.io import read_poses, write_poses
from ptfast.methods.detect_and_track import Config as Tracking
from ptfast.models import MaskRcnn3d, load_weights
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import render
from ptfast.training import loop
from ptfast.training.checkpoints import read_checkpoint

NETWORK = """
[architecture]
width = 0.125
normalisation = "group"
anchor_sizes = [16, 32]
anchor_ratios = [2.5]
box_channels = 16
box_stride = 2
keypoint_convs = 1
keypoint_channels = 16
temporal_kernel = {kernel}
[sampling]
anchors = 32
proposals = 16
keypoint_tubes = 4
[proposals]
proposals_before = 40
proposals_after = 20
"""


def write_config(folder: Path, head: str, kernel: int) -> Path:
    """A run of a tiny network."""
    path = folder / f"tiny_{kernel}.toml"
    common = "batch = 1\nshort_sides = [64]\nmixed_precision = false\nvalidation_videos = 0\n"
    path.write_text(f"frames = {kernel}\n{common}{head}\n{NETWORK.format(kernel=kernel)}")
    return path


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of a 2D network, two steps on synthetic data, left."""
    folder = tmp_path_factory.mktemp("flat")
    train(write_config(folder, "steps = 2", 1), "synthetic", folder / "out")
    return folder / "out"


def train(config: Path, data: str | Path, out: Path, *more: str) -> None:
    names = ["--config", str(config), "--data", str(data), "--out", str(out)]
    main(["train", "detect-and-track", *names, "--workers", "0", "--threads", "1", *more])


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as end:
        train(*arguments)  # type: ignore[arg-type]
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_it_leaves_checkpoint_log_and_weights_that_track(flat: Path, tmp_path: Path) -> None:
    assert {path.name for path in flat.iterdir()} == {
        "checkpoint.pt", "log.jsonl", "weights.json", "weights.safetensors"
    }  # fmt: skip
    model, card = load_weights(flat / "weights.safetensors")
    trained = read_checkpoint(flat / "checkpoint.pt")
    assert trained["step"] == 2
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, trained["model"][name], rtol=1e-3, atol=1e-6)
    assert card["skeleton"] == "posetrack_15" and card["frames"] == 1 and card["training"]["steps"] == 2
    assert card["command"].startswith("ptfast train detect-and-track --config ")
    video = tmp_path / "frames"
    video.mkdir()
    cv2.imwrite(str(video / "0.png"), np.zeros((64, 64, 3), np.uint8))
    main(
        [
            "track",
            "--method",
            "detect-and-track",
            str(video),
            "-o",
            str(tmp_path / "tracks.json"),
            "--weights",
            str(flat / "weights.safetensors"),
        ]
    )
    assert len(read_poses(tmp_path / "tracks.json")) == 1


def test_the_last_line_says_where_results_are(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(write_config(tmp_path, "steps = 2", 1), "synthetic", flat, "--export", str(tmp_path / "other.safetensors"))
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"2 steps done; results are in {flat}: checkpoint.pt to go on from")
    assert last.endswith(f"weights to track with in {tmp_path / 'other.safetensors'}")
    assert (tmp_path / "other.json").exists()


def test_a_run_that_is_stopped_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path, "steps = 2", 1), tmp_path / "out"
    train(config, "synthetic", out, "--minutes", "0")
    assert capsys.readouterr().out.startswith(
        f"stopped after 1 of 2 steps, the same command goes on; results are in {out}"
    )
    assert not (out / "weights.safetensors").exists()
    train(config, "synthetic", out)
    assert (out / "weights.safetensors").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_leave_a_checkpoint_and_say_so(
    number: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = loop.step

    def interrupted(*arguments: object) -> torch.Tensor:
        signal.raise_signal(number)
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "step", interrupted)
    with pytest.raises(SystemExit) as end:
        train(write_config(tmp_path, "steps = 2", 1), "synthetic", tmp_path / "out")
    assert end.value.code == code
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("ptfast train: interrupted; a checkpoint after 1 of 2 steps is in ")
    assert read_checkpoint(tmp_path / "out" / "checkpoint.pt")["step"] == 1


@pytest.mark.parametrize("name", ["weights.safetensors", "checkpoint.pt"])
def test_2d_weights_are_inflated(flat: Path, tmp_path: Path, name: str) -> None:
    config = write_config(tmp_path, 'steps = 1\nlearning_rate = 0.0\nweight_decay = 0.0\ninitialise = "center"', 3)
    train(config, "synthetic", tmp_path / "out", "--weights", str(flat / name))
    deep = read_checkpoint(tmp_path / "out" / "checkpoint.pt")["model"]
    kernel = deep["keypoint_head.convs.0.weight"]
    assert kernel.shape[2] == 3 and not kernel[:, :, [0, 2]].any()
    original = load_weights(flat / "weights.safetensors")[0].state_dict()["keypoint_head.convs.0.weight"]
    torch.testing.assert_close(kernel[:, :, 1], original[:, :, 0], rtol=1e-3, atol=1e-6)


def test_posetrack_folders_train_and_validate(tmp_path: Path) -> None:
    film = render(3, frames=4, people=2, size=(64, 64))
    for part in ("train", "val"):
        (tmp_path / "annotations" / part).mkdir(parents=True)
        write_poses(film.poses, tmp_path / "annotations" / part / "video.json")
    poses = read_poses(tmp_path / "annotations" / "val" / "video.json")
    for name, image in zip(poses.frame_names, film, strict=True):  # type: ignore[union-attr, arg-type]
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / name), image)
    more = ["--images", str(tmp_path / "images"), "--validation", str(tmp_path), "--seed", "5"]
    train(write_config(tmp_path, "steps = 1", 3), tmp_path, tmp_path / "out", *more)
    row = json.loads((tmp_path / "out" / "log.jsonl").read_text())
    assert row["step"] == 1 and {"mAP", "MOTA"} <= row.keys()
    card = json.loads((tmp_path / "out" / "weights.json").read_text())
    assert card["seed"] == 5 and card["score"] == row


def test_the_joints_are_those_of_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = render(3, frames=1, people=2, size=(64, 64), skeleton=POSETRACK_17)
    write_poses(film.poses, tmp_path / "poses" / "video.json")
    poses = read_poses(tmp_path / "poses" / "video.json")
    name = poses.frame_names[0]  # type: ignore[union-attr, index]
    (tmp_path / name).parent.mkdir(parents=True)
    cv2.imwrite(str(tmp_path / name), film.image(0))
    config = write_config(tmp_path, "steps = 1", 1)
    config.write_text(config.read_text().replace("[architecture]", "[architecture]\njoints = 17"))
    train(config, tmp_path / "poses", tmp_path / "out")
    assert load_weights(tmp_path / "out" / "weights.safetensors")[1]["skeleton"] == "posetrack_17"
    line = failure(capsys, config, "synthetic", tmp_path / "other")
    assert line == "ptfast train: architecture: joints must be 15 or those of the data, 15, got 17"


def test_synthetic_videos_validate_synthetic_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def validate(model: MaskRcnn3d, **how: object) -> dict[str, float]:
        asked.append(how)
        return {"mAP": 1.0, "MOTA": 2.0}

    monkeypatch.setattr("ptfast.training.mask_rcnn.validation.validate", validate)
    config = write_config(tmp_path, "steps = 1", 3)
    config.write_text(config.read_text().replace("validation_videos = 0", "validation_videos = 2"))
    train(config, "synthetic", tmp_path / "out")
    assert asked == [
        {
            "videos": 2,
            "config": Tracking(frames=3, short_side=64, min_score=0.5, joint_score="logit"),
            "skeleton": POSETRACK_15,
        }
    ]


def test_a_broken_image_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / "images" / "broken.png"
    poses = Poses(
        keypoints=np.linspace(0, 40, 30, dtype=np.float32).reshape(1, 15, 2), track_ids=np.zeros(1, np.int64),
        frame_offsets=np.array([0, 1]), skeleton=POSETRACK_15, frame_names=("images/broken.png",),
        frame_size=np.array([[64, 48]]),
    )  # fmt: skip
    write_poses(poses, tmp_path / "people.json")
    image.parent.mkdir()
    image.write_bytes(b"no image")
    line = failure(
        capsys, write_config(tmp_path, "steps = 2", 1), tmp_path / "people.json", tmp_path / "out", "--workers", "1"
    )
    assert line == f"ptfast train: {image}: expected an image, found what cannot be decoded"


def test_bad_input_is_one_line(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path, "steps = 2", 1), tmp_path / "out"
    deep = write_config(tmp_path, 'steps = 2\ninitialise = "mean"', 3)
    cases = [
        ((config, "synthetic", flat, "--seed", "3"), "checkpoint.pt: seed: expected this run's 3, found 0"),
        ((deep, "synthetic", out), "--weights must name 2D weights, as the config's initialise is 'mean'"),
        ((config, "synthetic", out, "--weights", str(tmp_path / "no.pt")), "no.pt"),
        ((config, tmp_path / "nowhere", out), "nowhere: expected a JSON file, or a folder"),
        ((config, "synthetic", out, "--workers", "-1"), "workers must be at least 0, got -1"),
        ((config, "synthetic", out, "--device", "tpu9"), "expected cpu, cuda or cuda:<number>, got 'tpu9'"),
        ((config, "synthetic", out, "--export", "x.pt"), "export must end in .safetensors, got 'x.pt'"),
        ((Path("no_such"), "synthetic", out), "no_such: expected a TOML file or one of paper_2d_r101_fpn"),
    ]
    for arguments, message in cases:
        line = failure(capsys, *arguments)
        assert line.startswith("ptfast train: ") and message in line
    wide = write_config(tmp_path, "steps = 2", 1)
    wide.write_text(wide.read_text().replace("keypoint_channels = 16", "keypoint_channels = 32"))
    line = failure(capsys, wide, "synthetic", out, "--weights", str(flat / "weights.safetensors"))
    assert "weights.safetensors: keypoint_head.convs.0.weight: expected shape (32, " in line
    assert not out.exists()


def test_another_run_into_one_folder_ends_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with only_run(out):
        line = failure(capsys, write_config(tmp_path, "steps = 2", 1), "synthetic", out)
    assert line.startswith(f"ptfast train: {out}: another run writes there, process {os.getpid()} on ")
    assert list(out.iterdir()) == []


def test_places_that_cannot_be_written_are_found_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, text, closed = write_config(tmp_path, "steps = 2", 1), tmp_path / "text", tmp_path / "w.safetensors"
    text.write_text("")
    closed.symlink_to(closed.name)
    line = failure(capsys, config, "synthetic", text)
    assert line == f"ptfast train: {text}: expected a folder or nothing to replace, found something else"
    line = failure(capsys, config, "synthetic", tmp_path / "out", "--export", str(closed))
    assert line.startswith(f"ptfast train: {closed}: ")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line_with_the_files_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(state: object, file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    out = tmp_path / "out"
    line = failure(capsys, write_config(tmp_path, "steps = 1", 1), "synthetic", out)
    assert line == f"ptfast train: {out / 'checkpoint.pt'}: no space left on device"


def test_frames_that_are_left_out_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = Poses(
        keypoints=np.linspace(0, 40, 30, dtype=np.float32).reshape(1, 15, 2), track_ids=np.zeros(1, np.int64),
        frame_offsets=np.array([0, 1, 1, 1]), skeleton=POSETRACK_15, frame_names=("0.png", "1.png", "2.png"),
        frame_size=np.full((3, 2), 64),
    )  # fmt: skip
    write_poses(poses, tmp_path / "people.json")
    for name in poses.frame_names or ():
        cv2.imwrite(str(tmp_path / name), np.zeros((64, 64, 3), np.uint8))
    train(write_config(tmp_path, "steps = 1", 1), tmp_path / "people.json", tmp_path / "out")
    reason = "2 of 3 labelled frames left out: nobody in them has joints that span a box"
    line = f"ptfast train: warning: {tmp_path / 'people.json'}: more than half: {reason}"
    assert line in capsys.readouterr().err.splitlines()
