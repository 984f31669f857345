"""Named joint sets and those read from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ptfast.skeletons import POSETRACK_15, POSETRACK_17, SKELETONS, Skeleton

HAND = {"name": "hand", "joints": ["wrist", "thumb", "finger"], "edges": [[0, 1], [0, 2]], "sigmas": [0.1, 0.05, 0.05]}


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_named_skeletons_are_consistent(skeleton: Skeleton) -> None:
    count = len(skeleton)
    assert skeleton.name.endswith(str(count)) and len(skeleton.sigmas) == count
    assert all(0 <= joint < count for pair in (*skeleton.edges, *skeleton.flip_pairs) for joint in pair)
    for left, right in skeleton.flip_pairs:
        sides = {skeleton.joints[left].split("_")[0], skeleton.joints[right].split("_")[0]}
        assert sides == {"left", "right"}
        assert skeleton.joints[left].split("_")[1:] == skeleton.joints[right].split("_")[1:]
        assert skeleton.sigmas[left] == skeleton.sigmas[right]


def test_the_same_joint_has_the_same_sigma_in_both_posetrack_orders() -> None:
    for joint, sigma in zip(POSETRACK_15.joints, POSETRACK_15.sigmas, strict=True):
        assert POSETRACK_17.sigmas[POSETRACK_17.index(joint)] == sigma


def test_joints_are_found_by_synonym() -> None:
    assert POSETRACK_15.index("neck") == POSETRACK_15.index("head_bottom") == 12
    assert POSETRACK_15.index("left_ear") == -1
    assert POSETRACK_17.indices_of(POSETRACK_15).tolist() == [16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9, 1, 0, 2]


def test_a_skeleton_is_read_from_json(tmp_path: Path) -> None:
    path = tmp_path / "hand.json"
    path.write_text(json.dumps(HAND))
    hand = Skeleton.from_json(path)
    assert hand == Skeleton("hand", ("wrist", "thumb", "finger"), ((0, 1), (0, 2)), (), (0.1, 0.05, 0.05))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": None}, "expected the key 'joints'"),
        ({"sigmas": [0.1]}, "sigmas must have 3 values, one a joint, got 1"),
        ({"joints": ["a", "a", "b"]}, "joints must have distinct names"),
        ({"edges": [[0, 1, 2]]}, r"edges\[0\]: expected a list of length 2, found "),
        ({"edges": [[0, 3]]}, r"edges must hold indices of the 3 joints, got \(0, 3\)"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "hand.json"
    path.write_text(json.dumps({key: value for key, value in (HAND | change).items() if value is not None}))
    with pytest.raises(ValueError, match=message) as error:
        Skeleton.from_json(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_no_json_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "hand.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="expected JSON") as error:
        Skeleton.from_json(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "a", "joints": ["x"], "sigmas": ["0.1"]}', r"sigmas\[0\]: expected a number, found a string"),
        ('{"name": "a", "joints": ["x"], "sigmas": [null]}', r"sigmas\[0\]: expected a number, found null"),
        ('{"name": "a", "joints": ["x"], "sigmas": [NaN]}', "sigmas must be finite numbers of at least 0, got nan"),
        (
            '{"name": "a", "joints": ["x"], "sigmas": [Infinity]}',
            "sigmas must be finite numbers of at least 0, got inf",
        ),
        ('{"name": "a", "joints": ["x"], "sigmas": [-0.1]}', "sigmas must be finite numbers of at least 0, got -0.1"),
        ('{"name": "a", "joints": ["x", 1]}', r"joints\[1\]: expected a string, found a whole number"),
        ('{"name": "a", "joints": ["x"], "z": ' + "[" * 100_000 + "]" * 100_000 + "}", "expected JSON"),
    ],
)
def test_a_file_with_values_of_another_kind_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        Skeleton.from_json(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "hand.json").write_text(json.dumps(HAND), encoding="utf-8-sig")
    assert Skeleton.from_json(tmp_path / "hand.json").name == "hand"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"joints": "xy"}, "joints must be names, got 'xy'"),
        ({"joints": ("x", 1)}, r"joints must be names, got \('x', 1\)"),
        ({"sigmas": (0.1, float("nan"))}, "sigmas must be finite numbers of at least 0, got nan for y"),
        ({"sigmas": ("0.1", 0.2)}, "sigmas must be finite numbers of at least 0, got '0.1' for x"),
        ({"edges": ((0, 0.5),)}, r"edges must hold indices of the 2 joints, got \(0, 0.5\)"),
    ],
)
def test_values_that_are_no_skeleton_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Skeleton(**({"name": "a", "joints": ("x", "y")} | values))
