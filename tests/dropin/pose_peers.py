"""HRNet's and mmpose's own functions, where they are there, and poses and heatmaps to compare on.

HRNet is on no registry: PTFAST_HRNET names a checkout of leoxiaobin/deep-high-resolution-net.pytorch. Of mmpose, whose
own requirements are many, the files in question are loaded alone.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def load(name: str, path: Path, **options: Any) -> ModuleType:
    """The module of a file, under any name."""
    spec = spec_from_file_location(name, path, **options)
    assert spec and spec.loader
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _hrnet() -> tuple[ModuleType, ModuleType] | str:
    if "PTFAST_HRNET" not in os.environ:
        return "PTFAST_HRNET does not name a checkout of HRNet"
    library = Path(os.environ["PTFAST_HRNET"]) / "lib"
    for name in ("cpu_nms", "gpu_nms"):  # compiled parts, for boxes
        sys.modules[f"hrnet_nms.{name}"] = stub = ModuleType(name)
        setattr(stub, name, None)
    package = sys.modules["hrnet_nms"] = ModuleType("hrnet_nms")
    package.__path__ = [str(library / "nms")]
    utils = sys.modules.pop("utils", None), sys.modules.pop("utils.transforms", None)
    sys.path.insert(0, str(library))
    try:
        return load("hrnet_nms.nms", library / "nms" / "nms.py"), load("hrnet_inference", library / "core/inference.py")
    except ImportError as error:
        return f"HRNet's code does not load: {error}"
    finally:
        sys.path.pop(0)
        for name, module in zip(("utils", "utils.transforms"), utils, strict=True):
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def hrnet() -> tuple[ModuleType, ModuleType]:
    """HRNet's lib/nms/nms.py and lib/core/inference.py, or a skip."""
    found = _hrnet()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _mmpose_utils() -> ModuleType | str:
    spec = find_spec("mmpose")
    if spec is None or not spec.submodule_search_locations:
        return "mmpose is not installed"
    folder = Path(spec.submodule_search_locations[0]) / "codecs" / "utils"
    try:
        return load("mmpose_codecs_utils", folder / "__init__.py", submodule_search_locations=[str(folder)])
    except ImportError as error:
        return f"mmpose is installed but its codecs cannot be imported: {error}"


def mmpose_utils() -> ModuleType:
    """mmpose's codecs.utils, or a skip."""
    found = _mmpose_utils()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def rows(n: int, joints: int = 17, dtype: Any = np.float64, seed: int = 0) -> np.ndarray:
    """Poses (n, 3 joints) at three places, in integers so that every dtype holds them; visibility 0, 1 or 2."""
    random = np.random.default_rng(seed)
    body = random.integers(0, 100, (joints, 2))
    places = body + random.integers(0, 3, (n, 1, 2)) * 60 + random.integers(-9, 10, (n, joints, 2))
    flags = random.integers(0, 3, (n, joints, 1))
    return np.concatenate([places, flags], -1).reshape(n, 3 * joints).astype(dtype)


def areas(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1000, 9000, n).astype(np.float64)


def people(n: int, joints: int = 17, dtype: Any = np.float64, seed: int = 0, ties: bool = False) -> list[dict]:
    """Dictionaries as suppression takes them; many scores are equal if `ties`."""
    scores = np.random.default_rng(seed).permutation(n) / max(1, n)
    scores = np.floor(scores * 4) / 4 if ties else scores
    columns = (rows(n, joints, dtype, seed).reshape(n, joints, 3), scores, areas(n, seed))
    return [{"keypoints": k, "score": s, "area": a} for k, s, a in zip(*columns, strict=True)]


def heatmaps(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    """Maps (..., H, W) with a bump each, some of them at a border, on a bit of noise."""
    random = np.random.default_rng(seed)
    x, y = (random.uniform(-1, size, (*shape[:-2], 1, 1)) for size in (shape[-1], shape[-2]))
    row, column = np.mgrid[: shape[-2], : shape[-1]]
    maps = np.exp(-((column - x) ** 2 + (row - y) ** 2) / 8) + random.uniform(0, 0.02, shape)
    return maps.astype(dtype)
