"""The only importer of the compiled extension: load errors, addresses, streams and status codes."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from ptfast import _C
except ImportError as error:
    raise ImportError(
        f"ptfast's native core could not be loaded ({error}); build it with `pip install .` in the project's folder"
    ) from error

version = _C.version
with_cuda = _C.with_cuda
cuda_archs = _C.cuda_archs
core = _C
num_threads = _C.num_threads
# The address of a C-contiguous array's data, 0 for None. Another layout is a ValueError. The caller keeps the array
# alive through the native call. Bound directly: a function around it would take as long as the address itself.
address = _C.address
_DTYPE_NAMES = {np.dtype(name): name for name in ("float32", "float64")}  # str() of a dtype takes microseconds


def cuda_versions() -> tuple[int, int]:
    """Versions of the CUDA runtime in this build and of the newest one that the driver serves, e.g. 13000, or 0.

    A driver below the runtime cannot run this build's kernels.
    """
    return (_C.cuda_runtime_version(), _C.cuda_driver_version()) if with_cuda else (0, 0)


def set_num_threads(count: int) -> None:
    """Sets the number of threads that native calls may use, where 0 restores the default.

    The default is PTFAST_NUM_THREADS if set, else the processors that this process may run on.

    Raises:
        ValueError: `count` is negative.
    """
    if count < 0:
        raise ValueError(f"count must be at least 0, got {count}")
    _C.set_num_threads(count)


def cpu(operation: str, dtype: Any) -> Any:
    """The CPU function of an operation for a dtype or its name, e.g. cpu("oks_matrix", a.dtype).

    Native functions take inputs, sizes, options and outputs, in this order; ptfast/_C.pyi names them.
    """
    return getattr(_C, f"{operation}_cpu_{_DTYPE_NAMES.get(dtype, dtype)}")


def cuda(operation: str, dtype: str) -> Any:
    """The CUDA function of an operation for a dtype's name.

    It takes what the CPU function takes, then device and stream, and returns a status for check_status.

    Raises:
        RuntimeError: This build has no CUDA kernels.
    """
    if not with_cuda:
        raise RuntimeError(
            f"{operation} got a CUDA tensor, but this ptfast was built without CUDA kernels; rebuild with "
            "`PTFAST_CUDA=ON pip install --no-cache-dir .` where nvcc is on the PATH"
        )
    return getattr(_C, f"{operation}_cuda_{dtype}")


def check_status(operation: str, status: int) -> None:
    """Raises RuntimeError for a cudaError_t other than success."""
    if status != 0:
        raise RuntimeError(f"{operation} failed on the GPU: {_C.cuda_error(status)}")
