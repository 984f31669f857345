"""ptfast train matcher: from a config and tracks to weights that link."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses, write_poses
from ptfast.methods.detect_and_track.matching import load_matcher
from ptfast.skeletons import POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import render, scene
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.matcher import read_config, synthetic_tracks, train_matcher

TINY = "steps = 3\nbatch = 2\nframes = 8\nhidden = 4\nscenes = 2\nvalidation_videos = 1\nepoch = 2\n"


def write_config(folder: Path, more: str = "") -> Path:
    """A run of a tiny matcher."""
    path = folder / "tiny.toml"
    path.write_text(TINY + more)
    return path


def train(config: Path | str, data: str | Path, out: Path, *more: str) -> None:
    names = ["--config", str(config), "--data", str(data), "--out", str(out)]
    main(["train", "matcher", *names, "--workers", "0", "--threads", "1", *more])


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as end:
        train(*arguments)  # type: ignore[arg-type]
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of three steps on synthetic scenes left."""
    folder = tmp_path_factory.mktemp("finished")
    train(write_config(folder), "synthetic", folder / "out")
    return folder / "out"


def test_it_leaves_checkpoint_log_and_weights_of_a_matcher(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        "checkpoint.pt", "log.jsonl", "weights.json", "weights.safetensors"
    }  # fmt: skip
    matcher, trained = load_matcher(finished / "weights.safetensors"), read_checkpoint(finished / "checkpoint.pt")
    assert trained["step"] == 3 and matcher.hidden == 4 and matcher.skeleton.name == "posetrack_15"
    assert all(torch.equal(value, trained["model"][name]) for name, value in matcher.state_dict().items())
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 3] and all({"no", "right"} <= row.keys() for row in rows)
    card = json.loads((finished / "weights.json").read_text())
    assert card["command"].startswith("ptfast train matcher --config ") and card["score"] == rows[-1]
    assert card["training"]["schedule"] == "cosine" and card["frames"] == 8 and card["skeleton"] == "posetrack_15"


def test_its_weights_are_those_of_the_function(finished: Path, tmp_path: Path) -> None:
    expected = train_matcher(synthetic_tracks(2), read_config(write_config(tmp_path)))
    found = load_matcher(finished / "weights.safetensors").state_dict()
    assert all(torch.equal(value, found[name]) for name, value in expected.state_dict().items())


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_that_is_stopped_goes_on_to_the_same_weights(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    train(config, "synthetic", out, "--minutes", "0", "--workers", workers)
    assert capsys.readouterr().out.startswith("stopped after 1 of 3 steps, the same command goes on")
    assert not (out / "weights.safetensors").exists()
    train(config, "synthetic", out, "--workers", workers)
    assert (out / "weights.safetensors").read_bytes() == (finished / "weights.safetensors").read_bytes()


def test_weights_are_where_another_run_starts(finished: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, "learning_rate = 0.0\n")
    for name in ("weights.safetensors", "checkpoint.pt"):
        train(config, "synthetic", tmp_path / name, "--weights", str(finished / name))
        again = load_matcher(tmp_path / name / "weights.safetensors").state_dict()
        first = load_matcher(finished / "weights.safetensors").state_dict()
        assert all(torch.equal(value, first[name]) for name, value in again.items())


def folder_of(place: Path, poses: Poses) -> Path:
    """A folder of annotations with one training and one validation video."""
    for part in ("train", "val"):
        write_poses(poses, place / "annotations" / part / "video.json")
    return place


def test_annotated_videos_train_and_validate(tmp_path: Path) -> None:
    data = folder_of(tmp_path, scene(3, frames=12, people=3, skeleton=POSETRACK_17))
    train(write_config(tmp_path), data, tmp_path / "out", "--validation", str(data), "--seed", "5")
    assert load_matcher(tmp_path / "out" / "weights.safetensors").skeleton.name == "posetrack_17"
    card = json.loads((tmp_path / "out" / "weights.json").read_text())
    assert card["seed"] == 5 and card["score"]["step"] == 3 and 0 < card["score"]["no"] < 100


def test_frame_sizes_that_a_file_does_not_say_are_those_of_the_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = render(3, frames=6, people=2, size=(96, 64))
    sized, bare = (folder_of(tmp_path / name, film.poses) for name in ("sized", "bare"))
    for path in bare.rglob("*.json"):
        document = json.loads(path.read_text())
        for image in document["images"]:
            del image["width"], image["height"]
        path.write_text(json.dumps(document))
    poses = read_poses(bare / "annotations" / "train" / "video.json")
    assert isinstance(poses, Poses) and poses.frame_size is None and poses.frame_names is not None
    config = write_config(tmp_path)
    line = failure(capsys, config, bare, tmp_path / "none")
    assert "video.json: expected the image " in line and not (tmp_path / "none").exists()
    image = tmp_path / "pixels" / poses.frame_names[0]
    image.parent.mkdir(parents=True)
    cv2.imwrite(str(image), np.zeros((64, 96, 3), np.uint8))
    train(config, sized, tmp_path / "a")
    train(config, bare, tmp_path / "b", "--images", str(tmp_path / "pixels"))
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_bad_input_is_one_line(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    strangers = scene(3, frames=4, people=2)
    strangers = folder_of(tmp_path / "strangers", strangers.with_track_ids(np.full(len(strangers.scores), -1)))
    wide = tmp_path / "wide.toml"
    wide.write_text(TINY.replace("hidden = 4", "hidden = 8"))
    weights = str(finished / "weights.safetensors")
    cases = [
        ((config, "synthetic", finished, "--seed", "3"), "checkpoint.pt: seed: expected this run's 3, found 0"),
        ((config, "synthetic", out, "--seed", "7999999"), "seed must be from 0 to 7,999,998, got 7,999,999; the rest"),
        ((config, tmp_path / "nowhere", out), "nowhere: expected a JSON file, or a folder"),
        ((config, strangers, out), "strangers: expected people with track ids, found none"),
        (("synthetic_3d", "synthetic", out), "synthetic_3d: expected a TOML file or one of synthetic_matcher"),
        (
            (wide, "synthetic", out, "--weights", weights),
            "weights.safetensors: lstm.weight_ih_l0: expected shape (32, ",
        ),
    ]
    for arguments, message in cases:
        line = failure(capsys, *arguments)
        assert line.startswith("ptfast train: ") and message in line, line
    assert not out.exists()
