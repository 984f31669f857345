"""ptfast track, with a small untrained network: files, interruptions, bad input."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.cli.spool import Spool
from ptfast.io import read_poses
from ptfast.methods import DetectAndTrack
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses


def run(video: Path, out: Path, weights: Path, *more: str) -> None:
    main(["track", "--method", "detect-and-track", str(video), "-o", str(out), "--weights", str(weights), *more])


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
    main(
        [
            "track",
            "--method",
            "detect-and-track",
            str(video),
            str(other),
            "-o",
            str(tmp_path / "out"),
            "--weights",
            str(weights),
        ]
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.json", "walk.json"]


def test_resume_skips_the_videos_that_are_finished(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, out = tmp_path / "other", tmp_path / "out"
    other.mkdir()
    (other / "0.png").write_bytes((video / "000.png").read_bytes())
    command = [
        "track",
        "--method",
        "detect-and-track",
        str(video),
        str(other),
        "-o",
        str(out),
        "--weights",
        str(weights),
    ]
    main(command)
    whole = (out / "walk.json").read_text()
    (out / "walk.json").write_text("as it is")
    (out / "other.json").unlink()
    main([*command, "--resume"])
    assert (out / "walk.json").read_text() == "as it is" and len(read_poses(out / "other.json")) == 1
    written = capsys.readouterr()
    assert f"walk: skipped, {out / 'walk.json'} is there" in written.err and "1 video, 1 frame" in written.out
    main(command)
    assert (out / "walk.json").read_text() == whole


@pytest.mark.parametrize("after", [2, 9, 22])  # the last of 23 frames is in its clip's end
def test_an_interrupted_run_leaves_a_valid_file_and_goes_on(
    video: Path, weights: Path, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, out = tmp_path / "whole.json", tmp_path / "tracks.json"
    run(video, whole, weights)
    detect = DetectAndTrack.detect

    def interrupted(self: DetectAndTrack, frames: object, before: object) -> object:
        for index, poses in enumerate(detect(self, frames, before)):  # type: ignore[arg-type]
            if index == after:
                raise KeyboardInterrupt
            yield poses

    with monkeypatch.context() as patch:
        patch.setattr(DetectAndTrack, "detect", interrupted)
        with pytest.raises(SystemExit) as end:
            run(video, out, weights)
    assert end.value.code == 130
    assert f"{after} frames of walk tracked, in {out}" in capsys.readouterr().err
    assert len(read_poses(out)) == after
    run(video, out, weights, "--resume")
    gone_on, expected = read_poses(out), read_poses(whole)
    np.testing.assert_array_equal(gone_on.frame_offsets, expected.frame_offsets)
    np.testing.assert_array_equal(gone_on.track_ids, expected.track_ids)
    np.testing.assert_array_equal(gone_on.keypoints, expected.keypoints)
    assert out.read_text() == whole.read_text()
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


def remains_of(video: Path, out: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a run leaves which is interrupted after two frames."""
    detect = DetectAndTrack.detect

    def interrupted(self: DetectAndTrack, frames: object, before: object) -> object:
        yield from itertools.islice(detect(self, frames, before), 2)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DetectAndTrack, "detect", interrupted)
        with pytest.raises(SystemExit):
            run(video, out, weights)
    return out.with_name(f"{out.name}.partial")


