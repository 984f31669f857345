"""ptfast track --method keytrack, with a small untrained network and a scorer of OKS: files, interruptions, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfast.cli import main
from ptfast.io import read_poses
from ptfast.methods import KeyTrack
from ptfast.methods.keytrack import method as module
from ptfast.ops import iou_matrix
from ptfast.pipeline import SinglePose, each_image
from ptfast.pipeline.weights import load_movenet_weights, path_of
from ptfast.structures import Poses

LOW = (
    *("--min-score", "0", "--min-joint-score", "0", "--min-propagated-score", "0"),
    *("--batch", "2", "--min-oks", "0"),
)


class Overlap:
    """Scores pairs by the IoU of their boxes."""

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        return iou_matrix(earlier.boxes, current.boxes)[tuple(pairs.T)]


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pose network sees crops of 32 pixels, and a detector finds three people, both of which is fast."""

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left = 60 * image.mean() / 255
        corners = np.array([[left, 8], [left + 2, 30], [45 - left, 20]])
        return np.concatenate([corners, corners + np.array([14, 26])], 1), np.array([0.9, 0.8, 0.3])

    def load(weights: Path, device: str) -> SinglePose:
        return SinglePose(load_movenet_weights(weights).model, size=32)

    monkeypatch.setattr(module, "load_person_poses", load)
    monkeypatch.setattr(module, "load_detector", lambda weights, device: each_image(find))
    monkeypatch.setattr(module, "load_match_scorer", lambda weights, device: Overlap())


@pytest.fixture(scope="module")
def stroll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of nine pictures of a scene that moves a little; the sixth cannot be decoded."""
    folder = tmp_path_factory.mktemp("videos") / "stroll"
    folder.mkdir()
    scene = cv2.resize(np.random.default_rng(0).integers(0, 256, (16, 18, 3), np.uint8), (72, 64))
    for index in range(9):
        cv2.imwrite(str(folder / f"{index}.png"), np.roll(scene, 2 * index, 1))
    (folder / "5.png").write_bytes(b"no picture")
    return folder


def run(video: Path, out: Path, movenet: Path, *options: str) -> None:
    networks = ["--weights", str(movenet), "--detector", str(movenet)]
    main(["track", str(video), "-o", str(out), "--method", "keytrack", *networks, *options])


def interrupt(patch: pytest.MonkeyPatch, after: int) -> None:
    """Has somebody press Ctrl-C after so many frames."""
    detect = KeyTrack.detect

    def interrupted(self: KeyTrack, frames: object, before: object) -> Iterator[Poses]:
        for number, record in enumerate(detect(self, frames, before)):  # type: ignore[arg-type]
            if number == after:
                raise KeyboardInterrupt
            yield record

    patch.setattr(KeyTrack, "detect", interrupted)


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ((), {}),
        (("--no-temporal-oks",), {"temporal_oks": False}),
        (("--matcher", "hungarian", "--neighbours", "1"), {"matcher": "hungarian", "neighbours": 1}),
        (("--lookback", "1", "--min-match-score", "0.9"), {"lookback": 1, "min_match_score": 0.9}),
        (("--max-oks", "0.9", "--max-undetected", "1"), {"max_oks": 0.9, "max_undetected": 1}),
    ],
)
def test_it_tracks_into_a_file_as_from_python(
    stroll: Path, movenet: Path, tmp_path: Path, options: tuple[str, ...], given: dict[str, object]
) -> None:
    run(stroll, tmp_path / "tracks.json", movenet, *LOW, *options)
    written = read_poses(tmp_path / "tracks.json")
    low = {"min_score": 0, "min_joint_score": 0, "min_propagated_score": 0, "batch": 2, "min_oks": 0}
    method = KeyTrack.load(movenet, detector=movenet, **low, **given)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match=r"5\.png could not be decoded"):
        expected = method.track(stroll)
    assert len(written) == 9 and len(written.scores) >= 9
    assert 1 < len({*written.track_ids.tolist()}) < len(written.scores)
    np.testing.assert_array_equal(written.track_ids, expected.track_ids)


@pytest.mark.parametrize("after", [1, 4, 6, 7, 8])
def test_a_resumed_run_ends_equal_to_an_uninterrupted_one(
    stroll: Path, movenet: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    run(stroll, whole, movenet, *LOW)
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
        interrupt(patch, after)
        run(stroll, out, movenet, *LOW)
    assert end.value.code == 130 and len(read_poses(out)) == after
    run(stroll, out, movenet, *LOW, "--resume")
    assert out.read_text() == whole.read_text()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--min-oks", "0.5", "min_oks: expected this run's 0.5"),
        ("--max-undetected", "1", "max_undetected: expected this run's 1"),
        ("--min-box-score", "0.1", "min_box_score: expected this run's 0.1"),
    ],
)
def test_a_run_of_other_settings_is_not_gone_on_with(
    option: str, value: str, message: str, stroll: Path, movenet: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "tracks.json"
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 3)
        run(stroll, out, movenet, *LOW)
    with pytest.raises(SystemExit):
        run(stroll, out, movenet, *LOW, option, value, "--resume")
    assert message in capsys.readouterr().err


def test_matching_may_change_when_a_run_goes_on(
    stroll: Path, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    matching = ("--matcher", "hungarian", "--entailment", "other.safetensors", "--lookback", "2")
    run(stroll, whole, movenet, *LOW, *matching)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 3)
        run(stroll, out, movenet, *LOW)
    run(stroll, out, movenet, *LOW, *matching, "--resume")
    assert out.read_text() == whole.read_text()


def test_what_the_thresholds_drop_is_told(
    stroll: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stroll, tmp_path / "tracks.json", movenet, *LOW, "--min-box-score", "0.5", "--min-score", "2")
    lines = capsys.readouterr().err
    assert "detections left out: " in lines and "under --min-score 2.0 (a lower one keeps more)" in lines
    assert "under --min-box-score 0.5 (a lower one keeps more)" in lines


def test_tentative_tracks_are_told(
    stroll: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stroll, tmp_path / "all.json", movenet, *LOW)
    tracked = len(read_poses(tmp_path / "all.json").scores)
    capsys.readouterr()
    run(stroll, tmp_path / "tracks.json", movenet, *LOW, "--min-new-score", "2")
    why = f"{tracked} before a pose of their track reaches --min-new-score 2.0 (0 keeps all)"
    assert f"more than half: {tracked} of {tracked} linked poses left out: {why}" in capsys.readouterr().err


def test_thresholds_are_those_of_the_pose_networks_card() -> None:
    card = json.loads(path_of("movenet-thunder").with_suffix(".json").read_text())["settings"]
    config = KeyTrack.load().config
    assert config.min_box_score is None and config.min_propagated_score == card["min_joint_score"]
    assert {name: getattr(config, name) for name in card} == card
    assert KeyTrack.load(min_box_score=0.2, min_score=0.3).config.min_score == 0.3


def test_an_empty_name_is_no_network(
    stroll: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(stroll, tmp_path / "tracks.json", movenet, "--entailment", "")
    assert "--entailment must be a name or a file, got an empty one" in capsys.readouterr().err
