"""Time and memory of long videos: linear in their frames, as the papers claim, and what a stream holds is constant.

`pytest benchmarks/bench_linear_time.py --benchmark-only` spends some seconds on each subject and number of people;
PTFAST_LINEAR_SECONDS=60 spends a minute. long_videos.py has the subjects. `python benchmarks/make_tables.py` puts
benchmarks/results/linear_time.json and its plot into docs/long-videos.md.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from long_videos import PACKAGES, SUBJECTS, linked
from peers import peer

from ptfast.synthetic import crowd

SECONDS = float(os.environ.get("PTFAST_LINEAR_SECONDS", "4"))
OURS = [name for name, (*_, peer_of) in SUBJECTS.items() if not peer_of]
PEERS = [name for name in SUBJECTS if name not in OURS]
STREAMS = {"link online", "link by scores online, stub network", "track, stub network", "track with flow, stub network"}
PEOPLE = (5, 20, 100)
LOOKBACKS = (1, 2, 4, 8, 16, 32)
MEGABYTE = 2**20


def measured(subject: str, people: int) -> list[dict]:
    """The rows of a subject, in a process of its own."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's peak of memory")
    script = Path(__file__).with_name("long_videos.py")
    call = [sys.executable, "-W", "ignore", str(script), subject, str(people), str(SECONDS)]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def slope(rows: list[dict], key: str) -> float:
    """The exponent of a power of the frames, fitted to the longer half of the videos, but three at least."""
    chosen = rows[-max(3, (len(rows) + 1) // 2) :]
    return float(np.polyfit(np.log([row["frames"] for row in chosen]), np.log([row[key] for row in chosen]), 1)[0])


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("subject", OURS)
def test_linear(benchmark: Any, subject: str, people: int) -> None:
    """Work that the native core counts is proportional to the frames; processor time is, within generous bounds."""
    rows = benchmark.pedantic(measured, args=(subject, people), rounds=1)
    benchmark.group = f"{subject}, {people} people"
    benchmark.extra_info |= {"subject": subject, "people": people, "rows": rows}
    if len(rows) >= 3:
        benchmark.extra_info |= {"slope": round(slope(rows, "cpu_seconds"), 3)}
        assert 0.75 < slope(rows, "cpu_seconds") < 1.25
        if "pairs" in rows[0]:
            assert 0.99 < slope(rows, "pairs") < 1.01
    if subject == "link":
        assert rows[-1]["peak_bytes"] < SUBJECTS[subject][2] * people * rows[-1]["frames"]  # beside its input
    if subject in STREAMS and len(rows) >= 2:
        # What the allocator keeps varies by tens of megabytes; the frames alone would be gigabytes.
        assert rows[-1]["peak_bytes"] < rows[0]["peak_bytes"] + 48 * MEGABYTE


@pytest.mark.benchmark(group="memory of streams")
@pytest.mark.parametrize("subject", sorted(STREAMS))
def test_streams_hold_no_more_of_a_longer_video(benchmark: Any, subject: str) -> None:
    """The most that Python and NumPy hold at a time beside the input, as they count it themselves."""
    make, run, *_ = SUBJECTS[subject]
    also = (20,) if subject.startswith("track") else ()
    run(make(500, 20), *also)
    peaks = {}
    for frames in (500, 2_000):
        given = make(frames, 20)
        tracemalloc.start()
        run(given, *also)
        peaks[frames] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    benchmark.extra_info |= {"peak_bytes": {str(frames): peak for frames, peak in peaks.items()}}
    benchmark.pedantic(lambda given: run(given, *also), setup=lambda: ((make(500, 20),), {}), rounds=3)
    assert peaks[2_000] < 1.1 * peaks[500] + 100_000


@pytest.mark.parametrize("subject", PEERS)
def test_peer(benchmark: Any, subject: str) -> None:
    if subject in PACKAGES:
        peer(PACKAGES[subject])
    rows = benchmark.pedantic(measured, args=(subject, 20), rounds=1)
    benchmark.group = f"{subject}, 20 people"
    benchmark.extra_info |= {"subject": subject, "people": 20, "peer_of": SUBJECTS[subject][3], "rows": rows}


@pytest.mark.benchmark(group="linking, against the lookback")
def test_lookback(benchmark: Any) -> None:
    """A larger lookback compares more pairs only where somebody is missing, so 20 % of the people are, at random."""
    poses = crowd(0, frames=5_000, people=20)
    poses = poses.select(np.random.default_rng(0).random(len(poses.scores)) < 0.8)
    rows = []
    for lookback in LOOKBACKS:
        seconds = []
        for _ in range(3):
            started = time.process_time()
            counts = linked(poses, lookback)
            seconds.append(time.process_time() - started)
        rows.append({"lookback": lookback, "seconds": float(np.median(seconds)), **counts})
    benchmark.extra_info |= {"rows": rows}
    benchmark.pedantic(linked, args=(poses, 4), rounds=3)
    pairs = [row["pairs"] for row in rows]
    assert all(later <= 2.1 * earlier for earlier, later in itertools.pairwise(pairs))
