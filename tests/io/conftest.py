"""Random Poses, their comparison field by field, and the optional data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import POSETRACK_17, Poses, Skeleton

PER_FRAME = ("frame_names", "frame_ids", "is_labeled", "frame_size", "ignore_regions")


def differences(a: Poses, b: Poses) -> list[str]:
    """Names of the fields in which two Poses differ, bit for bit but for NaN."""
    return [field.name for field in fields(Poses) if not same(getattr(a, field.name), getattr(b, field.name))]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def make_poses(seed: int, skeleton: Skeleton = POSETRACK_17, frames: int = 6, *, optional: bool | None = None) -> Poses:
    """Poses with everything that a file may hold; optional columns are there at random, or all, or none."""
    rng = np.random.default_rng(seed)

    def there() -> bool:
        return bool(rng.random() < 0.6) if optional is None else optional

    counts = rng.integers(0, 4, frames)
    n, k = int(counts.sum()), len(skeleton)
    corner = rng.uniform(-50, 2000, (n, 2))
    heads = np.concatenate([corner, corner + rng.uniform(0, 80, (n, 2))], 1)
    heads[1::3] = np.nan
    return Poses(
        keypoints=rng.choice([1.0, 1e-3, 0.25], (n, k, 1)) * rng.normal(500, 700, (n, k, 2)).round(rng.integers(0, 9)),
        frame_offsets=np.concatenate([[0], np.cumsum(counts)]),
        skeleton=skeleton,
        joint_scores=rng.normal(0.5, 2, (n, k)),
        joint_visibility=rng.integers(0, 3, (n, k)),
        boxes=np.concatenate([corner, corner + rng.exponential(200, (n, 2))], 1),
        scores=rng.normal(0.5, 1, n),
        track_ids=np.concatenate([rng.permutation(c) * 7 - 1 for c in counts]) if n else None,
        head_boxes=heads if there() else None,
        areas=rng.exponential(1e4, n) if there() else None,
        frame_names=tuple(f"images/né_{seed}/{2 * f:06d}.jpg" for f in range(frames)) if there() else None,
        frame_ids=np.sort(rng.permutation(10 * frames)[:frames]) + 10**10 if there() else None,
        is_labeled=rng.random(frames) < 0.5 if there() else None,
        frame_size=rng.integers(1, 4000, (frames, 2)) if there() else None,
        ignore_regions=random_regions(rng, frames) if there() else None,
        sequence=f"{seed:06d}_walk",
    )


def random_regions(rng: np.random.Generator, frames: int) -> tuple[tuple[np.ndarray, ...], ...]:
    return tuple(
        tuple(rng.normal(300, 200, (rng.integers(3, 7), 2)) for _ in range(rng.integers(0, 3))) for _ in range(frames)
    )


@pytest.fixture
def assert_same() -> Callable[[Poses, Poses], None]:
    def check(found: Poses, expected: Poses) -> None:
        assert differences(found, expected) == []

    return check


@pytest.fixture
def random_poses() -> Callable[..., Poses]:
    return make_poses


@pytest.fixture(scope="session")
def data() -> Path:
    """The optional folder of real files."""
    folder = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; PTFAST_DATA names its folder")
    return folder
