"""Reading and writing of files: PoseTrack 2018 JSON and CSV of 1,000 frames of 20 people.

The others read the same files, and their figures are held against the poses first, but make other things of them:
pycocotools an index of dictionaries, pandas a table.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.io import read_poses, write_poses
from ptfast.structures import Poses
from ptfast.synthetic import crowd

FRAMES, PEOPLE = 1_000, 20
SIZE = f"{FRAMES} frames of {PEOPLE} people"


@pytest.fixture(scope="module")
def poses() -> Poses:
    return crowd(0, frames=FRAMES, people=PEOPLE)


def by_pycocotools(path: Path) -> np.ndarray:
    """(N, K, 2) of an index of the file."""
    with contextlib.redirect_stdout(io.StringIO()):
        index = peer("pycocotools.coco").COCO(str(path))
    return np.array([each["keypoints"] for each in index.anns.values()]).reshape(FRAMES * PEOPLE, -1, 3)[..., :2]


def index_by_pycocotools(path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        peer("pycocotools.coco").COCO(str(path))


def test_read_json(
    benchmark: Any, poses: Poses, tmp_path: Path, median_seconds: Callable, held_against: Callable
) -> None:
    path = tmp_path / "poses.json"
    write_poses(poses, path)
    read = read_poses(path)
    assert len(read.scores) == len(poses.scores) and np.array_equal(read.track_ids, poses.track_ids)
    present = read.joint_visibility > 0
    np.testing.assert_allclose(by_pycocotools(path)[present], read.keypoints[present], rtol=1e-6)
    benchmark.group = f"read JSON, {SIZE}"
    seconds = median_seconds(partial(index_by_pycocotools, path), 3)
    benchmark.pedantic(read_poses, (path,), rounds=5, warmup_rounds=1)
    held_against(seconds, peer="pycocotools", bytes=path.stat().st_size)


def test_read_csv(
    benchmark: Any, poses: Poses, tmp_path: Path, median_seconds: Callable, held_against: Callable
) -> None:
    path = tmp_path / "poses.csv"
    write_poses(poses, path)
    read, table = read_poses(path), partial(peer("pandas").read_csv, path, comment="#")
    assert np.array_equal(read.keypoints, poses.keypoints)
    np.testing.assert_allclose(table()["score"], read.scores, rtol=1e-6)
    benchmark.group = f"read CSV, {SIZE}"
    benchmark.pedantic(read_poses, (path,), rounds=5, warmup_rounds=1)
    held_against(median_seconds(table, 3), peer="pandas", bytes=path.stat().st_size)


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_write(benchmark: Any, suffix: str, poses: Poses, tmp_path: Path) -> None:
    """There is no peer that writes these poses."""
    path = tmp_path / f"poses.{suffix}"
    benchmark.group = f"write {suffix.upper()}, {SIZE}"
    benchmark.pedantic(write_poses, (poses, path), rounds=3)
    assert np.array_equal(read_poses(path).track_ids, poses.track_ids)
    benchmark.extra_info |= {"bytes": path.stat().st_size}
