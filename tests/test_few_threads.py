"""A system that gives no further thread: operations then run on the caller's, with the same results."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ptfast import _native
from ptfast.cli.methods import clip_tracking
from ptfast.tracking._kernels.threads import run_pieces

# Stacks of threads are as large as the stack's limit, and the space of addresses leaves no room for one.
STACK, ROOM = 1 << 30, 1 << 29
CODE = """
import resource, threading
import numpy as np
import ptfast
from ptfast.ops import iou_matrix
from ptfast.tracking.mean_shift import mean_shift

rng = np.random.default_rng(0)
boxes, points = rng.uniform(0, 100, (1500, 4)).astype(np.float32), rng.uniform(0, 100, (20000, 2))
offsets = np.arange(0, 20001, 20)
ptfast.set_num_threads(1)
expected, clusters = iou_matrix(boxes, boxes), mean_shift(points, 9.0, offsets=offsets)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, used + {room}))
try:
    threading.Thread(target=print).start()
    raise SystemExit("the limit did not bind")
except RuntimeError:
    pass
ptfast.set_num_threads(4)
for _ in range(3):
    assert (iou_matrix(boxes, boxes) == expected).all()
    assert (mean_shift(points, 9.0, offsets=offsets).labels == clusters.labels).all()
print(threading.active_count(), "thread")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")
def test_operations_run_on_one_thread_where_no_other_can_be_started() -> None:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", CODE.replace("{room}", str(ROOM))],
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK)),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.stdout.strip() == "1 thread", run.stderr


@pytest.mark.parametrize("given", [0, 1, 2])
def test_pieces_run_on_the_threads_that_there_are(given: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []
    start = Thread.start

    def start_some(thread: Thread) -> None:
        if len(started) == given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(_native, "num_threads", lambda: 4)
    monkeypatch.setattr(Thread, "start", start_some)
    assert run_pieces(lambda i: i * i, [(i,) for i in range(50)]) == [i * i for i in range(50)]
    assert len(started) == given and not any(thread.is_alive() for thread in started)


def test_an_error_in_a_piece_comes_out_once_all_threads_have_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(i: int) -> Any:
        raise RuntimeError(f"piece {i}")

    monkeypatch.setattr(_native, "num_threads", lambda: 3)
    with pytest.raises(RuntimeError, match=r"piece \d"):
        run_pieces(fail, [(i,) for i in range(20)])


def test_a_command_begins_where_no_thread_compiles_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", fail)
    with pytest.raises(ValueError, match="--boxes has the boxes of one video, got 2 videos"):
        clip_tracking.make("weights.pth", "cpu", {"boxes": Path("boxes.txt")}, 2)
