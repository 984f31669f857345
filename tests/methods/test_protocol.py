"""A sixth method: one module and one line in a dictionary, to be tracked, interrupted, resumed and listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ptfast.cli import main
from ptfast.cli.methods import METHODS, MethodCommand
from ptfast.io import Video, read_poses
from ptfast.methods.base import gathered, opened_video
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import OnlineLinker, link

FRAMES = 23
LINKING = {"cost": "iou", "motion": "none", "min_score": None, "min_joint_score": None}


class Wisp:
    """Sees one person, who follows the image's brightest pixel slowly: each frame depends on the one before."""

    skeleton = POSETRACK_15

    def __init__(self, inertia: float) -> None:
        self.inertia = inertia

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[Poses] = ()) -> Iterator[Poses]:
        place = before[-1].features["place"][0] if before else None
        for number, frame in enumerate(opened_video(frames)):
            if number < len(before):
                continue
            seen = np.array(np.unravel_index(frame.image.sum(-1).argmax(), frame.image.shape[:2])[::-1], np.float64)
            place = seen if place is None else self.inertia * place + (1 - self.inertia) * seen
            yield Poses(
                keypoints=(place + np.arange(30).reshape(15, 2))[None],
                frame_offsets=np.array([0, 1]),
                skeleton=self.skeleton,
                features={"place": place[None]},  # float64, as what follows is computed
                frame_names=(frame.name,),
                frame_ids=np.array([frame.index]),
                frame_size=np.array([frame.size]),
            )

    def link(self, records: Iterable[Poses]) -> Poses:
        return link(Poses.concatenate(list(records)), **LINKING)

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        linker = OnlineLinker(**LINKING)
        return map(linker.update, self.detect(frames))

    def track(self, video: Any) -> Poses:
        return gathered(self.stream, video)

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        return min(1, len(sizes))

    def depends_on(self) -> dict[str, object]:
        return {"inertia": self.inertia}

    def count(self, record: Poses) -> int:
        return len(record.scores)


COMMAND = MethodCommand(
    options={"--inertia": {"type": float, "help": "share of the place before"}},
    weights="none",
    make=lambda weights, device, given, videos: Wisp(given.get("inertia", 0.75)),
    files=lambda weights, given: {},
)


@pytest.fixture(autouse=True)
def sixth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "wisp", COMMAND)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    folder = tmp_path / "walk"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index:03d}.png"), rng.integers(0, 256, (48, 64, 3), np.uint8))
    return folder


def track(video: Path, out: Path, *more: str) -> None:
    main(["track", str(video), "-o", str(out), "--method", "wisp", *more])


def test_help_lists_it_and_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["track", "--help"])
    text = capsys.readouterr().out
    assert "clip-tracking,wisp}" in text and "of wisp:" in text and "--inertia" in text


def test_it_tracks(video: Path, tmp_path: Path) -> None:
    track(video, tmp_path / "tracks.csv", "--inertia", "0.5")
    written, expected = read_poses(tmp_path / "tracks.csv"), Wisp(0.5).track(video)
    assert len(written) == FRAMES and written.track_ids.tolist() == expected.track_ids.tolist()
    np.testing.assert_allclose(written.keypoints, expected.keypoints, atol=1e-3)


@pytest.mark.parametrize("after", [1, 2, 22])
def test_a_resumed_run_ends_equal_to_an_uninterrupted_one(
    video: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    track(video, whole)
    detect = Wisp.detect

    def interrupted(self: Wisp, frames: Video, before: Sequence[Poses]) -> Iterator[Poses]:
        for number, record in enumerate(detect(self, frames, before)):
            if number == after:
                raise KeyboardInterrupt
            yield record

    with monkeypatch.context() as patch:
        patch.setattr(Wisp, "detect", interrupted)
        with pytest.raises(SystemExit) as end:
            track(video, out)
    assert end.value.code == 130 and len(read_poses(out)) == after
    track(video, out, "--resume")
    assert out.read_text() == whole.read_text()


def test_a_run_of_other_settings_is_not_gone_on_with(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detect = Wisp.detect

    def interrupted(self: Wisp, frames: Video, before: Sequence[Poses]) -> Iterator[Poses]:
        yield next(detect(self, frames, before))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Wisp, "detect", interrupted)
        with pytest.raises(SystemExit):
            track(video, tmp_path / "tracks.json")
    with pytest.raises(SystemExit):
        track(video, tmp_path / "tracks.json", "--inertia", "0.1", "--resume")
    assert "inertia: expected this run's 0.1, found 0.75" in capsys.readouterr().err


def test_an_option_of_another_method_is_refused(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["track", str(video), "-o", str(tmp_path / "tracks.json"), "--inertia", "0.5"])
    assert end.value.code == 2
    assert "--inertia is for --method wisp, not for online" in capsys.readouterr().err


def test_options_of_one_name_must_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = MethodCommand({"--cost": {"help": "another cost"}}, "none", COMMAND.make, COMMAND.files)
    monkeypatch.setitem(METHODS, "wisp", shared)
    with pytest.raises(ValueError, match="--cost must be the same option in detect-and-track and wisp"):
        main(["track", "--help"])
