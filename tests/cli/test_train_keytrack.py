"""ptfast train keytrack: from a config and tracks to weights that score pairs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ptfast.cli import main
from ptfast.io import write_poses
from ptfast.pipeline.weights import load_entailment_weights
from ptfast.skeletons import POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import scene
from ptfast.training.checkpoints import read_checkpoint

TINY = """
steps = 3
batch = 2
pairs = 8
warm_up = 1
mixed_precision = false
scenes = 2
validation_videos = 2
validation_pairs = 64
epoch = 2
[architecture]
position = "fourier"
hidden = 8
intermediate = 8
layers = 1
"""


def write_config(folder: Path, more: str = "") -> Path:
    """A run of a tiny network."""
    path = folder / "tiny.toml"
    path.write_text(more + TINY)
    return path


def train(config: Path | str, data: str | Path, out: Path, *more: str) -> None:
    names = ["--config", str(config), "--data", str(data), "--out", str(out)]
    main(["train", "keytrack", *names, "--workers", "0", "--threads", "1", *more])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of three steps on synthetic scenes left."""
    folder = tmp_path_factory.mktemp("finished")
    train(write_config(folder), "synthetic", folder / "out")
    return folder / "out"


def test_it_leaves_checkpoint_log_and_weights(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, trained = (
        load_entailment_weights(finished / "weights.safetensors"),
        read_checkpoint(finished / "checkpoint.pt"),
    )
    assert trained["step"] == 3 and network.skeleton.name == "posetrack_15" and network.architecture.hidden == 8
    assert all(torch.equal(value, trained["model"][name]) for name, value in network.state_dict().items())
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 3]
    assert all({"right", "matched", "parted", "entropy"} <= row.keys() for row in rows)
    card = json.loads((finished / "weights.json").read_text())
    assert card["command"].startswith("ptfast train keytrack --config ") and card["score"] == rows[-1]
    assert card["network"] == "pose-entailment" and card["training"]["schedule"] == "linear"
    main(["weights", "info", str(finished / "weights.safetensors")])
    assert "pose-entailment" in capsys.readouterr().out


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_that_is_stopped_goes_on_to_the_same_weights(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    train(config, "synthetic", out, "--minutes", "0", "--workers", workers)
    assert capsys.readouterr().out.startswith("stopped after 1 of 3 steps, the same command goes on")
    train(config, "synthetic", out, "--workers", workers)
    assert (out / "weights.safetensors").read_bytes() == (finished / "weights.safetensors").read_bytes()


def test_weights_are_where_another_run_starts(finished: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, "learning_rate = 0.0\n")
    for name in ("weights.safetensors", "checkpoint.pt"):
        train(config, "synthetic", tmp_path / name, "--weights", str(finished / name))
        again = load_entailment_weights(tmp_path / name / "weights.safetensors").state_dict()
        first = load_entailment_weights(finished / "weights.safetensors").state_dict()
        assert all(torch.equal(value, first[name]) for name, value in again.items())


def folder_of(place: Path, poses: Poses) -> Path:
    """A folder of annotations with one training and one validation video."""
    for part in ("train", "val"):
        write_poses(poses, place / "annotations" / part / "video.json")
    return place


def test_annotated_videos_need_no_images_and_ears_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where files do not say how large frames are, a warning says how many videos that are."""
    data = folder_of(tmp_path, scene(3, frames=12, people=3, skeleton=POSETRACK_17))
    for path in data.rglob("*.json"):
        document = json.loads(path.read_text())
        for image in document["images"]:
            del image["width"], image["height"]
        path.write_text(json.dumps(document))
    train(write_config(tmp_path), data, tmp_path / "out", "--validation", str(data), "--seed", "5")
    assert "sizes of the frames of 1 of 1 videos are taken from their joints" in capsys.readouterr().err
    assert load_entailment_weights(tmp_path / "out" / "weights.safetensors").skeleton.name == "posetrack_15"
    card = json.loads((tmp_path / "out" / "weights.json").read_text())
    assert card["seed"] == 5 and card["score"]["step"] == 3


def test_bad_input_is_one_line(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    alone = folder_of(tmp_path / "alone", scene(3, frames=1, people=3))
    cases = [
        ((config, "synthetic", finished, "--seed", "3"), "checkpoint.pt: seed: expected this run's 3, found 0"),
        ((config, "synthetic", out, "--seed", "7999999"), "seed must be from 0 to 7,999,998, got 7,999,999; the rest"),
        ((config, tmp_path / "nowhere", out), "nowhere: expected a JSON file, or a folder"),
        ((config, alone, out), "tracks must hold two poses of one person within 4 frames, found too few of them"),
        (("synthetic_3d", "synthetic", out), "expected a TOML file or one of keytrack_best, keytrack_paper"),
    ]
    for arguments, message in cases:
        with pytest.raises(SystemExit) as end:
            train(*arguments)  # type: ignore[arg-type]
        line = capsys.readouterr().err.splitlines()[-1]
        assert end.value.code == 2 and line.startswith("ptfast train: ") and message in line, line
    assert not out.exists()
