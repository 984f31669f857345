"""Poses to other packages and back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast import COCO_17, POSETRACK_15, OnlineLinker, Poses, Skeleton, link, write_poses
from ptfast.interop import (
    from_arrow,
    from_detections,
    from_dlpack,
    from_keypoints,
    from_pandas,
    log_to_rerun,
    to_arrow,
    to_detections,
    to_dlpack,
    to_keypoints,
    to_pandas,
)
from ptfast.io import BOX_CENTER

from ..io.conftest import differences, make_poses

HAND = Skeleton("hand", ("wrist", "thumb"), ((0, 1),), (), (0.1, 0.2))
NOT_KEPT = ["head_boxes", "areas", "frame_names", "frame_ids", "is_labeled", "frame_size", "ignore_regions", "sequence"]
CALLS = {
    "to_keypoints": ("supervision", to_keypoints, "supervision"),
    "to_detections": ("supervision", to_detections, "supervision"),
    "to_arrow": ("pyarrow", to_arrow, "pyarrow"),
    "from_arrow": ("pyarrow", from_arrow, "pyarrow"),
    "to_pandas": ("pandas", to_pandas, "pandas"),
    "log_to_rerun": ("rerun", log_to_rerun, "rerun-sdk"),
}


@pytest.fixture(params=["coco", "own", "nobody", "no frames"])
def poses(request: pytest.FixtureRequest) -> Poses:
    """Frames of some people and of none, of a known skeleton and of another."""
    if request.param == "no frames":
        return Poses(np.zeros((0, 17, 2)), np.array([0]), COCO_17)
    if request.param == "nobody":
        return Poses(np.zeros((0, 17, 2)), np.array([0, 0, 0]), COCO_17)
    return make_poses(3, COCO_17 if request.param == "coco" else HAND, frames=9)


def absent_at_zero(poses: Poses) -> Poses:
    """The same poses as supervision holds them: absent joints at (0, 0)."""
    there = poses.joint_visibility[..., None] > 0
    return replace(poses, keypoints=np.where(there, poses.keypoints, 0))


def test_keypoints_come_back_as_they_went(poses: Poses) -> None:
    peer("supervision")
    frames = to_keypoints(poses)
    assert [len(points) for points in frames] == np.diff(poses.frame_offsets).tolist()
    found = from_keypoints(frames, poses.skeleton)
    assert set(differences(found, absent_at_zero(poses))) <= set(NOT_KEPT)


def newer_supervision() -> ModuleType:
    """supervision whose KeyPoints have confidences of joints and of people."""
    supervision = peer("supervision")
    if not hasattr(supervision.KeyPoints.empty(), "keypoint_confidence"):
        pytest.skip("supervision is older than 0.29")
    return supervision


def test_keypoints_are_what_supervision_means_by_them() -> None:
    supervision = newer_supervision()
    poses = Poses(
        keypoints=np.array([[[1, 2], [3, 4], [3, 3]], [[5, 6], [0, 0], [7, 9]]]),
        frame_offsets=np.array([0, 0, 2]),
        skeleton=Skeleton("three", ("a", "b", "c"), (), (), (0.1,) * 3),
        joint_visibility=np.array([[2, 1, 2], [2, 0, 1]]),
        joint_scores=np.array([[0.5, 0.25, 0.5], [0.75, 0.125, 0.5]]),
        scores=np.array([0.5, 0.75]),
        track_ids=np.array([4, 7]),
    )
    empty, points = to_keypoints(poses)
    assert isinstance(points, supervision.KeyPoints)
    assert empty.is_empty()
    np.testing.assert_array_equal(points.xy, poses.keypoints)
    np.testing.assert_array_equal(points.keypoint_confidence, poses.joint_scores)
    np.testing.assert_array_equal(points.visible, [[True, True, True], [True, False, True]])
    second = points[1]
    assert (second.detection_confidence, second.data["tracker_id"]) == (0.75, 7)
    np.testing.assert_array_equal(points.as_detections().xyxy, [[1, 2, 3, 4], [5, 6, 7, 9]])


def test_keypoints_that_were_hidden_meanwhile_are_absent() -> None:
    newer_supervision()
    poses = make_poses(8, COCO_17, frames=4)
    frames = to_keypoints(poses)
    for points in frames:
        if len(points):
            points.visible &= points.keypoint_confidence > 0.5
    found = from_keypoints(frames)
    expected = np.where(poses.joint_scores > 0.5, poses.joint_visibility, 0)
    np.testing.assert_array_equal(found.joint_visibility, expected)


def test_keypoints_of_other_makers() -> None:
    """Without ids, boxes or a score a person; a joint at (0, 0), one that is not visible, one that is not finite."""
    supervision = newer_supervision()
    xy = np.array([[[1, 2], [0, 0], [3, 4], [np.nan, 1]], [[9, 9], [8, 7], [6, 5], [4, 3]]], np.float32)
    scores = np.array([[0.5, 0.75, 0.5, 0.25], [1, 1, 1, 0.5]], np.float32)
    visible = np.array([[1, 1, 0, 1], [1, 1, 1, 1]], bool)
    frames = [
        supervision.KeyPoints(xy, keypoint_confidence=scores, visible=visible),
        supervision.KeyPoints.empty(),
        supervision.KeyPoints(xy[1:]),
    ]
    four = Skeleton("four", ("a", "b", "c", "d"), (), (), (0.1,) * 4)
    poses = from_keypoints(frames, four)
    np.testing.assert_array_equal(poses.frame_offsets, [0, 2, 2, 3])
    np.testing.assert_array_equal(poses.joint_visibility, [[2, 0, 0, 0], [2] * 4, [2] * 4])
    np.testing.assert_array_equal(poses.scores, [0.5, 0.875, 1])
    np.testing.assert_array_equal(poses.boxes, [[1, 2, 1, 2], [4, 3, 9, 9], [4, 3, 9, 9]])
    np.testing.assert_array_equal(poses.track_ids, [-1, -1, -1])
    assert len(link(poses).scores) == 3


def test_keypoints_of_versions_before_0_29() -> None:
    """They have `confidence`, of joints alone, and no `visible`; people's scores travel in `data`."""
    older = SimpleNamespace(xy=np.array([[[1, 2], [0, 0]]]), confidence=np.array([[0.5, 0.75]]), class_id=None, data={})
    poses = from_keypoints([older], HAND)
    np.testing.assert_array_equal(poses.joint_scores, [[0.5, 0.75]])
    np.testing.assert_array_equal(poses.joint_visibility, [[2, 0]])
    assert poses.scores == [0.5]
    older.data["detection_confidence"] = np.array([0.25])
    assert from_keypoints([older], HAND).scores == [0.25]


