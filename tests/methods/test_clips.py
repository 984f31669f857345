"""Which frames are key frames, and what a detector is shown of a shot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods.clip_tracking.clips import key_frames
from ptfast.pipeline.windows import segments, without_padding

PICTURE = np.zeros((4, 4, 3), np.uint8)


def frames(shots: Sequence[range]) -> list[Frame]:
    """Frames of shots; between two of them is one that could not be decoded."""
    last = shots[-1].stop
    held = {index for shot in shots for index in shot}
    return [Frame(PICTURE if i in held else None, str(i), i, None) for i in range(last)]


def keys(shots: Sequence[range], step: int, length: int = 9, batch: int = 8) -> list[int]:
    found = []
    for segment in segments(frames(shots), length, batch):
        shown = without_padding(segment)
        found += [shown[place].index for place in key_frames(segment, step, length // 2)]
    return found


@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("length", [1, 4, 5, 9, 14, 40])
@pytest.mark.parametrize("first", [0, 1, 7, 18])
def test_every_frame_is_in_some_clip_of_its_shot(first: int, length: int, step: int) -> None:
    shot = range(first, first + length)
    found = keys([shot], step)
    assert found == sorted(set(found)) and set(found) <= set(shot)
    assert {index for index in shot if index % step == 0} <= set(found)
    assert all(min(abs(index - key) for key in found) <= 4 for index in shot)


def test_frames_that_the_step_divides_are_enough_where_they_reach_the_ends() -> None:
    assert keys([range(40)], 4) == [*range(0, 40, 4)]
    assert keys([range(15)], 8) == [0, 8, 14]
    assert keys([range(17), range(18, 23)], 8) == [0, 8, 16, 18]


def test_padding_is_not_shown() -> None:
    [segment] = segments(frames([range(5)]), 9, 8)
    assert len(segment.frames) == 9
    assert [frame.index for frame in without_padding(segment)] == [0, 1, 2, 3, 4]
