"""Shared parts of the benchmarks: thread counts, the machine's own limits, and the results that are kept.

A run with --benchmark-only writes benchmarks/results/<module>.json for each bench_<module>.py that ran as a whole:
medians and quartiles, with the machine, its measured limits, versions and date beside them. A run of some of a module's
rows (-k, -m, ::) leaves its file as it is, so that all rows of a file come from one run.
"""

from __future__ import annotations

import datetime
import gc
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
    "motmetrics", "msgspec", "orjson", "norfair", "motpy", "supervision", "trackers", "networkx", "opencv-python",
    "scikit-learn", "mmpose", "trackeval",
)  # fmt: skip


MAX_SECONDS, MIN_ROUNDS = "0.4", 3  # of a row's rounds, where its test and the command line do not say


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Rows that take long get fewer rounds than pytest-benchmark's defaults, so that all together take minutes."""
    given = "".join(map(str, config.invocation_params.args))
    if "--benchmark-max-time" not in given:
        config.option.benchmark_max_time = MAX_SECONDS
    if "--benchmark-min-rounds" not in given:
        config.option.benchmark_min_rounds = MIN_ROUNDS


@pytest.fixture(autouse=True)
def unburdened() -> None:
    """Hides what earlier benchmarks left from the garbage collector, which would go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Limits ptfast and torch to so many threads, one unless an indirect parameter asks for more."""
    count = getattr(request, "param", 1)
    ptfast.set_num_threads(count)
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(count)
    yield count
    ptfast.set_num_threads(0)
    if torch:
        torch.set_num_threads(before)


@cache
def limits(threads: int) -> dict[str, float]:
    """The most that this machine does on so many threads: the peaks that `roofline` holds a benchmark against.

    These are the bandwidth of copying by NumPy (bytes read and written, GB/s), 128 MB in memory and 4 MB that stay in
    the last-level cache, the exponentials (G/s) of the native core's probe, and the speed of torch's product of two
    float32 matrices of 1024 x 1024 (GFLOP/s), in which a multiplication and an addition are two flops. Each is the best
    of several tries, as other programs slow some of them.
    """
    import torch

    count, side = 1 << 27, 1024
    matrix, product = torch.rand(side, side), torch.empty(side, side)
    before = _native.num_threads(), torch.get_num_threads()
    ptfast.set_num_threads(threads)
    torch.set_num_threads(threads)
    exponentials = _least_seconds(lambda: _native.core.probe_exp(count))
    products = _least_seconds(lambda: torch.mm(matrix, matrix, out=product))
    ptfast.set_num_threads(before[0])
    torch.set_num_threads(before[1])
    return {
        "copy_gb_per_s": _copy_gb_per_s(1 << 25, 1, threads),
        "cache_copy_gb_per_s": _copy_gb_per_s(1 << 20, 50, threads),
        "exp_g_per_s": count / exponentials / 1e9,
        "matmul_gflop_per_s": 2 * side**3 / products / 1e9,
    }


@pytest.fixture
def roofline(benchmark: Any, threads: int) -> Callable[..., None]:
    """roofline(bytes_moved, flops=None, exponentials=0), after the benchmark ran: how near it came to the peak.

    `bytes_moved`: each input that must be read once and each output once. `flops`: additions, multiplications,
    divisions, comparisons and roots, each one, as few as the result needs; None where a count would be arbitrary. An
    exponential is none of them: it is counted by itself and has a measured peak of its own. Writes "bytes", "flops",
    "exponentials", "bound_s" (the time of whichever of them takes longest at its peak of `limits`) and
    "roofline_share" (bound over median). Bytes that fit the last-level cache lie there after the first round, so that
    the cache's bandwidth is their peak; what fits smaller caches may come faster still.
    """

    def note(bytes_moved: float, flops: float | None = None, exponentials: float = 0) -> None:
        if benchmark.stats is None:
            return  # --benchmark-disable
        peak = limits(threads)
        counts = {"bytes": bytes_moved, "flops": flops, "exponentials": exponentials}
        copy = "cache_copy_gb_per_s" if bytes_moved <= _cache_bytes() else "copy_gb_per_s"
        giga = zip((copy, "matmul_gflop_per_s", "exp_g_per_s"), counts.values(), strict=True)
        bound = max((count or 0) / peak[name] / 1e9 for name, count in giga)
        benchmark.extra_info |= {name: round(count) for name, count in counts.items() if count}
        benchmark.extra_info |= {"bound_s": bound, "roofline_share": bound / benchmark.stats.stats.median}

    return note


def _copy_gb_per_s(numbers: int, times: int, threads: int) -> float:
    """Rate of copying so many float32, over and over so many times within a try."""
    source, target = np.ones(numbers, np.float32), np.empty(numbers, np.float32)
    pieces = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))

    def copy(piece: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(times):
            np.copyto(*piece)

    with ThreadPoolExecutor(threads) as pool:
        return 2 * source.nbytes * times / _least_seconds(lambda: list(pool.map(copy, pieces))) / 1e9


def _cache_bytes() -> int:
    """Size of the last-level cache; 0 where the system (Linux) does not say."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index3/size").read_text().strip()
    except OSError:
        return 0
    return int(size.removesuffix("K")) << 10


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
    return statistics.median(_seconds(function, rounds))


def _least_seconds(function: Callable[[], object]) -> float:
    return min(_seconds(function, 15))


def _seconds(function: Callable[[], object], rounds: int) -> list[float]:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return seconds


def is_partial(config: pytest.Config) -> bool:
    """Returns True if the command line chooses rows within modules."""
    return bool(config.option.keyword or config.option.markexpr or any("::" in str(given) for given in config.args))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the results, a file for each module that ran as a whole."""
    benchmarks = getattr(session.config, "_benchmarksession", None)
    if benchmarks is None or not session.config.getoption("benchmark_only") or is_partial(session.config):
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
