"""Live sources: pipes, streams that break off, cameras; what is dropped, and how they are named."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import live, open_video
from ptfast.io.live import Pipe, Stream, is_live, live_label, live_name
from ptfast.io.video import Reading, Video

from ..streams import Camera, number_of, piped, y4m

cv2 = pytest.importorskip("cv2")


def video_of(reader: live.Reader, **reading: int) -> Video:
    return Video("video", "video", reader, None, Reading(**reading))


@pytest.mark.parametrize(
    ("source", "name", "label"),
    [
        ("0", "camera0", "camera 0"),
        ("12", "camera12", "camera 12"),
        ("-", "stdin", "standard input"),
        ("rtsp://user:secret@cam.local:554/stream/1?key=2", "cam.local-554-stream-1", "rtsp://cam.local:554/stream/1"),
        ("HTTP://10.0.0.2/video.mjpg", "10.0.0.2-video.mjpg", "http://10.0.0.2/video.mjpg"),
        ("udp://@:1234", "1234", "udp://:1234"),
    ],
)
def test_live_sources_have_names_without_secrets(source: str, name: str, label: str) -> None:
    assert is_live(source) and (live_name(source), live_label(source)) == (name, label)


def test_files_and_folders_of_such_names_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_live("0") and not is_live(Path("0"))
    (tmp_path / "0").mkdir()
    assert not is_live("0") and is_live("1")
    assert not any(map(is_live, ("walk.mp4", "12345", "0.mp4", "c:/walk.mp4", "http:/walk.mp4", "ftp://a/b", "")))


def test_a_pipe_gives_all_frames_however_slowly_they_are_taken() -> None:
    with piped(y4m(range(20))) as descriptor:
        video = video_of(Pipe(descriptor))
        numbers = []
        for frame in video:
            time.sleep(0.005)
            assert frame.image is not None
            numbers.append((frame.index, number_of(frame.image), frame.time))
    assert numbers == [(index, index, pytest.approx(index / 25)) for index in range(20)]
    assert (video.fps, video.length, video.live, video.dropped) == (25, None, False, 0)
    assert list(video) == []  # what came has gone


def test_a_pipe_from_a_frame_on_up_to_another() -> None:
    with piped(y4m(range(20))) as descriptor:
        frames = list(video_of(Pipe(descriptor), first=3, limit=6))
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(3, 3), (4, 4), (5, 5)]  # type: ignore[arg-type]


@pytest.mark.parametrize("container", ["matroska", "mpegts"])
def test_containers_come_through_a_pipe(container: str, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "video"
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("mpeg2video" if container == "mpegts" else "mjpeg", rate=25)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuv420p" if container == "mpegts" else "yuvj420p"
        for number in range(20):
            picture = np.full((48, 64, 3), 10 * number, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    with piped(path.read_bytes()) as descriptor:
        frames = list(video_of(Pipe(descriptor)))
    assert [number_of(frame.image) for frame in frames] == [*range(20)]  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_pipe_without_video_is_named(content: bytes) -> None:
    with piped(content) as descriptor, pytest.raises(ValueError, match=r"expected video in Y4M, Matroska or MPEG-TS"):
        Pipe(descriptor)


def test_a_stream_that_is_followed_loses_nothing_and_ends_in_words() -> None:
    with Camera([range(20)], wait=0.02).served() as address:
        video = video_of(Stream(address, waits=(0.01, 0.02)))
        with pytest.warns(UserWarning, match=r"ended before frame 20; 2 tries to connect again in 0\.03 s failed"):
            frames = list(video)
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(n, n) for n in range(20)]  # type: ignore[arg-type]
    times = [frame.time for frame in frames]
    assert video.live and video.dropped == 0 and times == sorted(times) and times[-1] >= 19 * 0.015  # type: ignore[operator]


def test_frames_are_dropped_and_counted_where_they_are_taken_slowly() -> None:
    with Camera([range(25)], wait=0.005).served() as address:
        video = video_of(Stream(address, waits=()))
        found = []
        with pytest.warns(UserWarning, match="ended before frame 25$"):
            for frame in video:
                found.append((frame.index, number_of(frame.image)))  # type: ignore[arg-type]
                if frame.index == 0:
                    time.sleep(1)  # all others come meanwhile
    assert found == [(n, n) for n in (0, 21, 22, 23, 24)]
    assert video.dropped == 20


def test_a_stream_that_breaks_off_is_connected_to_again_after_a_gap() -> None:
    with Camera([range(8), range(10, 18)], wait=0.02).served() as address:
        reader = Stream(address, waits=(0.2, 0.01))
        reader.fps = 25.0
        with (
            pytest.warns(UserWarning, match="ended before"),
            pytest.warns(UserWarning, match=r"broke off before frame 8; there again \d\.\d s later, with frame \d+"),
        ):
            frames = list(video_of(reader))
    found = [(frame.index, number_of(frame.image)) for frame in frames]  # type: ignore[arg-type]
    gap = found[8][0] - 8
    assert found == [(n, n) for n in range(8)] + [(8 + gap + n, 10 + n) for n in range(8)]
    assert 5 <= gap <= 50  # 0.2 s and some more, 25 frames a second


def test_a_stream_is_left_while_nothing_comes() -> None:
    with Camera([range(4)], hold=3.0).served() as address:
        started, before = time.monotonic(), threading.active_count()
        with video_of(Stream(address), limit=3) as video:
            assert [frame.index for frame in video] == [0, 1, 2]
        assert time.monotonic() - started < 2.9
    assert threading.active_count() <= before + 2  # the server's, and one that waits for its frame


def test_a_break_is_not_waited_for_when_the_loop_ends() -> None:
    with Camera([range(4)]).served() as address:
        started = time.monotonic()
        with video_of(Stream(address, waits=(30.0,))) as video:
            for frame in video:
                if frame.index == 3:
                    time.sleep(0.2)
                    break
        assert time.monotonic() - started < 10


def test_a_file_behind_an_address_is_read_as_a_file(tmp_path: Path) -> None:
    import http.server
    from functools import partial

    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(20):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with open_video(f"http://127.0.0.1:{server.server_port}/a.avi") as video:
            numbers = []
            for frame in video:
                time.sleep(0.005)
                numbers.append(number_of(frame.image))  # type: ignore[arg-type]
        server.shutdown()
    assert numbers == [*range(20)] and (video.length, video.live, video.dropped) == (20, False, 0)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("http://user:secret@127.0.0.1:9/a", r"^http://127\.0\.0\.1:9/a: expected a video stream that OpenCV can open"),
        ("rtsp://127.0.0.1:9/a", r"^rtsp://127\.0\.0\.1:9/a: expected a video stream"),
        ("9999", r"^camera 9999: expected a camera that OpenCV can open, found none$"),
    ],
)
def test_what_cannot_be_opened_is_named(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_video(source)


def test_a_camera_that_gives_no_more_frames_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Captured:
        """A camera that is unplugged after three frames."""

        left = 3

        def __init__(self, source: int) -> None:
            assert source == 7

        def isOpened(self) -> bool:
            return True

        def grab(self) -> bool:
            self.left -= 1
            return self.left >= 0

        def retrieve(self) -> tuple[bool, np.ndarray]:
            return True, np.full((4, 4, 3), (1, 2, 3), np.uint8)  # blue, green, red

        def get(self, name: int) -> float:
            return 30.0 if name == cv2.CAP_PROP_FPS else 0.0

        def release(self) -> None:
            self.left = 0

    monkeypatch.setattr(cv2, "VideoCapture", Captured)
    with pytest.warns(UserWarning, match="^camera 7: ended before frame 3$"):
        video = open_video("7")
        frames = list(video)
    assert [frame.index for frame in frames] == [0, 1, 2] and video.fps == 30.0 and video.name == "camera7"
    assert frames[0].image is not None and frames[0].image[0, 0].tolist() == [3, 2, 1]
