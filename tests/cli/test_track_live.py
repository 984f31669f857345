"""ptfast track of cameras, streams and pipes, with a small untrained network; --limit and --show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from ptfast.cli import main, window
from ptfast.io import live, read_poses
from ptfast.methods import Online

from ..streams import Camera, y4m

cv2 = pytest.importorskip("cv2")

SMALL = ("--method", "online", "--long-side", "64", "--batch", "1", "--min-score", "0", "--min-joint-score", "0")
STREAM = "127.0.0.1-{port}-street-1.mjpg"


def track(source: object, out: Path, movenet: Path, *options: str) -> None:
    main(["track", str(source), "-o", str(out), "--weights", str(movenet), *SMALL, *options])


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_video_from_standard_input(movenet: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ptfast", "track", "-", "-o", str(tmp_path), "--weights", str(movenet), *SMALL]
    done = subprocess.run(command, input=y4m(range(20)), capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert b"1 video, 20 frames" in done.stdout
    poses = read_poses(tmp_path / "stdin.json")
    assert len(poses) == 20 and poses.sequence == "stdin" and (np.diff(poses.frame_offsets) > 0).all()


def feed(pipe: IO[bytes]) -> None:
    """Writes a frame every 50 ms, as long as somebody reads them."""
    with suppress(OSError, ValueError):
        pipe.write(y4m(range(5)))
        while True:
            pipe.write(b"FRAME\n" + bytes(64 * 48 * 3 // 2))
            time.sleep(0.05)


def test_sigterm_ends_a_pipe_that_does_not_end(movenet: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks.json"
    command = [sys.executable, "-m", "ptfast", "track", "-", "-o", str(out), "--weights", str(movenet), *SMALL]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, bufsize=0, **pipes) as run:  # type: ignore[call-overload]
        threading.Thread(target=feed, args=(run.stdin,), daemon=True).start()
        while not re.search(rb"[1-9]\dframe \[", run.stderr.read(1000)):
            assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        last = run.stderr.read().decode().splitlines()[-1]
        assert run.wait(20) == 143
    assert re.fullmatch(rf"ptfast track: interrupted; \d+ frames of stdin tracked, in {re.escape(str(out))}", last)
    assert len(read_poses(out)) > 10 and os.listdir(tmp_path) == ["tracks.json"]


def test_a_stream_of_which_frames_are_dropped(
    movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "WAITS", ())
    monkeypatch.setattr(live.Stream.__init__, "__defaults__", ((),))
    estimated = Online._estimated

    def slow(self: Online, batch: object) -> object:
        time.sleep(0.1)
        return estimated(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Online, "_estimated", slow)
    with Camera([range(60)], wait=0.01).served() as address:
        track(address, tmp_path, movenet)
    written = capsys.readouterr()
    name = STREAM.format(port=address.split(":")[2].split("/")[0])
    poses = read_poses(tmp_path / f"{name}.json")
    assert poses.frame_ids is not None and np.diff(poses.frame_ids).max() > 1
    assert poses.frame_ids[[0, -1]].tolist() == [0, 59]
    tracked, dropped = len(poses), 60 - len(poses)
    reason = f"{dropped} since tracking is slower than the source"
    line = next(line for line in written.err.splitlines() if "dropped" in line)
    assert f"{dropped} of 60 frames dropped: {reason}" in line and f"1 video, {tracked} frames" in written.out
    assert f"{address}: ended before frame 60" in written.err and os.listdir(tmp_path) == [f"{name}.json"]


def test_a_camera_with_a_limit(movenet: Path, tmp_path: Path) -> None:
    with Camera([range(500)], wait=0.02).served() as address:
        started = time.monotonic()
        track(address, tmp_path / "tracks.csv", movenet, "--limit", "5")
        assert time.monotonic() - started < 9
    assert len(read_poses(tmp_path / "tracks.csv")) == 5


def test_a_limit_of_files(video: Path, movenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    track(video, tmp_path / "some.json", movenet, "--limit", "7")
    track(video, tmp_path / "all.json", movenet, "--limit", "70")
    some, everything = read_poses(tmp_path / "some.json"), read_poses(tmp_path / "all.json")
    assert (len(some), len(everything)) == (7, 23)
    np.testing.assert_array_equal(some.keypoints, everything[:7].keypoints)
    with pytest.raises(SystemExit):
        track(video, tmp_path / "some.json", movenet, "--limit", "0")
    assert failure(capsys) == "ptfast track: --limit must be between 1 and 2147483647, got 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0", "--resume"], "--resume needs a video that can be read again, which camera 0 cannot"),
        (["-", "--render", "a.mp4"], "--render needs a video that can be read again, which standard input cannot"),
        (["0", "1"], "camera 0: expected a live source alone, got 2 videos"),
        (["9999"], "camera 9999: expected a camera that OpenCV can open, found none"),
        (["http://me:secret@127.0.0.1:9/a"], "http://127.0.0.1:9/a: expected a video stream that OpenCV can open"),
    ],
)
def test_what_live_sources_cannot_do_is_one_line(
    arguments: list[str], message: str, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["track", *arguments, "-o", "out", "--weights", str(movenet), *SMALL])
    assert end.value.code == 2 and message in failure(capsys)


def test_methods_of_clips_refuse_what_drops_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Camera([range(20)]).served() as address, pytest.raises(SystemExit):
        main(["track", address, "-o", str(tmp_path / "a.json"), "--method", "clip-tracking"])
    assert "frames may be dropped, which --method clip-tracking cannot do without" in failure(capsys)


class Screen:
    """Stands in for OpenCV's windows; somebody presses a key at a frame."""

    def __init__(self, patch: pytest.MonkeyPatch, key_at: int = -1, key: int = 255) -> None:
        self.shown: list[np.ndarray] = []
        patch.setenv("DISPLAY", ":0")
        patch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5\n")
        patch.setattr(cv2, "imshow", lambda title, image: self.shown.append(image))
        patch.setattr(cv2, "waitKey", lambda wait: key if len(self.shown) == key_at else 255)
        patch.setattr(cv2, "getWindowProperty", lambda title, name: 1.0)
        patch.setattr(cv2, "destroyAllWindows", lambda: None)
        patch.setattr(window, "TRIAL", "")


