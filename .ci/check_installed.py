"""An installed ptfast that has NumPy alone: it loads, it computes, and its extension links no CUDA library.

Given a folder, checks only the links of the extension that was built there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def check_links(extension: Path) -> None:
    """Exits if the extension needs a CUDA library, which a machine without a driver would lack."""
    links = subprocess.run(["ldd", str(extension)], capture_output=True, text=True, check=True).stdout
    print(links.rstrip())
    if any(name in links for name in ("libcuda", "libcudart", "libtorch", "libgomp", "not found")):
        sys.exit(f"{extension} must link neither CUDA, torch nor OpenMP libraries")


def check_import() -> Path:
    """Calls one operation without torch; gives the extension's path."""
    import numpy as np

    import ptfast
    import ptfast.ops
    from ptfast import _C

    poses = np.array([[[0.0, 0.0], [10.0, 20.0]], [[50.0, 50.0], [60.0, 70.0]]])
    areas, sigmas = np.full(2, 200.0), np.array([0.05, 0.1])
    similarity = ptfast.ops.oks_matrix(poses, poses, area=areas, sigmas=sigmas)
    if not np.allclose(similarity, np.eye(2), atol=1e-6):
        sys.exit(f"oks_matrix of poses that are far apart must be the identity, got {similarity}")
    if "torch" in sys.modules or any((Path(folder) / "torch").exists() for folder in sys.path):
        sys.exit("torch must not be installed here: the point is that ptfast does without it")
    print(f"ptfast {ptfast.__version__} in {Path(ptfast.__file__).parent}, CUDA kernels: {_C.with_cuda}")
    return Path(_C.__file__)


if __name__ == "__main__":
    check_links(next(Path(sys.argv[1]).glob("_C.*.so")) if len(sys.argv) > 1 else check_import())
