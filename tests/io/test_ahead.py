"""Reading ahead in a thread: order, bounds, errors and ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import open_video
from ptfast.io.ahead import Line, ahead, taken


def counted(made: list[int], count: int = 100) -> Generator[int]:
    for number in range(count):
        made.append(number)
        yield number


def wait_until(true: object) -> None:
    end = time.monotonic() + 10
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


def test_items_come_in_order_and_at_most_so_many_wait() -> None:
    made: list[int] = []
    items = ahead(counted(made), 3)
    assert next(items) == 0
    wait_until(lambda: len(made) == 5)  # one taken, three waiting, one to be put
    time.sleep(0.05)
    assert len(made) == 5
    assert list(items) == [*range(1, 100)]


def test_they_are_made_in_another_thread() -> None:
    def items() -> Generator[int]:
        yield threading.get_ident()

    assert list(ahead(items(), 1)) != [threading.get_ident()]


def test_an_error_is_raised_in_its_turn() -> None:
    def items() -> Generator[int]:
        yield 1
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(ahead(items(), 5))
    found = []
    items_ahead = ahead(items(), 5)
    found.append(next(items_ahead))
    with pytest.raises(ValueError, match="broken"):
        next(items_ahead)
    assert found == [1]


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_generator_is_closed_in_its_thread_when_the_consumer_stops(interrupted: bool) -> None:
    closed: list[int] = []

    def items() -> Generator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(threading.get_ident())

    before = threading.active_count()
    taken_ahead = ahead(items(), 2)
    next(taken_ahead)
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            taken_ahead.throw(KeyboardInterrupt)
    else:
        taken_ahead.close()
    assert len(closed) == 1 and closed != [threading.get_ident()] and threading.active_count() == before


def test_an_item_that_does_not_come_is_not_waited_for_too_long() -> None:
    gate = threading.Event()

    def items() -> Generator[int]:
        yield 0
        gate.wait()
        yield 1

    before = threading.active_count()
    found = taken(items(), Line(2), 0.05)
    next(found)
    started = time.monotonic()
    found.close()
    assert time.monotonic() - started < 5
    gate.set()
    wait_until(lambda: threading.active_count() <= before)  # later tests count threads


def test_a_line_that_drops_keeps_the_newest() -> None:
    line = Line[int](3, drops=True)
    for number in range(10):
        assert line.put(number)
    line.end()
    assert list(line) == [7, 8, 9] and line.dropped == 7


def test_a_video_that_is_read_ahead_gives_the_same(tmp_path: Path) -> None:
    images = [np.full((4, 4, 3), index, np.uint8) for index in range(9)]
    images[4] = None  # type: ignore[call-overload]
    with pytest.warns(UserWarning, match=r"frame 000004\.jpg could not be decoded"):
        frames = list(open_video(images, ahead=2))
    assert [frame.index for frame in frames] == [*range(9)] and frames[4].image is None
    assert all(frame.image is images[frame.index] for frame in frames)


def test_a_loop_that_stops_leaves_no_thread() -> None:
    before = threading.active_count()
    with open_video([np.zeros((4, 4, 3), np.uint8)] * 50, ahead=2) as video:
        for frame in video:
            if frame.index == 3:
                break
    assert threading.active_count() == before


def test_python_ends_in_order_while_a_thread_decodes(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (1280, 960))
    noise = np.random.default_rng(0).integers(0, 256, (960, 1280, 3), np.uint8)
    for _ in range(40):
        writer.write(noise)
    writer.release()
    script = "import sys, ptfast; frames = iter(ptfast.io.open_video(sys.argv[1], ahead=100)); next(frames)"
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.avi")], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("first", "limit", "expected"), [(0, 3, [0, 1, 2]), (2, 3, [2]), (3, 3, []), (0, 20, [0, 1, 2, 3, 4])]
)
def test_a_limit_counts_from_the_first_frame_of_the_video(first: int, limit: int, expected: list[int]) -> None:
    watched: list[int] = []
    images = [np.zeros((4, 4, 3), np.uint8)] * 5
    video = open_video(images, first=first, limit=limit, watch=lambda frame: watched.append(frame.index))
    assert [frame.index for frame in video] == watched == expected


@pytest.mark.parametrize(("setting", "value"), [("limit", 0), ("ahead", -1), ("first", -1)])
def test_numbers_out_of_range_are_named(setting: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{setting} must be between"):
        open_video([], **{setting: value})  # type: ignore[arg-type]
