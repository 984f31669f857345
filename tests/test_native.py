"""The thread pool behind every native operation."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import ptfast
from ptfast import _native
from ptfast.ops import iou_matrix

BOXES = np.random.default_rng(0).uniform(0, 100, (1500, 4)).astype(np.float32)  # enough work for the pool


@pytest.fixture(autouse=True)
def restore_threads():
    yield
    ptfast.set_num_threads(0)


def run(code: str, **environment: str) -> str:
    """Runs Python code in a process of its own and returns what it prints; a pool that hangs fails by time."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_number_of_threads_can_be_set_and_restored() -> None:
    default = _native.num_threads()
    assert default >= 1
    ptfast.set_num_threads(3)
    assert _native.num_threads() == 3
    ptfast.set_num_threads(0)
    assert _native.num_threads() == default
    with pytest.raises(ValueError, match="count must be at least 0, got -1"):
        ptfast.set_num_threads(-1)


@pytest.mark.parametrize("setting", ["3", "0", "-2", "many"])
def test_the_environment_sets_the_default_where_it_makes_sense(setting: str) -> None:
    found = run("from ptfast import _native; print(_native.num_threads())", PTFAST_NUM_THREADS=setting)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert int(found) == (3 if setting == "3" else allowed)


@pytest.mark.parametrize("threads", [2, 3])
def test_an_error_in_the_pool_comes_out_of_the_call(emulator: Any, threads: int) -> None:
    for _ in range(20):
        with pytest.raises(RuntimeError, match="from the pool"):
            emulator.control.throw_in_pool(threads)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs fork and Linux's list of threads")
def test_a_child_forked_while_the_pool_works_gets_a_pool_of_its_own() -> None:
    code = """
import os, signal, threading, time
import numpy as np
import ptfast
from ptfast.ops import iou_matrix

def keep_busy():
    while not done:
        iou_matrix(boxes, boxes)

ptfast.set_num_threads(3)
boxes = np.random.default_rng(0).uniform(0, 100, (1500, 4)).astype(np.float32)
expected, done, codes = iou_matrix(boxes, boxes), False, []
threading.Thread(target=keep_busy).start()
for _ in range(5):
    time.sleep(0.003)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a child that hangs must not outlive the test
        right = (iou_matrix(boxes, boxes) == expected).all()
        os._exit(0 if right and len(os.listdir('/proc/self/task')) == 3 else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done = True
print(codes)
"""
    assert run(code) == "[0, 0, 0, 0, 0]"


def test_calls_from_several_python_threads_at_once_are_right() -> None:
    ptfast.set_num_threads(2)
    expected = iou_matrix(BOXES, BOXES)
    with ThreadPoolExecutor(4) as executor:
        for result in executor.map(lambda _: iou_matrix(BOXES, BOXES), range(12)):
            np.testing.assert_array_equal(result, expected)


def test_a_build_without_kernels_says_how_to_get_them() -> None:
    if _native.with_cuda:
        pytest.skip("this build has CUDA kernels")
    with pytest.raises(RuntimeError, match=r"oks_matrix got a CUDA tensor, .* `PTFAST_CUDA=ON pip install"):
        _native.cuda("oks_matrix", "float32")


def test_addresses_are_those_of_contiguous_arrays_alone() -> None:
    array = np.zeros((3, 4), np.float32)
    assert _native.address(array[1:]) == _native.address(array) + 16
    assert _native.address(None) == 0
    with pytest.raises(ValueError, match="contiguous"):
        _native.address(array[:, ::2])
