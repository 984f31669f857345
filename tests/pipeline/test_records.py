"""Records: slices, selection, files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptfast.pipeline import FrameTracklets
from ptfast.pipeline.records import load_records, save_records
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, Tracklets

COUNTS = (2, 0, 3, 1)


def tracklets() -> FrameTracklets:
    rng, m = np.random.default_rng(0), sum(COUNTS)
    found = Tracklets(
        rng.uniform(0, 90, (m, 5, 15, 2)), rng.uniform(0, 1, (m, 5, 15)), np.arange(m), POSETRACK_15,
        features={"look": rng.standard_normal((m, 4)), "age": np.arange(m)},
    )  # fmt: skip
    names = tuple(f"{f}.jpg" for f in range(4))
    return FrameTracklets(
        found, np.cumsum([0, *COUNTS]), names, np.arange(7, 11), np.tile([64, 48], (4, 1)),
        low_boxes=np.array([3, 0, 1, 2]), empty_boxes=np.array([0, 5, 0, 1]),
    )  # fmt: skip


def poses() -> Poses:
    rng, n = np.random.default_rng(1), sum(COUNTS)
    return Poses(
        rng.uniform(0, 90, (n, 15, 2)), np.cumsum([0, *COUNTS]), POSETRACK_15, areas=rng.uniform(1, 9, n),
        features={"carried": rng.standard_normal((n, 15, 2))}, frame_names=tuple("abcd"), frame_ids=np.arange(4),
        frame_size=np.tile([64, 48], (4, 1)),
    )  # fmt: skip


def same(a: Poses | FrameTracklets, b: Poses | FrameTracklets) -> None:
    assert type(a) is type(b) and a.frame_names == b.frame_names
    counts = ["low_boxes", "empty_boxes"] if isinstance(a, FrameTracklets) else []
    for name in ("frame_offsets", "frame_ids", "frame_size", *counts):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    inner = [(x.tracklets, y.tracklets) if isinstance(x, FrameTracklets) else (x, y) for x, y in [(a, b)]]
    for x, y in inner:
        for name in ("keypoints", "joint_scores", "boxes", "scores", *(["areas"] if isinstance(x, Poses) else [])):
            np.testing.assert_array_equal(getattr(x, name), getattr(y, name))
        assert x.features.keys() == y.features.keys()
        for name, column in x.features.items():
            np.testing.assert_array_equal(column, y.features[name])
            assert column.dtype == y.features[name].dtype


def test_frames_laid_end_to_end_are_the_whole() -> None:
    whole = tracklets()
    same(FrameTracklets.concatenate([whole.frame(f) for f in range(4)]), whole)
    same(FrameTracklets.concatenate([whole[:1], whole[1:]]), whole)
    assert [len(whole.frame(f).tracklets) for f in range(4)] == [*COUNTS]
    assert len(whole[3:1]) == 0
    assert whole[1:3].low_boxes.tolist() == [0, 1] and whole[1:3].empty_boxes.tolist() == [5, 0]


def test_selected_tracklets_stay_in_their_frames() -> None:
    kept = tracklets().select(np.array([False, True, False, True, True, False]))
    assert kept.frame_offsets.tolist() == [0, 1, 1, 3, 3]
    assert kept.tracklets.features["age"].tolist() == [1, 3, 4]
    assert kept.low_boxes.tolist() == [3, 0, 1, 2]  # boxes without a tracklet are those of the frame still


def test_no_box_was_without_a_tracklet_unless_it_is_said() -> None:
    whole = tracklets()
    bare = replace(whole, low_boxes=None, empty_boxes=None)
    assert bare.low_boxes.tolist() == bare.empty_boxes.tolist() == [0] * 4
    assert bare.low_boxes.dtype == np.int64


@pytest.mark.parametrize("make", [poses, tracklets])
def test_a_file_holds_all_columns_to_the_bit(make: object, tmp_path: Path) -> None:
    records = make()  # type: ignore[operator]
    save_records(tmp_path / "part.npz", records)
    same(load_records(tmp_path / "part.npz", POSETRACK_15), records)


def test_other_joints_and_damaged_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "part.npz"
    save_records(file, poses())
    with pytest.raises(ValueError, match=r"part.npz: expected a part of an interrupted run, found .* not of coco_17"):
        load_records(file, COCO_17)
    content = file.read_bytes()
    for damaged in (content[:-40], b"", b"PK"):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"part.npz: expected a part of an interrupted run"):
            load_records(file, POSETRACK_15)


def test_offsets_that_do_not_fit_are_refused() -> None:
    record = tracklets()
    with pytest.raises(ValueError, match="frame_offsets must rise from 0 to 6, the number of tracklets"):
        FrameTracklets(record.tracklets, np.array([0, 4]), ("a",), np.array([0]), np.array([[4, 4]]))


@pytest.mark.parametrize("make", [tracklets, poses])
@pytest.mark.parametrize(
    ("name", "crafted", "message"),
    [
        (
            "frame_offsets",
            np.array([0, 2**62, 2**63 - 1, -(2**63), sum(COUNTS)]),
            "frame_offsets must rise from 0 to 6",
        ),
        ("frame_offsets", np.array([0, 2, np.nan, 5, 6]), "frame_offsets must hold "),
        ("frame_offsets", np.array([0, 2, 6]), "must have one entry for each of 2 frames, got 4"),
        ("frame_ids", np.arange(9), "frame_ids must have one entry for each of 4 frames, got 9"),
    ],
)
def test_crafted_parts_are_refused(
    make: Callable[[], Poses | FrameTracklets], name: str, crafted: np.ndarray, message: str, tmp_path: Path
) -> None:
    path = rewritten(tmp_path / "part.npz", make(), **{name: crafted})
    with pytest.raises(ValueError, match=rf"part\.npz: expected a part of an interrupted run, found .*{message}"):
        load_records(path, POSETRACK_15)


def rewritten(path: Path, records: Poses | FrameTracklets, **crafted: np.ndarray | None) -> Path:
    """A file of records with other columns; those that are None are not there."""
    save_records(path, records)
    with np.load(path) as file:
        columns = {key: file[key] for key in file.files} | crafted
    np.savez(path, **{name: column for name, column in columns.items() if column is not None})
    return path


@pytest.mark.parametrize("name", ["low_boxes", "empty_boxes"])
@pytest.mark.parametrize(
    ("crafted", "message"),
    [
        (None, "no {name}"),
        (np.array([0, 1, 2]), r"{name} must have shape \(F,\) with F = 4, got \(3,\)"),
        (np.zeros((4, 2), np.int64), r"{name} must have shape \(F,\) with F = 4, got \(4, 2\)"),
        (np.array([0, -3, 2, 1]), "{name} must be at least 0, got -3"),
        (np.array([0, 1, 2, 2**63], np.uint64), "{name} must be at least 0, got -9223372036854775808"),
        (np.array([0.0, 1.0, np.nan, 1.0]), "{name} must hold integers, got float64"),
    ],
)
def test_numbers_of_boxes_that_are_missing_or_crafted_are_refused(
    name: str, crafted: np.ndarray | None, message: str, tmp_path: Path
) -> None:
    path = rewritten(tmp_path / "part.npz", tracklets(), **{name: crafted})
    with pytest.raises(ValueError, match=rf"expected a part of an interrupted run, found {message.format(name=name)}"):
        load_records(path, POSETRACK_15)