def test_a_joint_whose_confidence_is_unknown_is_absent() -> None:
    """It does not make its person's score unknown, with which nobody would be linked or written."""
    scores = np.array([[0.5, np.nan], [np.inf, np.nan]])
    one = SimpleNamespace(xy=np.arange(1.0, 9).reshape(2, 2, 2), confidence=scores, data={})
    poses = from_keypoints([one, one], HAND)
    np.testing.assert_array_equal(poses.joint_visibility, [[2, 0], [0, 0]] * 2)
    np.testing.assert_array_equal(poses.joint_scores, [[0.5, 0], [0, 0]] * 2)
    np.testing.assert_array_equal(poses.scores, [0.5, 0] * 2)
    np.testing.assert_array_equal(link(poses, keep_filtered=True).track_ids[::2], [0, 0])
    one.data["detection_confidence"] = np.array([0.75, 0.25])
    np.testing.assert_array_equal(from_keypoints([one], HAND).joint_visibility, [[2, 0], [0, 0]])


def test_joints_that_are_not_visible_are_absent() -> None:
    """Of any version that has `visible`, and also where its maker knew them better."""
    visible = np.array([[True, False]])
    one = SimpleNamespace(xy=np.ones((1, 2, 2)), confidence=np.array([[0.5, 0.25]]), visible=visible, data={})
    for known, expected in ((None, [[2, 0]]), ([[1, 1]], [[1, 0]])):
        one.data = {} if known is None else {"joint_visibility": np.array(known)}
        poses = from_keypoints([one], HAND)
        np.testing.assert_array_equal(poses.joint_visibility, expected)
        assert poses.scores == [0.5]


