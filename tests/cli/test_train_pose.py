"""ptfast train pose: from a config and data to the weights of a pose network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses, write_poses
from ptfast.models import Hrnet, HrnetArchitecture, MaskRcnn3d, PoseResnet, load_pose_network
from ptfast.synthetic import render
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.person_tubes import PersonClips
from ptfast.training.pose import RECIPE, HrnetConfig
from ptfast.training.recipe import Source

COMMON = """
batch = 1
people = 2
warm_up = 0
drops = []
size = [32, 32]
short_side = 64
mixed_precision = false
validation_videos = 0
"""
HRNET = (
    '[architecture]\nwidth = 4\njoints = 15\ntemporal_stages = "{temporal_stages}"\n'
    "stem = 4\nstem_blocks = 1\nmodules = [1]\nblocks = 1\n"
)
RESNET = "[architecture]\nwidth = 0.0625\njoints = 15\n"


def write_config(folder: Path, head: str, frames: int, network: str = "") -> Path:
    """A run of a tiny network."""
    path = folder / f"tiny_{frames}.toml"
    network = network or HRNET.format(temporal_stages="early" if frames > 1 else "none")
    path.write_text(f"frames = {frames}\n{COMMON}{head}\n{network}")
    return path


def train(config: Path | str, data: str | Path, out: Path, *more: str) -> None:
    names = ["--config", str(config), "--data", str(data), "--out", str(out)]
    main(["train", "pose", *names, "--workers", "0", "--threads", "1", *more])


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as end:
        train(*arguments)  # type: ignore[arg-type]
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of a 2D network, two steps on synthetic data, left."""
    folder = tmp_path_factory.mktemp("flat")
    train(write_config(folder, "steps = 2", 1), "synthetic", folder / "out")
    return folder / "out"


def test_it_leaves_checkpoint_log_and_weights_of_a_pose_network(flat: Path) -> None:
    assert {path.name for path in flat.iterdir()} == {
        "checkpoint.pt", "log.jsonl", "weights.json", "weights.safetensors"
    }  # fmt: skip
    model, card = load_pose_network(flat / "weights.safetensors")
    trained = read_checkpoint(flat / "checkpoint.pt")
    assert trained["step"] == 2 and isinstance(model, Hrnet)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, trained["model"][name], rtol=1e-3, atol=1e-6)
    assert card["skeleton"] == "posetrack_15" and card["size"] == [32, 32] and card["frames"] == 1
    assert card["network"] == "hrnet" and card["training"]["steps"] == 2
    assert card["command"].startswith("ptfast train pose --config ")


def test_a_run_that_is_stopped_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path, "steps = 2", 3), tmp_path / "out"
    train(config, "synthetic", out, "--minutes", "0")
    assert capsys.readouterr().out.startswith("stopped after 1 of 2 steps, the same command goes on")
    assert not (out / "weights.safetensors").exists()
    train(config, "synthetic", out)
    assert load_pose_network(out / "weights.safetensors")[1]["frames"] == 3


@pytest.mark.parametrize("name", ["weights.safetensors", "checkpoint.pt", "published.pth"])
def test_2d_weights_are_inflated(flat: Path, tmp_path: Path, name: str) -> None:
    original = load_pose_network(flat / "weights.safetensors")[0].state_dict()
    source = flat / name
    if name == "published.pth":  # there, convolutions are 2D
        source = tmp_path / name
        torch.save({k: v.squeeze(2) if v.ndim == 5 else v for k, v in original.items()}, source)
    config = write_config(tmp_path, 'steps = 1\nlearning_rate = 0.0\ninitialise = "mean"', 3)
    train(config, "synthetic", tmp_path / "out", "--weights", str(source))
    deep = read_checkpoint(tmp_path / "out" / "checkpoint.pt")["model"]["layer1.0.conv1.weight"]
    assert deep.shape[2] == 3
    torch.testing.assert_close(deep, original["layer1.0.conv1.weight"].expand_as(deep) / 3, rtol=1e-3, atol=1e-6)


def test_simple_baselines_network(tmp_path: Path) -> None:
    network = RESNET + "deconvolutions = 2\nkernel = 3\n"
    config = write_config(tmp_path, 'steps = 1\nnetwork = "pose-resnet"', 1, network)
    train(config, "synthetic", tmp_path / "out")
    model, card = load_pose_network(tmp_path / "out" / "weights.safetensors")
    assert isinstance(model, PoseResnet) and card["network"] == "pose-resnet"
    assert model.architecture.deconvolutions == card["architecture"]["deconvolutions"] == 2
    assert model.architecture.kernel == card["architecture"]["kernel"] == 3


