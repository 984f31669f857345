"""Sliding windows: every frame once, in order, from the window that has it nearest to its centre."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.pipeline.windows import Segment, frames_to_reread, segments


def video(spec: str) -> list[Frame]:
    """Frames by letters: a and b are two sizes, x could not be decoded."""
    sizes = {"a": (4, 6), "b": (8, 2)}
    return [
        Frame(None if kind == "x" else np.full((*sizes[kind], 3), index, np.uint8), f"{index:06d}.jpg", index)
        for index, kind in enumerate(spec)
    ]


def results(found: list[Segment]) -> list[int]:
    """Indices of the frames that segments have results for."""
    return [segment.frames[index].index for segment in found for index in segment.results]


@pytest.mark.parametrize("length", [1, 3, 5])
@pytest.mark.parametrize("most", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9, 10, 23])
def test_every_frame_comes_once_in_its_centred_window(count: int, most: int, length: int) -> None:
    found = list(segments(video("a" * count), length, most))
    assert results(found) == list(range(count))
    for segment in found:
        assert 1 <= segment.windows <= most
        assert len(segment.frames) == segment.windows + length - 1
        for frame in segment.results:
            window, place = segment.place(frame)
            assert 0 <= window < segment.windows and 0 <= place < length
            assert window + place == frame
            index = segment.frames[frame].index
            if length // 2 <= index < count - length // 2:
                assert place == length // 2


@pytest.mark.parametrize("spec", ["aabb", "axa", "xx", "aaaaaxbbbbb", "xaaab", "abab", "aaax"])
def test_no_window_goes_across_a_cut(spec: str) -> None:
    found = list(segments(video(spec), 3, 4))
    assert results(found) == list(range(len(spec)))
    for segment in found:
        shapes = {None if frame.image is None else frame.image.shape for frame in segment.frames}
        assert len(shapes) == 1
        if segment.frames[0].image is None:
            assert len(segment.frames) == 1


def test_a_short_shot_repeats_its_last_frame() -> None:
    (segment,) = segments(video("aa"), 5, 4)
    assert [frame.index for frame in segment.frames] == [0, 1, 1, 1, 1]
    assert list(segment.results) == [0, 1]


def test_memory_is_that_of_a_segment() -> None:
    taken = 0

    def frames():  # type: ignore[no-untyped-def]
        nonlocal taken
        for frame in video("a" * 50):
            taken += 1
            yield frame

    given = 0
    for segment in segments(frames(), 3, 4):
        given += len(segment.results)
        assert taken - given <= 4 + 3


SIZES = [(4, 4)] * 9 + [(0, 0)] + [(4, 4)] * 30 + [(6, 4)] * 3 + [(4, 4)] * 25


@pytest.mark.parametrize(("length", "most"), [(1, 1), (1, 4), (3, 1), (3, 4), (9, 2), (9, 8)])
def test_reading_again_goes_on_with_the_same_segments(length: int, most: int) -> None:
    """Wherever a video was interrupted, the segments with frames that are missing are those of the whole video."""
    frames = [
        Frame(None if size == (0, 0) else np.zeros((size[1], size[0], 3), np.uint8), "", index)
        for index, size in enumerate(SIZES)
    ]

    def shown(segment: Segment) -> tuple[list[int], list[int]]:
        return [frame.index for frame in segment.frames], [segment.frames[place].index for place in segment.results]

    whole = [shown(segment) for segment in segments(frames, length, most)]
    for done in range(len(SIZES) + 1):
        again = frames_to_reread(SIZES[:done], length, most)
        assert 0 <= again <= done and again <= 3 * most + 2 * length
        parts = [shown(segment) for segment in segments(frames[done - again :], length, most)]
        missing = [part for part in parts if part[1][-1] >= done]
        assert missing == [part for part in whole if part[1][-1] >= done]
        given = [index for _, results in parts for index in results]
        assert given == [*range(done - again, len(SIZES))]


def test_no_window_goes_across_lost_frames_but_single_frames_are_batched() -> None:
    frames = [Frame(np.zeros((2, 2, 3), np.uint8), "", index) for index in (0, 1, 2, 3, 6, 7, 8)]
    numbers = [[frame.index for frame in segment.frames] for segment in segments(frames, 3, 10)]
    assert numbers == [[0, 1, 2, 3], [6, 7, 8]]
    numbers = [[frame.index for frame in segment.frames] for segment in segments(frames, 1, 5)]
    assert numbers == [[0, 1, 2, 3, 6], [7, 8]]
