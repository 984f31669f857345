"""What every benchmark shares: thread counts, the machine's own limits, and the results that are kept.

A run with --benchmark-only writes benchmarks/results/<module>.json for each bench_<module>.py that ran: medians and
quartiles, with the machine, its measured limits, versions and date beside them.
"""

from __future__ import annotations

import datetime
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ptfast
from ptfast import _native

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "ptfast", "numpy", "scipy", "torch", "torchvision", "ultralytics", "pycocotools", "faster-coco-eval", "lapx", "lap",
    "motmetrics", "orjson", "norfair", "motpy", "supervision", "opencv-python", "scikit-learn", "mmpose", "trackeval",
)  # fmt: skip


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Limits ptfast and torch to so many threads; use with indirect parametrisation."""
    ptfast.set_num_threads(request.param)
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(request.param)
    yield request.param
    ptfast.set_num_threads(0)
    if torch:
        torch.set_num_threads(before)


@cache
def limits(threads: int) -> dict[str, float]:
    """Copy bandwidth (bytes read and written, GB/s) and exponentials (G/s) of this machine on so many threads."""
    source, target = np.ones(1 << 25, np.float32), np.empty(1 << 25, np.float32)
    pieces = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        copying = _median_seconds(lambda: list(pool.map(lambda piece: np.copyto(*piece), pieces)))
    count = 1 << 27
    before = _native.num_threads()
    ptfast.set_num_threads(threads)
    exponentials = _median_seconds(lambda: _native.core.probe_exp(count))
    ptfast.set_num_threads(before)
    return {"copy_gb_per_s": 2 * source.nbytes / copying / 1e9, "exp_g_per_s": count / exponentials / 1e9}


@pytest.fixture
def bound_seconds(threads: int) -> Callable[[float, float], float]:
    """The least time that so many bytes and exponentials take on this machine: whichever takes longer."""
    machine = limits(threads)
    return lambda moved, exponentials: max(
        moved / machine["copy_gb_per_s"] / 1e9, exponentials / machine["exp_g_per_s"] / 1e9
    )


@pytest.fixture(scope="session")
def median_seconds() -> Callable[..., float]:
    """median_seconds(function, rounds=7), after a first call that does not count unless there is to be one alone."""
    return _median_seconds


@pytest.fixture
def held_against(benchmark: Any) -> Callable[..., None]:
    """held_against(peer_seconds, at_least=0, **notes): keeps a peer's time beside ours, and demands a ratio."""

    def note(peer_seconds: float, at_least: float = 0, **notes: object) -> None:
        if benchmark.stats is None:
            return  # --benchmark-disable
        ratio = peer_seconds / benchmark.stats.stats.median
        benchmark.extra_info |= {**notes, "peer_seconds": peer_seconds, "times_as_fast": ratio}
        assert ratio >= at_least

    return note


def _median_seconds(function: Callable[[], object], rounds: int = 7) -> float:
    if rounds > 1:
        function()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the results, a file for each module that ran."""
    benchmarks = getattr(session.config, "_benchmarksession", None)
    if benchmarks is None or not session.config.getoption("benchmark_only"):
        return
    modules: dict[str, list[dict]] = {}
    for benchmark in benchmarks.benchmarks:
        if not benchmark.has_error and benchmark.stats.data:
            modules.setdefault(Path(benchmark.fullname.split("::")[0]).stem, []).append(_row(benchmark))
    for module, rows in modules.items():
        path = RESULTS / f"{module.removeprefix('bench_')}.json"
        path.write_text(json.dumps(machine() | {"rows": rows}, indent=1) + "\n")


def _row(benchmark: object) -> dict:
    stats = benchmark.stats
    return {
        "group": benchmark.group,
        "name": benchmark.name,
        "median_s": stats.median,
        "quartiles_s": [stats.q1, stats.q3],
        "rounds": stats.rounds,
        **benchmark.extra_info,
    }


def machine() -> dict:
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "instruction_set": _native.core.instruction_set,
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "limits": {f"{count} thread{'s' * (count > 1)}": limits(count) for count in (1, 2)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
