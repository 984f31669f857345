"""Seeded scenes of people who walk, run, turn, wave, cross and hide each other, as poses with ids."""

from __future__ import annotations

import numpy as np

from ptfast._check import check_number
from ptfast._columns import offsets_of
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic._boxes import body_boxes
from ptfast.synthetic.body import JOINTS, joint_indices
from ptfast.synthetic.occlusion import hidden_joints
from ptfast.synthetic.stage import Stage, stage

_MIN_JOINTS = 3  # people with fewer joints in the image are not annotated
_HEAD_WIDTH = 0.75  # of the distance from neck to head top
_HEAD_MARGIN = 0.06  # above and below, of the same


def scene(
    seed: int = 0,
    *,
    frames: int = 240,
    people: int = 6,
    size: tuple[int, int] = (640, 360),
    skeleton: Skeleton = POSETRACK_15,
    fps: float = 25.0,
    pan: float = 0.0,
    shake: float = 0.0,
) -> Poses:
    """Makes a scene of articulated people with known ids.

    People enter at one side, walk or run across at depths of 4 to 11 metres and leave at the other side. Some stop on
    their way, turn to the camera and wave. Who comes next is somebody else, with another id. Memory grows with frames x
    people x people. For very long videos take `crowd`.

    Args:
        seed: The same seed gives the same scene.
        frames: F, number of frames.
        people: Number of people at a time, the short pauses between two of them aside.
        size: Width and height of the image in pixels.
        skeleton: A joint set of human bodies, such as those of `ptfast.skeletons`.
        fps: Frames a second, which sets how far people move from frame to frame.
        pan: Degrees by which the camera swings to either side, once in eight seconds.
        shake: Degrees, standard deviation, by which the hand that holds the camera shakes.

    Returns:
        Poses with track_ids from 0 in the order of appearance, boxes, head_boxes, frame_names, frame_size and
        is_labeled. joint_visibility is 2 where a joint is seen, 1 where another person hides it and 0, the joint at
        (0, 0), where it is outside the image. People with fewer than three joints in the image are left out.

    Raises:
        ValueError: A number is negative or zero where it must not be, or the skeleton is not a human body's.
    """
    check_number("frames", frames, 0)
    check_number("people", people, 1)
    check_number("size", min(size), 1)
    check_number("fps", fps, 1)
    return annotated(stage(seed, frames, people, size, fps, pan, shake), seed, skeleton)[0]


def annotated(staged: Stage, seed: int, skeleton: Skeleton) -> tuple[Poses, np.ndarray]:
    """The poses of a scene that is staged, and (F, P) bool: the slots that they are of, frame by frame."""
    index = joint_indices(skeleton)
    frames, size = len(staged.joints), staged.size
    visibility = _visibility(staged)[..., index]
    kept = staged.present & ((visibility > 0).sum(-1) >= _MIN_JOINTS)
    visibility = visibility[kept]
    keypoints = np.where(visibility[..., None] > 0, staged.joints[..., index, :][kept], np.float32(0))
    poses = Poses(
        keypoints=keypoints,
        frame_offsets=offsets_of(kept.sum(1)),
        skeleton=skeleton,
        joint_scores=(visibility > 0).astype(np.float32),
        joint_visibility=visibility,
        boxes=body_boxes(keypoints, visibility),
        track_ids=_in_order_of_appearance(staged.visitor[kept]),
        head_boxes=_head_boxes(staged.joints[kept]),
        sequence=f"synthetic_{seed:06d}",
        frame_names=tuple(f"images/synthetic_{seed:06d}/{frame:06d}.jpg" for frame in range(frames)),
        is_labeled=np.ones(frames, bool),
        frame_size=np.tile(np.array(size, np.int64), (frames, 1)),
    )
    return poses, kept


def _visibility(staged: Stage) -> np.ndarray:
    """(F, P, J) uint8: 0 outside the image, 1 behind somebody, 2 seen."""
    limit = np.array(staged.size, np.float32) - 1
    inside = ((staged.joints >= 0) & (staged.joints <= limit)).all(-1)
    hidden = hidden_joints(staged.joints, staged.nearness, staged.heights, staged.present)
    return np.where(inside, np.where(hidden, np.uint8(1), np.uint8(2)), np.uint8(0))


def _in_order_of_appearance(visitor: np.ndarray) -> np.ndarray:
    """(N,) numbers of any kind as ids from 0, in the order in which they first come."""
    _, first, inverse = np.unique(visitor, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _head_boxes(joints: np.ndarray) -> np.ndarray:
    """(N, 4) float32 upright boxes about neck and head top of joints (N, J, 2)."""
    top, neck = joints[:, JOINTS.index("head_top")], joints[:, JOINTS.index("head_bottom")]
    length = np.linalg.norm(top - neck, axis=1, keepdims=True)
    half = length * np.array([0.5 * _HEAD_WIDTH, 0.5 + _HEAD_MARGIN], np.float32)
    centre = (top + neck) / 2
    return np.concatenate([centre - half, centre + half], 1)