@pytest.mark.parametrize(
    ("convert", "back", "kind"),
    [(to_keypoints, from_keypoints, "KeyPoints"), (to_detections, from_detections, "Detections")],
)
def test_one_object_is_no_list_of_frames(convert: Any, back: Any, kind: str) -> None:
    peer("supervision")
    [one] = convert(Poses(np.ones((1, 17, 2)), np.array([0, 1]), COCO_17))
    assert len(back([one], COCO_17)) == len(back(iter([one]), COCO_17)) == 1
    with pytest.raises(TypeError, match=f"frames must be a list of sv.{kind}, one a frame, got {kind}"):
        back(one, COCO_17)
    with pytest.raises(TypeError, match=f"frames must be a list of sv.{kind}, one a frame, got NoneType"):
        back(None)
    with pytest.raises(TypeError, match=rf"frames\[1\] must be sv.{kind}, got ndarray"):
        back([one, np.ones((1, 17, 2))], COCO_17)


def test_keypoints_of_another_skeleton_are_an_error() -> None:
    older = SimpleNamespace(xy=np.ones((2, 3, 2)), confidence=None, data={})
    with pytest.raises(ValueError, match=r"frames\[0\]\.xy must have shape \(N, K, 2\) with K = 17, got \(2, 3, 2\)"):
        from_keypoints([older])


def test_keypoints_can_be_linked_as_they_come() -> None:
    """The ids of a stream of KeyPoints are those of the whole video."""
    peer("supervision")
    poses = make_poses(5, COCO_17, frames=8)
    linker = OnlineLinker(keep_filtered=True)
    online = [linker.update(from_keypoints([points])).track_ids for points in to_keypoints(poses)]
    np.testing.assert_array_equal(np.concatenate(online), link(poses, keep_filtered=True).track_ids)


def test_detections_come_back_as_they_went(poses: Poses) -> None:
    peer("supervision")
    found = from_detections(to_detections(poses), poses.skeleton)
    assert set(differences(found, poses)) <= set(NOT_KEPT)


def test_detections_keep_joints_and_ids_through_selections() -> None:
    supervision = peer("supervision")
    poses = make_poses(7, COCO_17, frames=4)
    frames = to_detections(poses)
    assert all(isinstance(found, supervision.Detections) for found in frames)
    kept = poses.select(poses.scores > 0.5)
    found = from_detections([found[found.confidence > 0.5] for found in frames], COCO_17)
    assert set(differences(found, kept)) <= set(NOT_KEPT)


def test_detections_of_a_video_whose_only_id_is_0_have_it() -> None:
    peer("supervision")
    poses = Poses(np.ones((2, 17, 2)), np.array([0, 1, 2]), COCO_17, track_ids=np.array([-1, 0]))
    assert [found.tracker_id.tolist() for found in to_detections(poses)] == [[-1], [0]]


