"""ptfast info: versions, build and machine."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import version
from pathlib import Path

import ptfast
from ptfast import _native
from ptfast.cli._shared import command
from ptfast.tracking import warm_up


def add_info(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast info."""
    command(commands, "info", _info, "Show versions, how the native core was built, and what it runs on.")


def _info(options: argparse.Namespace) -> None:
    core = _native.core
    rows = {
        "ptfast": f"{ptfast.__version__} ({Path(ptfast.__file__).parent})",
        "native core": f"{core.version}, built by {core.compiler}, runs on {core.instruction_set}",
        "CUDA": _describe_cuda(),
        "threads": f"{_native.num_threads()} of {os.cpu_count()} processors (PTFAST_NUM_THREADS sets them)",
        "Python": f"{platform.python_version()} on {platform.platform()}",
    }
    rows |= {name: version(name) for name in ("torch", "numpy", "numba", "scipy", "opencv-python", "safetensors")}
    for name, text in rows.items():
        print(f"{name:14} {text}")
    print(f"{'Numba kernels':14} ready after {warm_up():.1f} s; compiled at their first use, then from a cache")


def _describe_cuda() -> str:
    if not _native.with_cuda:
        return "no kernels in this build (PTFAST_CUDA=ON pip install . where nvcc is on the PATH)"
    runtime, driver = _native.cuda_versions()
    built = f"kernels for {_native.cuda_archs}, runtime {runtime // 1000}.{runtime % 1000 // 10}"
    if driver == 0:
        return f"{built}; no driver on this machine"
    served = f"driver serves {driver // 1000}.{driver % 1000 // 10}"
    return f"{built}; {served}" + ("" if driver >= runtime else ", which is too old for this build")
