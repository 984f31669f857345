"""The outlines of people in an image: limbs as capsules, the torso, the head and its face."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np

from ptfast.synthetic._outlines import CIRCLE, Part, capsules, ellipse, square_map, unit_across, upright
from ptfast.synthetic.body import JOINTS

# Points beyond the joints, which follow them in the points of `_extended`.
_MORE = ("left_toe", "right_toe", "left_hand", "right_hand")
_POINTS = {name: index for index, name in enumerate((*JOINTS, *_MORE))}

# Capsules: texture, two ends, half the thickness at each end and the distance by which they are drawn nearer than their
# ends, in body heights. It puts a sleeve over the shirt and a shirt over the trousers.
_CAPSULES = (
    ("foot", "left_ankle", "left_toe", 0.024, 0.017, 0.00),
    ("foot", "right_ankle", "right_toe", 0.024, 0.017, 0.00),
    ("shin", "left_knee", "left_ankle", 0.036, 0.022, 0.01),
    ("shin", "right_knee", "right_ankle", 0.036, 0.022, 0.01),
    ("thigh", "left_hip", "left_knee", 0.052, 0.036, 0.02),
    ("thigh", "right_hip", "right_knee", 0.052, 0.036, 0.02),
    ("pelvis", "left_hip", "right_hip", 0.052, 0.052, 0.06),
    ("upper_arm", "left_shoulder", "left_elbow", 0.033, 0.025, 0.05),
    ("upper_arm", "right_shoulder", "right_elbow", 0.033, 0.025, 0.05),
    ("forearm", "left_elbow", "left_wrist", 0.025, 0.017, 0.06),
    ("forearm", "right_elbow", "right_wrist", 0.025, 0.017, 0.06),
    ("hand", "left_wrist", "left_hand", 0.019, 0.016, 0.05),
    ("hand", "right_wrist", "right_hand", 0.019, 0.016, 0.05),
    ("neck", "head_bottom", "head_bottom", 0.030, 0.030, 0.00),
)
_PELVIS = [row[0] for row in _CAPSULES].index("pelvis")
_FIRST = np.array([_POINTS[row[1]] for row in _CAPSULES])
_SECOND = np.array([_POINTS[row[2]] for row in _CAPSULES])
_RADII = np.array([row[3:5] for row in _CAPSULES], np.float32)
_BIAS = np.array([row[5] for row in _CAPSULES], np.float32)
_TORSO_RADII = np.array([0.058, 0.058, 0.054, 0.054], np.float32)  # about the shoulders and hips
_HEAD_HALF_WIDTH = 0.052
_FOOT, _HAND = 0.085, 0.035  # lengths of feet and hands, in body heights
_SHOULDERS = [_POINTS["left_shoulder"], _POINTS["right_shoulder"]]
_HIPS = [_POINTS["left_hip"], _POINTS["right_hip"]]
_ANKLES = [_POINTS["left_ankle"], _POINTS["right_ankle"]]
_NECK, _TOP, _NOSE = _POINTS["head_bottom"], _POINTS["head_top"], _POINTS["nose"]


@dataclass(frozen=True)
class Body:
    """One person's parts from the farthest to the nearest, the dots of the face, and the shadow's place and width."""

    parts: list[Part]
    dots: list[tuple[np.ndarray, float]]
    shadow: tuple[np.ndarray, float]


def bodies(joints: np.ndarray, nearness: np.ndarray, height: np.ndarray, focal: float, build: np.ndarray) -> list[Body]:
    """Outlines of P people.

    Args:
        joints: (P, J, 2) float32 pixels, J = len(JOINTS).
        nearness: (P, J) float32 pixels per metre at each joint.
        height: (P,) float32 pixels, body heights.
        focal: Focal length of the camera in pixels.
        build: (P,) float32 factor on thicknesses.
    """
    facing, front = _facing(joints, nearness, focal)
    points, near = _extended(joints, nearness, facing, height)
    radii = _RADII * (height * build)[:, None, None]
    outlines, matrices = capsules(points[:, _FIRST], points[:, _SECOND], radii)
    matrices[:, _PELVIS] = upright(points[:, _HIPS], radii[:, _PELVIS, :1])
    ends = (near[:, _FIRST] + near[:, _SECOND]) / 2
    # A step of one body height towards the camera, in pixels per metre: height * nearness / focal of the nearness.
    step = (height / focal * near.mean(1))[:, None]
    order = ends + _BIAS * step
    torso_order = near[:, _SHOULDERS + _HIPS].mean(1) + 0.07 * step[:, 0]
    head_order = near[:, _NECK] + 0.10 * step[:, 0]
    ranks = np.concatenate([order, torso_order[:, None]], 1)
    feet = points[:, _ANKLES].mean(1)
    feet[:, 1] += 0.035 * height
    found = []
    for person in range(len(joints)):
        parts = [
            Part(row[0], row[0] + row[1], *pair)
            for row, *pair in zip(_CAPSULES, outlines[person], matrices[person], strict=True)
        ]
        parts.append(_torso(points[person], height[person] * build[person]))
        head, dots = _head(points[person], facing[person], float(front[person]), height[person])
        parts = [parts[index] for index in np.argsort(ranks[person], kind="stable")]
        behind = int((ranks[person] <= head_order[person]).sum())
        body = parts[:behind] + head + parts[behind:]
        found.append(Body(body, dots, (feet[person], 0.17 * float(height[person]))))
    return found


def _facing(joints: np.ndarray, nearness: np.ndarray, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Directions of faces: (P, 2) in the image, of length 1 when seen from the side, and (P,) towards the camera.

    The nose is ahead of the ears, and a little below, by a known share of the head.
    """
    nose, left, right = (_POINTS[name] for name in ("nose", "left_ear", "right_ear"))
    top, neck = joints[:, _TOP], joints[:, _NECK]
    ears = (joints[:, left] + joints[:, right]) / 2
    length = np.maximum(np.hypot(*(top - neck).T), 1e-3)
    ahead = (joints[:, nose] - ears + 0.1 * (top - neck) * [1, -1]) / (0.38 * length[:, None])
    depths = focal / nearness[:, [left, right, nose]]
    metres = length / nearness[:, _NECK]
    front = (depths[:, :2].mean(1) - depths[:, 2]) / (0.38 * metres)
    return ahead.astype(np.float32), np.clip(front, -1, 1)