def test_tracks_are_shown_on_their_frames(
    video: Path, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(monkeypatch)
    track(video, tmp_path / "tracks.json", movenet, "--show", "--batch", "4")
    pictures = [cv2.imread(str(path)) for path in sorted(video.iterdir())]
    assert len(screen.shown) == 23
    untouched = [(shown == picture).all(2).mean() for shown, picture in zip(screen.shown, pictures, strict=True)]
    others = [(screen.shown[0] == picture).all(2).mean() for picture in pictures[1:]]
    assert min(untouched) > max(others) and max(untouched) < 1  # each has people drawn on its own frame


@pytest.mark.parametrize("key", [ord("q"), 27])
def test_a_key_ends_the_run(
    key: int, video: Path, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    Screen(monkeypatch, key_at=6, key=key)
    track(video, tmp_path / "tracks.json", movenet, "--show")
    assert len(read_poses(tmp_path / "tracks.json")) == 6 and os.listdir(tmp_path) == ["tracks.json"]
    assert threading.active_count() == before


def test_no_screen_is_one_line(
    video: Path, movenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [("NONE", "x", "opencv-python-headless has not"), ("QT5", "", "neither DISPLAY nor WAYLAND_DISPLAY is set")]
    for gui, display, message in cases:
        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            Screen(patch)
            patch.setattr(cv2, "getBuildInformation", lambda gui=gui: f"  GUI:                           {gui}\n")
            patch.setattr(sys, "platform", "linux")
            patch.setenv("DISPLAY", display)
            patch.delenv("WAYLAND_DISPLAY", raising=False)
            track(video, tmp_path / "tracks.json", movenet, "--show")
        assert message in failure(capsys)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
@pytest.mark.skipif(re.search(r"GUI:\s+NONE", cv2.getBuildInformation()) is not None, reason="OpenCV has no windows")
def test_a_screen_that_is_not_there_is_one_line(video: Path, movenet: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks.json"
    command = [sys.executable, "-m", "ptfast", "track", str(video), "-o", str(out), "--weights", str(movenet), *SMALL]
    screens = {"DISPLAY": ":77", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run([*command, "--show"], env=os.environ | screens, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2 and not out.exists()
    assert "--show: no window can be opened here (" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ("import sys; sys.exit('no screen\\nat all')", "no window can be opened here (no screen)"),
        ("import os; os.abort()", "no window can be opened here (OpenCV ended with -6)"),
        ("import time; time.sleep(60)", "no window can be opened here (none within 0.5 s)"),
    ],
)
def test_a_window_is_tried_in_another_process(trial: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "TRIAL", trial)
    monkeypatch.setattr(window, "PATIENCE", 0.5 if "sleep" in trial else 60)
    with pytest.raises(ValueError, match=re.escape(message)):
        window.try_window()


def test_a_method_of_clips_has_nothing_to_show(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Screen(monkeypatch)
    with pytest.raises(SystemExit):
        main(["track", str(video), "-o", str(tmp_path / "a.json"), "--method", "clip-tracking", "--show"])
    assert failure(capsys).endswith(
        "--show is for --method online or detect-and-track or simple-baselines or keytrack, not for clip-tracking"
    )
