"""A walking body: bone lengths that differ from person to person, and the places of joints at a phase of the gait.

A person's own axes are forward, left and up, in metres, from the point on the ground below the pelvis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.skeletons import COCO_17, Skeleton

JOINTS: tuple[str, ...] = (*COCO_17.joints, "head_bottom", "head_top")

# Limbs behind which others are hidden: two joints and half the thickness, in body heights.
LIMBS: tuple[tuple[str, str, float], ...] = (
    ("head_bottom", "head_top", 0.055),
    ("left_shoulder", "left_hip", 0.060),
    ("right_shoulder", "right_hip", 0.060),
    ("left_shoulder", "right_hip", 0.060),
    ("right_shoulder", "left_hip", 0.060),
    ("left_hip", "left_knee", 0.045),
    ("right_hip", "right_knee", 0.045),
    ("left_knee", "left_ankle", 0.035),
    ("right_knee", "right_ankle", 0.035),
    ("left_shoulder", "left_elbow", 0.032),
    ("right_shoulder", "right_elbow", 0.032),
    ("left_elbow", "left_wrist", 0.026),
    ("right_elbow", "right_wrist", 0.026),
)

# Mean lengths in body heights, after the segment lengths of Drillis and Contini (1966), and their relative spread.
_LENGTHS = {
    "shin": 0.246, "thigh": 0.245, "ankle": 0.039, "hip": 0.052, "torso": 0.295, "shoulder": 0.112, "neck": 0.040,
    "head": 0.135, "upper_arm": 0.180, "forearm": 0.150,
}  # fmt: skip
_SPREAD = 0.04


@dataclass(frozen=True)
class Bodies:
    """Lengths in metres of B people, (B,) each: `height`, and the bones by name."""

    height: np.ndarray
    bones: dict[str, np.ndarray]

    @staticmethod
    def draw(rng: np.random.Generator, count: int) -> Bodies:
        """Random people, 1.45 to 1.95 m tall, with bones that differ by a few percent."""
        height = np.clip(rng.normal(1.70, 0.09, count), 1.45, 1.95)
        spread = np.clip(rng.normal(1, _SPREAD, (len(_LENGTHS), count)), 0.88, 1.12)
        bones = {name: height * mean * own for (name, mean), own in zip(_LENGTHS.items(), spread, strict=True)}
        return Bodies(height, bones)

    def take(self, index: np.ndarray) -> Bodies:
        """The people of `index`, whose shape the lengths take on."""
        return Bodies(self.height[index], {name: length[index] for name, length in self.bones.items()})


def joint_indices(skeleton: Skeleton) -> np.ndarray:
    """(K,) int64 positions in JOINTS of a skeleton's joints.

    Raises:
        ValueError: The skeleton has a joint that the body lacks.
    """
    body = Skeleton("body", JOINTS, (), (), (0.05,) * len(JOINTS))
    index = body.indices_of(skeleton)
    if (index < 0).any():
        missing = skeleton.joints[int(np.argmax(index < 0))]
        raise ValueError(f"skeleton must have joints of a human body ({', '.join(JOINTS)}), got {missing!r}")
    return index


def walking_joints(
    bodies: Bodies, phase: np.ndarray, effort: np.ndarray, wave: np.ndarray, clock: np.ndarray
) -> np.ndarray:
    """(..., len(JOINTS), 3) float32: forward, left and up in metres, of people at a moment of their walk.

    Args:
        bodies: Lengths of shape (...).
        phase: (...) radians of the gait cycle of two steps.
        effort: (...) 0 standing, 1 walking, 1.6 running.
        wave: (...) 0 to 1, the height of the right arm, which is raised to wave.
        clock: (...) seconds, which move a waving hand.
    """
    bone = bodies.bones
    knees_and_ankles = {1: _leg(bone, phase, effort), -1: _leg(bone, phase + np.pi, effort)}
    lowest = np.maximum(-knees_and_ankles[1][1][..., 2], -knees_and_ankles[-1][1][..., 2])
    pelvis = _vector(0.0 * phase, 0.02 * effort * np.sin(phase), lowest + bone["ankle"])
    chest = pelvis + _along(bone["torso"], 0.03 + 0.05 * effort, 0.0)
    twist = 0.12 * effort * np.sin(phase)
    joints = _head(bone, chest)
    for side, sign in (("left", 1), ("right", -1)):
        hip = pelvis + _sideways(sign * bone["hip"], -twist)
        shoulder = chest + _sideways(sign * bone["shoulder"], twist)
        knee, ankle = knees_and_ankles[sign]
        swing = -sign * np.sin(phase)
        elbow, wrist = _waving_arm(bone, swing, effort, wave, clock) if sign < 0 else _arm(bone, swing, effort, sign)
        parts = {"hip": hip, "knee": hip + knee, "ankle": hip + ankle}
        parts |= {"shoulder": shoulder, "elbow": shoulder + elbow, "wrist": shoulder + wrist}
        joints |= {f"{side}_{name}": place for name, place in parts.items()}
    return np.stack([joints[name] for name in JOINTS], -2).astype(np.float32)


def _leg(bone: dict[str, np.ndarray], phase: np.ndarray, effort: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knee and ankle from the hip: the thigh swings, and the knee bends while the leg comes forward."""
    thigh = effort * (0.40 * np.sin(phase) + 0.06)
    bend = 0.08 + effort * (0.85 * np.maximum(np.cos(phase + 0.3), 0) ** 2 + 0.05)
    knee = _along(bone["thigh"], thigh, 0.0, down=True)
    return knee, knee + _along(bone["shin"], thigh - bend, 0.0, down=True)


