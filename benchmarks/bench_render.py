"""Frames of synthetic video, drawn in one process and in two that send them back, as training draws them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest

from ptfast.synthetic import Film, render

FRAMES, PROCESSES, SEED = 64, 2, 1_000
DEMANDED = 200  # frames a second at 256x256 by two processes


def film(blur: int) -> Film:
    """Six people, scenery, and a camera that moves."""
    return render(SEED, frames=FRAMES, size=(256, 256), people=6, pan=5.0, shake=0.2, scenery=3, blur=blur)


@pytest.fixture
def apply(processes: int) -> Iterator[Callable]:
    """The map of so many processes, each with one thread; one process is this one."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    if processes == 1:
        yield lambda function, items: list(map(function, items))
    else:
        # What workers import is the package's alone: they cannot import this file.
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, spawning, cv2.setNumThreads, (1,)) as pool:
            yield lambda function, items: list(pool.map(function, items, chunksize=len(items) // processes))
    cv2.setNumThreads(before)


@pytest.mark.parametrize("processes", [1, PROCESSES])
@pytest.mark.parametrize("blur", [1, 2])
def test_render(benchmark: Any, blur: int, processes: int, apply: Callable) -> None:
    drawn = film(blur)
    assert np.array_equal(apply(drawn.image, range(FRAMES)), list(drawn))
    benchmark.group = "render"
    benchmark.extra_info |= {"size": "256x256", "people": 6, "blur": blur, "processes": processes}
    benchmark.pedantic(apply, (drawn.image, range(FRAMES)), rounds=5)
    if benchmark.stats is None:
        return  # --benchmark-disable
    rate = FRAMES / benchmark.stats.stats.median
    benchmark.extra_info["frames_per_second"] = rate
    assert rate >= DEMANDED or (blur, processes) != (1, PROCESSES)