def test_damaged_remains_are_one_line(
    video: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tracks.json"
    remains = remains_of(video / "000.png", out, weights, monkeypatch)
    part, about = remains / "000000000.npz", remains / "settings.json"
    whole, settings = part.read_bytes(), about.read_text()
    damages = [
        (lambda: part.write_bytes(whole[:-40]), f"{part}: expected a part of an interrupted run"),
        (lambda: part.write_bytes(b""), f"{part}: expected a part of an interrupted run"),
        (lambda: about.write_text("{"), f"{about}: expected the settings of an interrupted run"),
        (lambda: about.write_text("[]"), f"{about}: expected the settings of an interrupted run"),
        (about.unlink, f"{about}: expected the settings of an interrupted run"),
    ]
    for damage, message in damages:
        damage()
        with pytest.raises(SystemExit) as end:
            run(video / "000.png", out, weights, "--resume")
        assert end.value.code == 2 and message in capsys.readouterr().err.splitlines()[-1]
        part.write_bytes(whole)
        about.write_text(settings)


def test_remains_of_other_files_of_the_same_name_are_not_taken(
    video: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, copy = tmp_path / "tracks.json", tmp_path / "small.safetensors"
    folder = Path(shutil.copytree(video, tmp_path / "walk"))
    for file in (weights, weights.with_suffix(".json")):
        shutil.copy2(file, copy.with_suffix(file.suffix))
    remains_of(folder, out, copy, monkeypatch)
    for changed, message in ((folder / "003.png", "video's state"), (copy, "weights' state")):
        before = changed.stat()
        os.utime(changed, (before.st_atime + 100, before.st_mtime + 100))
        with pytest.raises(SystemExit):
            run(folder, out, copy, "--resume")
        assert f"{message}: expected this run's" in capsys.readouterr().err
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    run(folder, out, copy, "--resume")
    assert len(read_poses(out)) == 23


def test_a_part_that_is_missing_is_noticed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", {"video": "walk"}, POSETRACK_15, frames=1)
    for index in range(3):
        spool.add(
            Poses(
                keypoints=np.zeros((0, 15, 2), np.float32), frame_offsets=np.zeros(2, np.int64), skeleton=POSETRACK_15,
                frame_names=(f"{index}",), frame_ids=np.array([index]), frame_size=np.array([[4, 4]]),
            )
        )  # fmt: skip
    assert [len(part) for part in spool.stored()] == [1, 1, 1]
    (spool.folder / "000000001.npz").unlink()
    with pytest.raises(ValueError, match=r"000000002\.npz: expected frames from 1 on"):
        list(spool.stored())


def test_a_broken_video_leaves_the_others_their_files(
    video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    videos = [str(video / "000.png"), str(broken), str(video / "001.png")]
    with pytest.raises(SystemExit) as end:
        main(["track", "--method", "detect-and-track", *videos, "-o", str(tmp_path / "out"), "--weights", str(weights)])
    assert end.value.code == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000.json", "001.json"]
    error = capsys.readouterr().err
    assert f"{broken}: expected a video" in error
    assert error.splitlines()[-1].startswith("ptfast track: 1 of 3 videos failed")


@pytest.mark.parametrize("options", [["--min-score", "nan"], ["--format", "coco_results"]])
def test_what_only_the_end_would_refuse_is_refused_at_once(
    options: list[str], video: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def detect(*arguments: object) -> None:
        raise AssertionError("work has begun")

    monkeypatch.setattr(DetectAndTrack, "detect", detect)
    with pytest.raises(SystemExit) as end:
        run(video, tmp_path / "tracks.json", weights, *options)
    assert end.value.code == 2


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
        (["{video}", "--device", "meta"], "expected cpu, cuda or cuda:<number>, got 'meta'"),
        (["{video}", "--weights", "{pickled}"], "list.pth: expected a state dict, found list"),
        (["{video}", "--weights", "{words}"], "words.pth: expected a state dict, found"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, video: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    pickled, words = tmp_path / "list.pth", tmp_path / "words.pth"
    torch.save([1], pickled)
    words.write_text("hello")
    names = {"missing": tmp_path / "none", "text": text, "video": video, "tmp": tmp_path}
    names |= {"pickled": pickled, "words": words}
    given = [argument.format(**names) for argument in arguments]
    for option, value in (("-o", tmp_path / "out.json"), ("--weights", weights)):
        if option not in given:
            given += [option, str(value)]
    with pytest.raises(SystemExit) as end:
        main(["track", "--method", "detect-and-track", *given])
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert message.format(**names) in lines[-1]
    assert not (tmp_path / "out.json").exists()
