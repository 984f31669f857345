"""Tracklets: defaults, selection, joining, errors."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Tracklets


def tracklets(count: int = 4, length: int = 9, **columns: object) -> Tracklets:
    rng = np.random.default_rng(0)
    return Tracklets(
        keypoints=rng.uniform(0, 100, (count, length, 15, 2)),
        joint_scores=rng.uniform(0, 1, (count, length, 15)),
        first_frame=np.arange(count) - 4,
        skeleton=POSETRACK_15,
        **columns,
    )


def test_tracklets_have_the_documented_dtypes_and_defaults() -> None:
    plain = tracklets()
    assert len(plain) == 4 and plain.first_frame.dtype == np.int64
    assert plain.keypoints.dtype == plain.joint_scores.dtype == plain.boxes.dtype == plain.scores.dtype == np.float32
    assert plain.scores.tolist() == [1] * 4
    key = plain.keypoints[:, 4]
    np.testing.assert_array_equal(plain.boxes, np.concatenate([key.min(1), key.max(1)], 1))
    given = tracklets(boxes=np.arange(16).reshape(4, 4), scores=[1, 2, 3, 4])
    assert given.boxes[1].tolist() == [4, 5, 6, 7] and given.scores.tolist() == [1, 2, 3, 4]
    assert repr(given) == "Tracklets(4 of 9 frames, 15 joints, posetrack_15)"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [([2, 0, 2], [2, 0, 2]), ([], []), ([False, True, False, True], [1, 3]), (np.array([-1]), [3])],
)
def test_tracklets_select_rows(rows: object, wanted: list[int]) -> None:
    every = tracklets(scores=np.arange(4), boxes=np.arange(16).reshape(4, 4))
    part = every.select(rows)
    assert len(part) == len(wanted) and part.scores.tolist() == wanted
    for name in ("keypoints", "joint_scores", "first_frame", "boxes"):
        np.testing.assert_array_equal(getattr(part, name), getattr(every, name)[wanted])


def test_tracklets_select_refuses_what_names_no_rows() -> None:
    with pytest.raises(TypeError, match="rows must hold integers or truth values, got float64"):
        tracklets().select([0.5])
    with pytest.raises(ValueError, match=r"rows must have shape \(M,\) with M = 4, got \(2,\)"):
        tracklets().select([True, False])


def test_tracklets_concatenate_undoes_selection() -> None:
    every = tracklets(scores=np.arange(4))
    joined = Tracklets.concatenate([every.select([0, 1]), every.select([]), every.select([2, 3])])
    for name in ("keypoints", "joint_scores", "first_frame", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(every, name))
    with pytest.raises(ValueError, match="parts must hold at least one Tracklets, got none"):
        Tracklets.concatenate([])
    with pytest.raises(ValueError, match=r"parts must share one clip length, got \[7, 9\]"):
        Tracklets.concatenate([every, tracklets(length=7)])
    other = Tracklets(np.zeros((0, 9, 17, 2)), np.zeros((0, 9, 17)), np.zeros(0), POSETRACK_17)
    with pytest.raises(ValueError, match=r"parts must share one skeleton, got \['posetrack_15', 'posetrack_17'\]"):
        Tracklets.concatenate([every, other])


def test_tracklets_as_tensors_and_back() -> None:
    torch = pytest.importorskip("torch")
    tensors = tracklets().to("cpu")
    assert all(isinstance(getattr(tensors, name), torch.Tensor) for name in ("keypoints", "first_frame", "boxes"))
    assert tensors.select(torch.tensor([3, 1])).first_frame.tolist() == [-1, -3]
    assert tensors.select(torch.arange(4) > 2).first_frame.tolist() == [-1]
    assert len(Tracklets.concatenate([tensors, tensors])) == 8
    assert (tensors.numpy().keypoints == tracklets().keypoints).all()
    made = Tracklets(torch.zeros(2, 3, 15, 2), torch.zeros(2, 3, 15), torch.tensor([0, 1]), POSETRACK_15)
    assert isinstance(made.boxes, torch.Tensor) and made.first_frame.dtype == torch.int64


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"joint_scores": np.zeros((2, 8, 15))}, r"joint_scores must have shape \(M, T, K\) with M = 2, T = 9, K = 15"),
        ({"keypoints": np.zeros((2, 9, 17, 2))}, r"keypoints must have shape \(M, T, K, 2\) with K = 15"),
        ({"keypoints": np.zeros((2, 8, 15, 2))}, "keypoints must hold an odd number T of frames, got 8"),
        ({"first_frame": [0.5, 1]}, "first_frame must hold numbers that int64 can hold, got 0.5"),
        ({"boxes": np.zeros((2, 5))}, r"boxes must have shape \(M, 4\) with M = 2, got \(2, 5\)"),
        ({"scores": 1}, r"scores must have shape \(M,\) with M = 2, got \(\)"),
    ],
)
def test_tracklets_check_their_shapes(columns: dict, message: str) -> None:
    fitting = {"keypoints": np.zeros((2, 9, 15, 2)), "joint_scores": np.zeros((2, 9, 15)), "first_frame": np.zeros(2)}
    with pytest.raises(ValueError, match=message):
        Tracklets(**(fitting | columns), skeleton=POSETRACK_15)
