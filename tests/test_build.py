"""What CMake would compile: CUDA architectures by what the machine has and PTFAST_CUDA says. Needs no GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pybind11 = pytest.importorskip("pybind11")
CMAKE, NINJA = (shutil.which(name, path=f"{Path(sys.executable).parent}:{os.defpath}") for name in ("cmake", "ninja"))
if CMAKE is None or NINJA is None or shutil.which("c++") is None:
    pytest.skip("needs CMake, Ninja and a C++ compiler", allow_module_level=True)


def configured(folder: Path, cuda: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Configures a build in `folder`, on a machine that shows no GPU."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    (tools / "nvidia-smi").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("CUDAARCHS", "PTFAST_CUDA")}
    return subprocess.run(
        [CMAKE, "-S", ROOT, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={NINJA}",
         f"-DPTFAST_CUDA={cuda}", f"-DPython_EXECUTABLE={sys.executable}",
         f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"],
        env=kept | {"PATH": f"{tools}:{os.environ['PATH']}"} | environment, capture_output=True, text=True,
    )  # fmt: skip


def test_a_build_without_cuda_says_so(tmp_path: Path) -> None:
    run = configured(tmp_path, "OFF")
    assert run.returncode == 0, run.stderr
    plan = (tmp_path / "build" / "plan.txt").read_text()
    assert plan.startswith("compiling the native core without CUDA kernels") and f"ptfast: {plan}" in run.stdout


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="needs nvcc")
@pytest.mark.parametrize(
    ("cuda", "environment", "architectures"),
    [
        ("AUTO", {}, "75-virtual 80-virtual"),
        ("ON", {"CUDAARCHS": "86-real"}, "86-real"),
        ("ALL", {"CUDAARCHS": "86-real"}, "75-real 80-real 86-real 89-real 90"),
    ],
)
def test_architectures_are_few_where_no_gpu_is_seen_and_all_with_all(
    cuda: str, environment: dict[str, str], architectures: str, tmp_path: Path
) -> None:
    run = configured(tmp_path, cuda, **environment)
    assert run.returncode == 0, run.stderr
    plan = (tmp_path / "build" / "plan.txt").read_text()
    assert f"CUDA kernels for {architectures}" in plan
    assert all(word in plan for word in ("PTFAST_CUDA=OFF", "CUDAARCHS=90", "PTFAST_CUDA=ALL"))


def test_another_value_is_refused(tmp_path: Path) -> None:
    run = configured(tmp_path, "off")
    assert run.returncode != 0 and "PTFAST_CUDA must be AUTO, ON, OFF or ALL, got off" in run.stderr