def test_detections_without_ids_or_joints() -> None:
    supervision = peer("supervision")
    boxes = np.array([[0, 0, 4, 2], [10, 10, 20, 20]], np.float32)
    frames = [supervision.Detections(boxes), supervision.Detections.empty()]
    poses = from_detections(frames)
    assert poses.skeleton == BOX_CENTER
    np.testing.assert_array_equal(poses.keypoints[:, 0], [[2, 1], [15, 15]])
    np.testing.assert_array_equal(poses.boxes, boxes)
    np.testing.assert_array_equal(link(poses, cost="iou").track_ids, [0, 1])
    assert [found.tracker_id for found in to_detections(poses)] == [None, None]
    with pytest.raises(ValueError, match=r"frames\[0\]\.data must have 'keypoints', joints of coco_17, got \[\]"):
        from_detections(frames, COCO_17)


def test_arrow_tables_come_back_as_they_went(poses: Poses) -> None:
    peer("pyarrow")
    assert differences(from_arrow(to_arrow(poses), poses.sequence), poses) == []


def test_arrow_tables_are_those_of_parquet_files(tmp_path: Path) -> None:
    parquet = peer("pyarrow.parquet")
    poses = make_poses(1, HAND, optional=True)
    write_poses(poses, tmp_path / "a.parquet")
    assert to_arrow(poses).equals(parquet.read_table(tmp_path / "a.parquet"))


def test_data_frames_come_back_as_they_went(poses: Poses) -> None:
    peer("pandas")
    assert differences(from_pandas(to_pandas(poses), poses.sequence), poses) == []


@pytest.mark.parametrize("counts", [[2, 0, 1], [0, 3]])
def test_large_ids_stay_exact_beside_empty_frames(counts: list[int]) -> None:
    """float64, in which pandas gives out whole numbers among empty cells, takes 2**53 + 1 for 2**53."""
    pandas = peer("pandas")
    ids = np.array([2**53, 2**53 + 1, 2**62 + 1])
    poses = Poses(np.ones((3, 2, 2)), np.cumsum([0, *counts]), HAND, track_ids=ids)
    frame = to_pandas(poses)
    assert differences(from_pandas(frame), poses) == []
    assert differences(from_pandas(frame.astype(object)), poses) == []
    peer("pyarrow")
    assert differences(from_arrow(frame), poses) == []
    for types in (pandas.ArrowDtype, lambda kind: pandas.Int64Dtype() if str(kind) == "int64" else None):
        assert differences(from_pandas(to_arrow(poses).to_pandas(types_mapper=types)), poses) == []


def test_data_frames_of_other_makers() -> None:
    """Columns in another order, an index of its own, other dtypes, columns that nobody knows."""
    pandas = peer("pandas")
    poses = make_poses(2, HAND, frames=5, optional=True)
    frame = to_pandas(poses)[lambda table: list(table.columns[::-1])]
    frame.index = frame.index + 100
    frame["colour"] = "red"
    assert differences(from_pandas(frame), poses) == []
    assert differences(from_pandas(frame.astype(object)), poses) == []
    peer("pyarrow")
    assert differences(from_arrow(frame), poses) == []
    assert differences(from_pandas(to_arrow(poses).to_pandas()), poses) == []
    assert differences(from_pandas(to_arrow(poses).to_pandas(types_mapper=pandas.ArrowDtype)), poses) == []


def test_data_frames_hold_numbers_of_the_right_kind() -> None:
    peer("pandas")
    everywhere = to_pandas(Poses(np.zeros((2, 2, 2)), np.array([0, 1, 2]), HAND))
    assert {name: str(everywhere[name].dtype) for name in ("frame", "track_id", "score", "wrist_visibility")} == {
        "frame": "int64", "track_id": "int64", "score": "float32", "wrist_visibility": "int64",
    }  # fmt: skip
    gap = to_pandas(Poses(np.zeros((1, 2, 2)), np.array([0, 1, 1]), HAND))
    assert (str(gap["track_id"].dtype), str(gap["frame"].dtype)) == ("Int64", "int64")
    assert gap["track_id"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("track_id", 1.5, "table: column track_id: expected whole numbers, found float64"),
        ("frame", None, "table: row 0, column frame: expected a frame number, found an empty cell"),
        ("x1", None, "table: row 0, column x1: expected a finite number, found an empty cell"),
    ],
)
def test_bad_cells_are_named(column: str, cell: object, message: str) -> None:
    peer("pandas")
    frame = to_pandas(Poses(np.zeros((2, 2, 2)), np.array([0, 1, 2]), HAND))
    frame[column] = [cell, *frame[column].tolist()[1:]]
    with pytest.raises(ValueError, match=message):
        from_pandas(frame)


