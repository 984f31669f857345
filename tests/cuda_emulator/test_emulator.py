"""The emulator computes what CUDA computes, and says where a kernel is wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ptfast import _native
from ptfast._native import address

THREADS = 64


@pytest.fixture
def probe(emulator):
    """The emulator's probes, with threads in their own order."""
    emulator.control.set_order("forward")
    yield emulator.control
    emulator.control.set_order("forward")


@pytest.mark.parametrize("order", ["forward", "reverse", "shuffled"])
@pytest.mark.parametrize("n", [1, 255, 256, 10_007])
def test_a_block_adds_its_numbers_in_shared_memory(probe, n: int, order: str) -> None:
    numbers, total = np.random.default_rng(n).integers(0, 9, n).astype(np.float32), np.zeros(1, np.float32)
    probe.set_order(order, seed=3)
    assert probe.probe_sum(address(numbers), n, address(total)) == 0
    assert total == numbers.sum()


def test_a_missing_barrier_shows_in_another_order(probe) -> None:
    numbers, results = np.arange(THREADS, dtype=np.float32), np.zeros((2, 2, THREADS), np.float32)
    for i, order in enumerate(("forward", "reverse")):
        for barrier in (0, 1):
            probe.set_order(order)
            assert probe.probe_neighbour(address(numbers), THREADS, bool(barrier), address(results[barrier, i])) == 0
    assert (results[1] == np.roll(numbers, -1)).all()
    assert np.isnan(results[0, 0, :-1]).all() and np.isnan(results[0, 1, -1])  # what nobody has written yet
    assert (results[0, 0] != results[0, 1]).any()


@pytest.mark.parametrize("integer", [False, True])
def test_shared_memory_that_no_thread_of_the_block_wrote_is_garbage(probe, integer: bool) -> None:
    found = np.zeros((3, 2), np.float32)
    assert probe.probe_unwritten(integer, 3, address(found)) == 0
    assert (found[:, 0] == -1).all() if integer else np.isnan(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()


def test_memory_beyond_what_was_asked_for_is_an_error(probe) -> None:
    assert probe.probe_overrun(64, 256) == 0
    with pytest.raises(RuntimeError, match="wrote outside the 252 bytes of dynamic shared memory"):
        probe.probe_overrun(64, 252)
    assert probe.probe_overrun(1, 48 << 10) == 0
    assert probe.probe_overrun(1, (48 << 10) + 4) == 1  # invalid value: a kernel must ask for so much
    assert probe.probe_shared_limit(64 << 10) == 0
    assert probe.probe_shared_limit((64 << 10) + 4) == 1
    assert probe.probe_overrun(1025, 8192) == 9  # invalid configuration


def expected_of_warp(x: np.ndarray) -> list[np.ndarray]:
    """probe_warp's rows for one warp."""
    lane = np.arange(32)
    inside_up, inside_down = lane % 8 >= 3, lane % 8 < 5
    return [
        np.full(32, x[5]),
        x[lane // 8 * 8 + 1],
        x[np.where(lane >= 3, lane - 3, lane)],
        x[np.where(inside_up, lane - 3, lane)],
        x[np.where(lane < 29, lane + 3, lane)],
        x[np.where(inside_down, lane + 3, lane)],
        x[lane ^ 6],
        np.full(32, (x > 100).sum()),
    ]


@pytest.mark.parametrize("order", ["forward", "reverse", "shuffled"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_warps_shuffle_and_vote(probe, dtype: str, order: str) -> None:
    x = np.random.default_rng(0).permutation(200)[:THREADS].astype(dtype)
    out = np.zeros((12, THREADS), dtype)
    probe.set_order(order, seed=1)
    assert getattr(probe, f"probe_warp_{dtype}")(address(x), THREADS, address(out)) == 0
    for first in (0, 32):
        warp, high = x[first : first + 32], x[first : first + 32] > 100
        rows = expected_of_warp(warp)
        rows += [np.full(32, (warp == x[7]).any()), np.full(32, (warp >= x[0]).all())]
        rows += [np.where(high, high.argmax(), high.argmin()) + 1]
        rows += [np.where(np.arange(32) < 16, 120, 31)]  # the sum of the lower half's lanes, the highest of the upper's
        np.testing.assert_array_equal(out[:, first : first + 32], np.array(rows).astype(dtype))


@pytest.mark.parametrize("values", [[0] * 64, [1] * 64, [0, 2] * 32])
def test_barriers_count_predicates(probe, values: list[int]) -> None:
    numbers, out = np.array(values, np.int32), np.zeros((THREADS, 3), np.int32)
    assert probe.probe_barriers(address(numbers), THREADS, address(out)) == 0
    assert (out == [max(values) > 0, min(values) > 0, sum(value > 0 for value in values)]).all()


def test_each_thread_of_a_grid_runs_once_in_its_place(probe) -> None:
    for order in ("forward", "reverse", "shuffled"):
        out = np.zeros((12, 24), np.int32)
        probe.set_order(order)
        assert probe.probe_places(address(out)) == 0
        np.testing.assert_array_equal(out, 100 * np.arange(12)[:, None] + np.arange(24))


@pytest.mark.parametrize(
    ("kind", "threads", "message"),
    [
        (0, 32, r"16 threads, the first is 16, at __shfl_sync \(\S*probes\.cu:\d+, mask 0xffffffff\); 16 of 32"),
        (1, 32, r"16 threads, the first is 0, at __syncwarp \(.*; 16 threads, the first is 16, at __shfl_sync"),
        (2, 64, r"16 threads, the first is 0, at __syncthreads \(.* 16 threads, the first is 16, at __shfl_sync"),
        (0, 33, r"1 thread, 32, at __shfl_sync"),
        (3, 33, r"1 thread, 32, at __shfl_sync"),
        (4, 32, r"thread 0 calls __shfl_sync \(\S*probes\.cu:\d+\) with mask 0xfffe, which does not name its lane"),
    ],
)  # fmt: skip
def test_threads_that_wait_for_others_in_vain_are_an_error(probe, kind: int, threads: int, message: str) -> None:
    out = np.zeros(threads, np.int32)
    with pytest.raises(RuntimeError, match=message):
        probe.probe_broken(kind, threads, address(out))
    assert probe.probe_overrun(64, 256) == 0  # the next kernel runs as if nothing had been


def test_a_launch_that_fails_is_named(emulated_cuda) -> None:
    _native.check_status("oks_matrix", 0)
    with pytest.raises(RuntimeError, match="oks_matrix failed on the GPU: invalid configuration argument"):
        _native.check_status("oks_matrix", 9)


def test_orders_have_names(probe) -> None:
    with pytest.raises(ValueError, match=re.escape("order must be forward, reverse or shuffled, got random")):
        probe.set_order("random")