def _extended(
    joints: np.ndarray, nearness: np.ndarray, facing: np.ndarray, height: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joints and the points of _MORE: (P, points, 2) and their nearness (P, points)."""
    elbows, wrists = ([_POINTS[f"{side}_{name}"] for side in ("left", "right")] for name in ("elbow", "wrist"))
    ahead = facing * [1, 0.35] * _FOOT + np.array([0, 0.022])
    toes = joints[:, _ANKLES] + (ahead * height[:, None])[:, None]
    forearm = joints[:, wrists] - joints[:, elbows]
    share = _HAND / 0.15
    hands = joints[:, wrists] + share * forearm
    points = np.concatenate([joints, toes, hands], 1).astype(np.float32)
    return points, np.concatenate([nearness, nearness[:, _ANKLES], nearness[:, wrists]], 1)


def _torso(points: np.ndarray, thickness: np.ndarray) -> Part:
    """The hull of discs about shoulders and hips, a little inside of them."""
    shoulders, hips = points[_SHOULDERS], points[_HIPS]
    top, bottom = (shoulders[0] + shoulders[1]) / 2, (hips[0] + hips[1]) / 2
    spine = bottom - top
    shoulders = shoulders + 0.30 * (top - shoulders) + 0.08 * spine
    hips = hips + 0.08 * (bottom - hips) - 0.10 * spine
    discs = np.concatenate([shoulders, hips])[:, None] + (_TORSO_RADII * thickness)[:, None, None] * CIRCLE
    outline = cv2.convexHull(discs.reshape(-1, 2))[:, 0]
    half = float(np.hypot(*(shoulders[0] - shoulders[1]))) / 2 + float(_TORSO_RADII[0] * thickness)
    side = unit_across(spine)
    return Part("torso", "torso", outline, square_map(2 * half * side, 1.2 * spine, top - 0.15 * spine - half * side))


def _head(
    points: np.ndarray, facing: np.ndarray, front: float, height: float
) -> tuple[list[Part], list[tuple[np.ndarray, float]]]:
    """The head in its hair, the face on the side that it turns to, and the eyes, (2,) pixels and radii."""
    top, neck = points[_TOP], points[_NECK]
    centre, half = (top + neck) / 2, (neck - top) / 2
    side = unit_across(half)
    wide = _HEAD_HALF_WIDTH * height
    parts = [ellipse("hair", centre, wide * side, half)]
    if front < -0.55:
        return parts, []
    share = 0.58 + 0.27 * max(front, 0.0)  # of the head's width that the face takes
    shift = (1 - share) * wide * float(np.clip(facing @ side, -1, 1))
    middle = centre + shift * side + 0.17 * half
    parts.append(ellipse("face", middle, share * (1 + min(front, 0.0)) * wide * side, 0.80 * half))
    nose = ellipse(
        "face", points[_NOSE], 0.010 * height * side, 0.014 * height * half / max(float(np.hypot(*half)), 1e-3)
    )
    parts.append(dataclasses.replace(nose, key="nose"))
    eyes = [points[_POINTS[f"{one}_eye"]] for one in ("left", "right")] if front > -0.1 else []
    offsets = [float((eye - centre) @ side) / wide for eye in eyes]
    return parts, [(eye, 0.006 * height) for eye, offset in zip(eyes, offsets, strict=True) if abs(offset) < 0.78]
