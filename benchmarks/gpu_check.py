"""One command for a machine with an NVIDIA GPU: `python benchmarks/gpu_check.py`.

Builds ptfast's CUDA kernels for the GPU at hand, runs the tests that need one, then times every kernel beside plain
torch, and torchvision where it is installed, after checking that the results agree. Writes
benchmarks/results/<device>.json with the device's measured copy bandwidth, each kernel's share of its bound, versions
and date.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("ptfast", "torch", "torchvision", "numpy")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-build", action="store_true", help="measure the ptfast that is installed")
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        return fail("torch is not installed here: pip install torch, with CUDA")
    if not torch.cuda.is_available():
        return fail("torch finds no NVIDIA GPU here; nothing was measured")
    if not options.no_build and not build(torch.cuda.get_device_capability()):
        return fail("the CUDA kernels did not build; see above")
    if options.no_build and not built_with_cuda():
        return fail("the ptfast that is installed has no CUDA kernels; leave --no-build out")
    if not options.no_tests and not run_tests():
        return fail("tests failed on this GPU; nothing was measured")
    path = measure()
    print(f"written to {path}")
    return 0


def fail(reason: str) -> int:
    print(f"gpu_check: {reason}", file=sys.stderr)
    return 1


def build(capability: tuple[int, int]) -> bool:
    """Installs ptfast in place, with kernels for this GPU alone."""
    print("building the CUDA kernels (minutes)", flush=True)
    needs = ["setuptools", "pybind11", "cmake", "ninja", "pytest"]
    environment = {**os.environ, "PTFAST_CUDA": "ON", "CUDAARCHS": "{}{}".format(*capability)}
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    commands = ([*pip, *needs], [*pip, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)])
    return all(subprocess.run(command, env=environment).returncode == 0 for command in commands)


def built_with_cuda() -> bool:
    from ptfast import _native

    return _native.with_cuda


def run_tests() -> bool:
    print("running the tests that need a GPU", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", str(ROOT / "tests")]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def measure() -> Path:
    """Times all kernels and networks and writes the results."""
    import gpu_people
    import torch
    from gpu_kernels import CASES, copy_bandwidth, run_case
    from tqdm import tqdm

    bandwidth = copy_bandwidth()
    rows = []
    for name, case in tqdm((CASES | gpu_people.CASES).items(), desc="kernels", unit="kernel"):
        rows.append(run_case(name, case, bandwidth))
        torch.cuda.empty_cache()
        tqdm.write(describe(rows[-1]))
    properties = torch.cuda.get_device_properties(0)
    document = {
        "device": properties.name,
        "date": datetime.date.today().isoformat(),
        "multiprocessors": properties.multi_processor_count,
        "cuda": torch.version.cuda,
        "versions": {name: found for name in PACKAGES if (found := installed(name))},
        "copy_gb_per_s": bandwidth / 1e9,
        "rows": rows,
    }
    path = RESULTS / f"{re.sub(r'[^a-z0-9]+', '_', properties.name.lower()).strip('_')}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def describe(row: dict) -> str:
    parts = [f"{row['name']}: {row['seconds'] * 1e6:.1f} us"]
    if row["bound_share"] is not None:
        parts.append(f"{100 * row['bound_share']:.0f} % of its bound")
    parts += [f"{times['times_as_fast']:.1f}x {peer}" for peer, times in row["peers"].items()]
    return ", ".join(parts)


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    raise SystemExit(main())