def test_text_for_a_number_is_named() -> None:
    peer("pyarrow")
    frame = to_pandas(Poses(np.zeros((1, 2, 2)), np.array([0, 1]), HAND))
    frame["score"] = "high"
    with pytest.raises(ValueError, match="table: column score: expected numbers, found"):
        from_pandas(frame)
    with pytest.raises(ValueError, match=r"table: column score: expected numbers, found .*string"):
        from_arrow(frame)
    with pytest.raises(ValueError, match="table: header: expected the column 'x1'"):
        from_arrow(frame.drop(columns=["score", "x1"]))


def test_dlpack_shares_memory() -> None:
    poses = make_poses(4, POSETRACK_15, optional=True)
    columns = {name: Foreign(column) for name, column in to_dlpack(poses).items()}
    found = from_dlpack(columns, POSETRACK_15)
    assert set(differences(found, poses)) <= set(NOT_KEPT) - {"head_boxes", "areas"}
    assert isinstance(found.keypoints, np.ndarray)
    assert np.shares_memory(found.keypoints, poses.keypoints)


def test_dlpack_of_tensors_gives_their_columns() -> None:
    torch = pytest.importorskip("torch")
    poses = make_poses(4, POSETRACK_15, optional=False).to("cpu")
    columns = to_dlpack(poses)
    assert "areas" not in columns
    assert columns["keypoints"] is poses.keypoints
    found = from_dlpack(columns, POSETRACK_15)
    assert found.keypoints.ctypes.data == poses.keypoints.data_ptr()
    assert torch.equal(torch.from_dlpack(found.boxes), poses.boxes)


def test_dlpack_of_another_device_gives_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not on the CPU goes to torch, which knows devices."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("torch.utils.dlpack.from_dlpack", lambda column: torch.as_tensor(column.array))
    columns = {"keypoints": Foreign(np.ones((1, 15, 2)), device=2), "frame_offsets": np.array([0, 1])}
    found = from_dlpack(columns, POSETRACK_15)
    assert torch.equal(found.keypoints, torch.ones(1, 15, 2))


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({}, ValueError, "columns must have 'keypoints', got none"),
        ({"keypoints": np.ones((1, 15, 2))}, ValueError, "columns must have 'frame_offsets', got keypoints"),
        ({"keypoints": [[1]], "frame_offsets": np.zeros(1)}, TypeError, "keypoints must have __dlpack__ .*, got list"),
        ({"keypoints": 0, "frame_offsets": 0, "z": 0}, ValueError, "columns must be among keypoints, .*, got 'z'"),
    ],
)  # fmt: skip
def test_dlpack_errors(columns: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_dlpack(columns, POSETRACK_15)


class Foreign:
    """Another package's array: it speaks DLPack and nothing else."""

    def __init__(self, array: np.ndarray, device: int = 1) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, **options: object) -> object:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0


@pytest.mark.parametrize("name", CALLS)
def test_an_absent_package_is_one_line_with_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function, install = CALLS[name]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        function(Poses(np.zeros((0, 17, 2)), np.array([0]), COCO_17))
    assert str(caught.value) == f"ptfast.interop.{name} needs {module}: pip install {install}"


def test_importing_loads_no_other_package() -> None:
    heavy = "{'torch', 'supervision', 'pandas', 'pyarrow', 'rerun', 'cv2', 'numba', 'scipy'}"
    script = f"import sys, ptfast.interop; print(*({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split() == []
    )