def annotated(folder: Path, size: tuple[int, int] = (64, 64)) -> None:
    """A PoseTrack folder with one video of four frames, whose images are in `images`."""
    film = render(3, frames=4, people=2, size=size)
    for part in ("train", "val"):
        (folder / "annotations" / part).mkdir(parents=True)
        write_poses(film.poses, folder / "annotations" / part / "video.json")
    poses = read_poses(folder / "annotations" / "val" / "video.json")
    for name, image in zip(poses.frame_names, film, strict=True):  # type: ignore[union-attr, arg-type]
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "images" / name), image)


def data_of(data: str | Path, images: Path | None = None, **settings: Any) -> PersonClips:
    config = HrnetConfig(frames=1, size=(32, 32), architecture=HrnetArchitecture(joints=15), **settings)
    return RECIPE.data(config, Source(data, images))


def test_synthetic_people_are_all_known_and_drawn_in_the_configs_size() -> None:
    data = data_of("synthetic", short_side=48)
    assert data[1].known.all() and not data[1].labelled.all() and data[1].crops.shape == (4, 1, 32, 32, 3)
    assert data.clips[0].frames.shape == (1, 48, 48, 3)


def test_annotated_images_have_the_configs_size_and_unlabelled_joints(tmp_path: Path) -> None:
    annotated(tmp_path, (96, 64))
    for settings, shape in (({"short_side": 48}, (48, 72)), ({"short_side": 48, "long_side": 60}, (40, 60))):
        data = data_of(tmp_path, tmp_path / "images", **settings)
        assert data.clips[0].frames.shape[1:3] == shape
    np.testing.assert_array_equal(data[0].known, data[0].labelled)


def test_clips_and_their_regions_follow_from_the_seed() -> None:
    five, six = (data_of("synthetic", short_side=48, seed=seed) for seed in (5, 6))
    assert (five.clips[0].frames != six.clips[0].frames).any()
    six.clips = five.clips
    assert np.abs(five[0].keypoints - six[0].keypoints).max() > 1


def test_posetrack_folders_train_and_validate(tmp_path: Path) -> None:
    annotated(tmp_path)
    more = ["--images", str(tmp_path / "images"), "--validation", str(tmp_path), "--seed", "5"]
    train(write_config(tmp_path, "steps = 1", 3), tmp_path, tmp_path / "out", *more)
    row = json.loads((tmp_path / "out" / "log.jsonl").read_text())
    assert row["step"] == 1 and {"pck", "pck_centre", "pck_ends"} <= row.keys()
    card = json.loads((tmp_path / "out" / "weights.json").read_text())
    assert card["seed"] == 5 and card["score"] == row


def test_synthetic_videos_validate_synthetic_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "ptfast.training.pose.validation.validate_pose", lambda model, **how: asked.append(how) or {"pck": 1.0}
    )
    config = write_config(tmp_path, "steps = 1", 3)
    config.write_text(config.read_text().replace("validation_videos = 0", "validation_videos = 2"))
    train(config, "synthetic", tmp_path / "out")
    assert [how["config"].validation_videos for how in asked] == [2]


def test_bad_input_is_one_line(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path, "steps = 2", 1), tmp_path / "out"
    deep = write_config(tmp_path, 'steps = 2\ninitialise = "mean"', 3)
    other = tmp_path / "other.toml"
    cases = [
        ((config, "synthetic", flat, "--seed", "3"), "checkpoint.pt: seed: expected this run's 3, found 0"),
        ((deep, "synthetic", out), "--weights must name 2D weights, as the config's initialise is 'mean'"),
        ((config, tmp_path / "nowhere", out), "nowhere: expected a JSON file, or a folder"),
        (("synthetic_3d", "synthetic", out), "synthetic_3d: expected a TOML file or one of paper_3d_hrnet_w48"),
        (("frames = 17", "synthetic", out), "length must be from 1 to 16, got 17"),
        (("size = [32, 20]", "synthetic", out), "size must be multiples of 32 for this network, got (32, 20)"),
        (("[architecture]\njoints = 3", "synthetic", out), "joints must be 15 or those of the data, 15, got 3"),
    ]
    for (first, *rest), message in cases:
        if isinstance(first, str) and "=" in first:
            other.write_text(first if "joints" in first else f"{first}\n[architecture]\njoints = 15")
            first = other
        line = failure(capsys, first, *rest)
        assert line.startswith("ptfast train: ") and message in line, line
    assert not out.exists()


def test_weights_of_another_network_are_an_error(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, "steps = 2", 1)
    config.write_text(config.read_text().replace("width = 4", "width = 8"))
    line = failure(capsys, config, "synthetic", tmp_path / "out", "--weights", str(flat / "weights.safetensors"))
    assert "weights.safetensors: transition1.0.0.weight: expected shape (8, " in line
    assert MaskRcnn3d.__name__ not in line and not (tmp_path / "out").exists()
