"""Where CUDA kernels are tested: on a GPU, and on the CPU through the emulator in tests/cuda_emulator.

With PTFAST_EMULATOR_SANITIZE=1 emulated kernels also report reads and writes outside of tensors. The sanitizer must be
there from the start, and its report ends the process, with all that pytest has caught of stderr:

    LD_PRELOAD="$(c++ -print-file-name=libasan.so) $(c++ -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
    PTFAST_EMULATOR_SANITIZE=1 .venv/bin/pytest tests -k emulated --capture=sys
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
EMULATOR = ROOT / "tests" / "cuda_emulator"
SANITIZE = os.environ.get("PTFAST_EMULATOR_SANITIZE") == "1"
BUILD = ROOT / "build" / ("emulator-sanitized" if SANITIZE else "emulator")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests for a GPU where there is none, or where the build could not use it."""
    waiting = [item for item in items if item.get_closest_marker("cuda")]
    if not waiting:
        return
    import torch

    from ptfast import _native

    if not torch.cuda.is_available():
        reason = "needs an NVIDIA GPU"
    elif not _native.with_cuda:
        reason = "this build has no CUDA kernels"
    else:
        return
    for item in waiting:
        item.add_marker(pytest.mark.skip(reason=reason))


def tool(name: str) -> str | None:
    """A program beside this Python, where pip puts cmake and ninja, or on the PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def run(*command: object) -> None:
    environment = os.environ | {"LD_PRELOAD": ""}  # a sanitizer is for the tests, not for the compiler
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"the CUDA emulator does not build:\n{done.stdout}\n{done.stderr}", pytrace=False)


def build_emulator() -> Path:
    """Brings the emulator's library up to date, and gives its path; without changes this takes a blink."""
    cmake, ninja = tool("cmake"), tool("ninja")
    if cmake is None or ninja is None or not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("the CUDA emulator needs cmake, ninja and a C++ compiler")
    pybind11 = pytest.importorskip("pybind11")
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BUILD / "build.ninja").exists():
            options = [f"-DCMAKE_MAKE_PROGRAM={ninja}", f"-DPython_EXECUTABLE={sys.executable}"]
            options += [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}", f"-DPTFAST_SANITIZE={int(SANITIZE)}"]
            run(cmake, "-S", EMULATOR, "-B", BUILD, "-G", "Ninja", *options)
        run(cmake, "--build", BUILD)
    return next(BUILD.glob("_C.*.so"))


def load(name: str, path: Path) -> ModuleType:
    """Module `name` of an extension, apart from what `import` finds under that name."""
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def emulator() -> SimpleNamespace:
    """The core whose kernels are emulated (`core`), and the emulator's own controls and probes (`control`)."""
    path = build_emulator()
    return SimpleNamespace(core=load("_C", path), control=load("_emulator", path))


@pytest.fixture
def emulated_cuda(emulator: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Sends ptfast's torch operations on CPU tensors down the CUDA path, into the emulator; gives `emulator`.

    Wrappers that ask `tensor.is_cuda` see False, and NumPy input takes the CPU path as ever.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    from ptfast import _native

    class OnEmulator(TorchDispatchMode):
        def __torch_dispatch__(
            self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            if function.namespace != "ptfast":
                return function(*args, **kwargs or {})
            with self:  # an operation may call others
                return function.redispatch(torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA), *args, **kwargs or {})

    monkeypatch.setattr(_native, "cuda", lambda operation, dtype: getattr(emulator.core, f"{operation}_cuda_{dtype}"))
    monkeypatch.setattr(_native.core, "cuda_error", emulator.core.cuda_error, raising=False)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: SimpleNamespace(cuda_stream=0))
    emulator.control.set_order("forward")
    with OnEmulator():
        yield emulator


class Cuda:
    """Moves tensors to where CUDA kernels run: `cuda(tensor)`. On the emulator they stay where they are."""

    def __init__(self, move: Callable[[Any], Any], aside: Callable[[], AbstractContextManager]) -> None:
        self._move = move
        self.aside = aside  # `with cuda.aside():` tensors on the CPU take the CPU path

    def __call__(self, tensor: Any) -> Any:
        return self._move(tensor)


@pytest.fixture(params=["emulated", pytest.param("device", marks=pytest.mark.cuda)])
def cuda(request: pytest.FixtureRequest) -> Cuda:
    """Runs a test on the emulator and, where there is one, on a GPU."""
    if request.param == "device":
        return Cuda(lambda tensor: tensor.cuda(), nullcontext)
    from torch.utils._python_dispatch import _disable_current_modes

    request.getfixturevalue("emulated_cuda")
    return Cuda(lambda tensor: tensor, _disable_current_modes)
