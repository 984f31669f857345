"""The Numba kernels: compilation ahead of time and without a cache, memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ptfast


def run(script: str, **environment: str) -> str:
    """Output of a script in a process of its own."""
    environment = os.environ | environment
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def test_warming_up_loads_every_kernel() -> None:
    folder = Path(ptfast.__file__).parent / "tracking" / "_kernels"
    sources = [path for path in folder.glob("*.py") if "\n@kernel(" in path.read_text()]
    kernels = {f"ptfast.tracking._kernels.{path.stem}" for path in sources}
    loaded = run("import sys; from ptfast.tracking import warm_up; assert warm_up() > 0; print(*sys.modules)")
    assert kernels and kernels <= set(loaded.split())


def test_a_kernel_that_cannot_be_cached_is_compiled_all_the_same() -> None:
    from ptfast.tracking._kernels.compiling import integer, kernel

    namespace: dict = {}
    exec(compile("def double(x):\n    return 2 * x\n", "<a file that is not there>", "exec"), namespace)
    assert kernel(integer)(namespace["double"])(21) == 42


def test_kernels_free_all_arrays_that_they_make() -> None:
    """Parts of kernels count no references to arrays, so a mistake there would leak or free twice."""
    script = """
import numpy as np
from numba.core.runtime import rtsys
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Tracklets
from ptfast.tracking import cheapest_path, mean_shift, merge_hypotheses
from ptfast.tracking.seeded_mean_shift import shift_seeds

rng = np.random.default_rng(0)
points = rng.uniform(0, 100, (300, 2))
mean_shift(points, 20.0, offsets=[0, 9, 50, 300])
shift_seeds(points, points[:50], 20.0)
for method in ("viterbi", "dijkstra"):
    cheapest_path(points, np.arange(0, 301, 3), sizes=np.ones(300), method=method)
    for merge in ("spatiotemporal", "temporal"):
        keypoints = rng.normal(0, 50, (20, 5, 15, 2))
        tracklets = Tracklets(keypoints, np.ones((20, 5, 15)), np.arange(20) // 2, POSETRACK_15)
        merge_hypotheses(tracklets, np.arange(20) % 2, merge=merge, method=method)
done = rtsys.get_allocation_stats()
assert done.alloc > 50
print(done.alloc - done.free, done.mi_alloc - done.mi_free)
"""
    assert run(script, NUMBA_NRT_STATS="1").split() == ["0", "0"]
