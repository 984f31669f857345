"""ptfast track --method online, with a small untrained network: files, interruptions, what is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ptfast.cli import main
from ptfast.io import read_poses
from ptfast.methods import Online
from ptfast.methods.online import estimators
from ptfast.pipeline import Fused, MultiPose, SinglePose, TopDown
from ptfast.pipeline.weights import load_movenet_weights, path_of
from ptfast.structures import Poses

SMALL = ("--long-side", "96", "--batch", "3")
LOW = (*SMALL, "--min-score", "0", "--min-joint-score", "0")


def run(video: Path, out: Path, movenet: Path, *options: str) -> None:
    main(["track", str(video), "-o", str(out), "--method", "online", "--weights", str(movenet), *options])


def interrupt(patch: pytest.MonkeyPatch, after: int) -> None:
    """Has somebody press Ctrl-C after so many frames."""
    detect = Online.detect

    def interrupted(self: Online, frames: object, before: object) -> Iterator[Poses]:
        for number, record in enumerate(detect(self, frames, before)):  # type: ignore[arg-type]
            if number == after:
                raise KeyboardInterrupt
            yield record

    patch.setattr(Online, "detect", interrupted)


def test_it_tracks_into_a_file(video: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(video, tmp_path / "tracks.csv", movenet, *LOW)
    written = read_poses(tmp_path / "tracks.csv")
    method = Online.load(movenet, long_side=96, batch=3, min_score=0.0, min_joint_score=0.0)
    expected = method.track(video)
    assert len(written) == 23 and len(written.scores) > 23
    np.testing.assert_array_equal(written.track_ids, expected.track_ids)
    np.testing.assert_allclose(written.keypoints, expected.keypoints, atol=1e-2)
    assert "1 video, 23 frames" in capsys.readouterr().out


@pytest.mark.parametrize("after", [1, 6, 22])
def test_a_resumed_run_ends_equal_to_an_uninterrupted_one(
    video: Path, movenet: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    run(video, whole, movenet, *LOW)
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
        interrupt(patch, after)
        run(video, out, movenet, *LOW)
    assert end.value.code == 130 and len(read_poses(out)) == after
    run(video, out, movenet, *LOW, "--resume")
    assert out.read_text() == whole.read_text()


def small_crops(weights: Path, device: str) -> SinglePose:
    """The pose network on crops of 32 pixels, which is fast."""
    return SinglePose(load_movenet_weights(weights).model, size=32)


@pytest.mark.parametrize("estimator", ["full", "top-down"])
def test_other_estimators_resume_to_the_byte(
    short: Path, movenet: Path, nanodet: Path, tmp_path: Path, estimator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimators, "load_person_poses", small_crops)
    parts = ["--detector", str(nanodet), "--pose", str(movenet)]
    full = ["--quality", "full", "--weights", str(movenet), "--long-side", "96"]
    options = [*parts, *(full if estimator == "full" else []), "--min-score", "0", "--batch", "2"]
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    main(["track", str(short), "-o", str(whole), *options])
    assert len(read_poses(whole)) == 5 and len(read_poses(whole).scores) > 0
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 3)
        main(["track", str(short), "-o", str(out), *options])
    main(["track", str(short), "-o", str(out), *options, "--resume"])
    assert out.read_text() == whole.read_text()


def test_another_detector_is_another_run(
    short: Path, movenet: Path, nanodet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(estimators, "load_person_poses", small_crops)
    command = ["track", str(short), "-o", str(tmp_path / "tracks.json"), "--pose", str(movenet), "--detector"]
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 3)
        main([*command, str(nanodet)])
    with pytest.raises(SystemExit):
        main([*command, "nanodet-g", "--resume"])
    assert "detector' state: expected this run's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quality", "fast", "--detector", "nanodet-g"], "detector and pose are for quality 'full'"),
        (["--weights", "movenet-multipose", "--pose", "movenet-thunder"], "weights with detector or pose are for"),
        (["--detector", "nanodet-g", "--long-side", "640"], "long_side is for MultiPose"),
        (
            ["--quality", "full", "--pose", "clip-tracking-2d"],
            "pose must find the joints of weights for quality 'full'",
        ),
        (["--detector", "nobody"], "nobody: expected a file, or one of: "),
    ],
)
def test_estimators_that_cannot_be_are_named(
    options: list[str], message: str, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["track", str(short), "-o", str(tmp_path / "tracks.json"), *options])
    assert end.value.code == 2 and message in capsys.readouterr().err


def test_qualities_have_their_networks_and_thresholds() -> None:
    kinds = {"fast": MultiPose, "full": Fused}
    for quality, kind in kinds.items():
        method = Online.load(quality=quality)  # type: ignore[arg-type]
        card = path_of("movenet-multipose" if kind is MultiPose else "movenet-thunder").with_suffix(".json")
        settings = json.loads(card.read_text())["settings"]
        assert isinstance(method.estimate, kind)
        assert method.thresholds() == {name: settings[name] for name in ("min_score", "min_joint_score")}
        assert method.config.min_new_score == settings["min_new_score"] > settings["min_score"]
        assert Online.load(quality=quality, min_score=0.7).thresholds()["min_score"] == 0.7  # type: ignore[arg-type]
    assert isinstance(Online.load().estimate, MultiPose)
    top_down = Online.load(pose="clip-tracking-2d")
    assert isinstance(top_down.estimate, TopDown) and len(top_down.skeleton) == 15


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--long-side", "64", "long_side: expected this run's 64"),
        ("--batch", "2", "batch: expected this run's 2"),
        ("--precision", "bfloat16", "precision: expected this run's 'bfloat16'"),
    ],
)
def test_a_run_of_other_settings_is_not_gone_on_with(
    option: str, value: str, message: str, video: Path, movenet: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "tracks.json"
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 4)
        run(video, out, movenet, *LOW)
    with pytest.raises(SystemExit):
        run(video, out, movenet, *LOW, option, value, "--resume")
    assert message in capsys.readouterr().err


def test_thresholds_may_change_when_a_run_goes_on(
    video: Path, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tracks.json"
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        interrupt(patch, 4)
        run(video, out, movenet, *LOW)
    run(video, out, movenet, *SMALL, "--min-score", "1", "--min-joint-score", "0", "--resume")
    assert len(read_poses(out)) == 23 and len(read_poses(out).scores) == 0


def test_what_the_thresholds_drop_is_told(
    video: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(video, tmp_path / "tracks.json", movenet, *SMALL, "--min-score", "1")
    lines = capsys.readouterr().err
    assert "under --min-score 1.0 (a lower one keeps more)" in lines
    assert "ptfast track: more than half: " in lines and "of those who were found in 23 frames, nobody is left" in lines


@pytest.mark.parametrize("option", ["--weights", "--detector", "--pose"])
def test_an_empty_name_is_no_network(
    option: str, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["track", str(video), "-o", str(tmp_path / "tracks.json"), option, ""])
    assert end.value.code == 2 and f"{option} must be a name or a file, got an empty one" in capsys.readouterr().err


def test_tentative_tracks_are_told(
    video: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(video, tmp_path / "all.json", movenet, *LOW)
    tracked = len(read_poses(tmp_path / "all.json").scores)
    capsys.readouterr()
    run(video, tmp_path / "tracks.json", movenet, *LOW, "--min-new-score", "2")
    lines = capsys.readouterr().err
    reason = f"{tracked:,} before a pose of their track reaches --min-new-score 2.0 (0 keeps all)"
    assert f"{tracked:,} of {tracked:,} linked poses left out: {reason}" in lines
    assert "nobody is left" in lines


def test_options_of_the_others_are_refused(
    video: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, value, method in (("--cost", "iou", "detect-and-track"), ("--step", "2", "clip-tracking")):
        with pytest.raises(SystemExit) as end:
            run(video, tmp_path / "tracks.json", movenet, flag, value)
        assert end.value.code == 2
        assert f"{flag} is for --method {method}, not for online" in capsys.readouterr().err


def test_a_network_of_another_kind_is_refused(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, message in (
        ("movenet-thunder", "movenet-thunder: expected a MoveNet with boxes"),
        ("detect-and-track", "network"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["track", str(video), "-o", str(tmp_path / "a.json"), "--method", "online", "--weights", name])
        assert end.value.code == 2 and message in capsys.readouterr().err