def _arm(
    bone: dict[str, np.ndarray], swing: np.ndarray, effort: np.ndarray, sign: int
) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist from the shoulder of an arm that swings (-1 back, 1 forward); sign 1 left, -1 right."""
    upper = effort * 0.45 * swing
    lower = upper + 0.20 + effort * 0.25 * (1 + swing) + 0.9 * np.maximum(effort - 1, 0)
    elbow = _along(bone["upper_arm"], upper, sign * 0.12, down=True)
    return elbow, elbow + _along(bone["forearm"], lower, sign * 0.05, down=True)


def _waving_arm(
    bone: dict[str, np.ndarray], swing: np.ndarray, effort: np.ndarray, wave: np.ndarray, clock: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The right arm, which swings, is raised aside with a waving hand, or is somewhere between."""
    elbow, wrist = _arm(bone, swing * (1 - wave), effort * (1 - wave), -1)
    upper, hand = 0.12 + 1.6 * wave, wave * (2.8 + 0.45 * np.sin(9 * clock))
    raised_elbow = _along(bone["upper_arm"], 0.0, -upper, down=True)
    raised_wrist = raised_elbow + _along(bone["forearm"], 0.2 * wave, -hand, down=True)
    share = wave[..., None]
    return (1 - share) * elbow + share * raised_elbow, (1 - share) * wrist + share * raised_wrist


def _head(bone: dict[str, np.ndarray], chest: np.ndarray) -> dict[str, np.ndarray]:
    neck = chest + _along(bone["neck"], 0.1, 0.0)
    head = bone["head"]
    joints = {"head_bottom": neck, "head_top": neck + _along(head, 0.15, 0.0)}
    places = {"nose": (0.46, 0.0, 0.45), "eye": (0.40, 0.18, 0.60), "ear": (0.08, 0.40, 0.55)}
    for name, (forward, left, up) in places.items():
        for side, sign in (("", 1),) if name == "nose" else (("left_", 1), ("right_", -1)):
            joints[side + name] = neck + _vector(forward * head, sign * left * head, up * head)
    return joints


def _vector(forward: np.ndarray, left: np.ndarray, up: np.ndarray) -> np.ndarray:
    return np.stack(np.broadcast_arrays(forward, left, up), -1)


def _along(length: np.ndarray, pitch: np.ndarray | float, roll: np.ndarray | float, down: bool = False) -> np.ndarray:
    """A bone that stands up (hangs down), tilted forward by `pitch` and to the left by `roll`, in radians."""
    upright = length * np.cos(roll)
    height = upright * np.cos(pitch)
    return _vector(upright * np.sin(pitch), length * np.sin(roll), -height if down else height)


def _sideways(length: np.ndarray, twist: np.ndarray) -> np.ndarray:
    return _vector(length * -np.sin(twist), length * np.cos(twist), 0.0 * twist)
