"""Weights and pictures by the rule of the published networks' records, and a comparison with a record."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from torch import Tensor

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def read_record(name: str) -> dict[str, Any]:
    """What the public code answers; the test that asks is skipped where the file is not there."""
    path = DATA.parent / "reference" / "parity" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"needs {path}, what the public code answers")
    return json.loads(path.read_text())


def uniform(name: str, count: int) -> np.ndarray:
    """(count,) float64 from 0 to 1 that depend on a name alone: splitmix64 from its CRC-32."""
    with np.errstate(over="ignore"):
        z = np.uint64(crc32(name.encode())) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


def by_rule(name: str, shape: tuple[int, ...]) -> Tensor:
    """Weights by a record's rule."""
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if name.endswith("running_mean"):
        return torch.zeros(shape)
    if len(shape) == 1 and name.endswith(("weight", "running_var")):
        return torch.ones(shape)
    values = uniform(name, math.prod(shape)) - 0.5
    values *= 0.02 if len(shape) == 1 else math.sqrt(24 / math.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def weights_by_rule(shapes: dict[str, Any]) -> dict[str, Tensor]:
    """Weights by a record's rule, of names with shapes or with tensors of such shapes."""
    return {name: by_rule(name, tuple(getattr(shape, "shape", shape))) for name, shape in shapes.items()}


def picture(height: int, width: int) -> Tensor:
    """(1, 3, height, width) from 0 to 1, by a record's rule."""
    c, y, x = np.meshgrid(np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    return torch.from_numpy((0.5 + 0.5 * np.sin(0.05 * (x + 2 * y) + c)).astype(np.float32))[None]


def compare(output: Tensor, expected: dict[str, Any]) -> float:
    """The largest difference from a record, as a share of the record's range."""
    assert list(output.shape) == expected["shape"]
    values = output.flatten()[expected["flat_index"]].tolist()
    moments = [output.mean().item(), output.std().item(), output.min().item(), output.max().item()]
    known = [*expected["value"], *(expected[name] for name in ("mean", "std", "min", "max"))]
    off = np.abs(np.array([*values, *moments]) - np.array(known)).max()
    return float(off / (expected["max"] - expected["min"]))
