"""Named joint sets: joint order, edges, flip pairs, OKS sigmas and the two joints that span the head."""

from __future__ import annotations

import codecs
import math
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from ptfast._json import decode

# Other names under which public files know the same joint.
_SYNONYMS = {"neck": "head_bottom", "upper_neck": "head_bottom", "top_head": "head_top"}
_DEFAULT_SIGMA = 0.05


@dataclass(frozen=True)
class Skeleton:
    """A joint set.

    Attributes:
        name: Short name, e.g. "posetrack_17".
        joints: K joint names in array order.
        edges: Pairs of joint indices to draw as bones.
        flip_pairs: Pairs of joint indices that swap when an image is mirrored.
        sigmas: K falloff constants of OKS (COCO's sigma; the OKS term uses 2 sigma); 0.05 each where none are given.
        head: Indices of (head top, head bottom), whose distance is the head size where no head box is known, or None.

    Raises:
        ValueError: Joints are no distinct names, sigmas no finite numbers, one a joint, or an index is none of a joint.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()
    sigmas: tuple[float, ...] = ()
    head: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.joints, str) or not all(isinstance(joint, str) for joint in self.joints):
            raise ValueError(f"joints must be names, got {self.joints!r}")
        if len(self.sigmas) == 0:
            object.__setattr__(self, "sigmas", (_DEFAULT_SIGMA,) * len(self.joints))
        if len(self.sigmas) != len(self.joints):
            raise ValueError(f"sigmas must have {len(self.joints)} values, one a joint, got {len(self.sigmas)}")
        for joint, sigma in zip(self.joints, self.sigmas, strict=True):
            if not isinstance(sigma, Real) or not 0 <= sigma < math.inf:
                raise ValueError(f"sigmas must be finite numbers of at least 0, got {sigma!r} for {joint}")
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"joints must have distinct names, got {self.joints}")
        count = len(self.joints)
        for name, pairs in (("edges", self.edges), ("flip_pairs", self.flip_pairs), ("head", (self.head,))):
            for pair in pairs:
                if pair is not None and not all(isinstance(j, Integral) and 0 <= j < count for j in pair):
                    raise ValueError(f"{name} must hold indices of the {count} joints, got {pair}")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Index of a joint by name or synonym ("neck" is "head_bottom"); -1 if the skeleton lacks it."""
        wanted = _SYNONYMS.get(joint, joint)
        names = [_SYNONYMS.get(name, name) for name in self.joints]
        return names.index(wanted) if wanted in names else -1

    def indices_of(self, other: Skeleton) -> np.ndarray:
        """(len(other),) int64: where each joint of `other` stands in this skeleton, -1 where it is absent."""
        return np.array([self.index(joint) for joint in other.joints], np.int64)

    @staticmethod
    def from_json(path: str | Path) -> Skeleton:
        """Reads a skeleton for animals, hands or any other joint set.

        The file holds {"name", "joints": [...], "edges": [[i, j], ...], "flip_pairs": [[i, j], ...], "sigmas": [...],
        "head": [i, j]}; edges, flip_pairs and head may be left out, sigmas default to 0.05.

        Raises:
            ValueError: A key is missing, or a value or a length is wrong; the message names the file.
        """
        return decode(Path(path).read_bytes().removeprefix(codecs.BOM_UTF8), Skeleton, path)


# COCO's order and sigmas (Microsoft COCO keypoint evaluation, computed from repeated annotation).
COCO_17 = Skeleton(
    name="coco_17",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
        (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
        0.089,
    ),
)  # fmt: skip

# PoseTrack 2018's order. No sigma set is official; these are COCO's, with the shoulder's value for neck and head top
# as PoseTrack21's baselines use: COCO's eye sigmas, which other code keeps there, are too sharp for those joints.
POSETRACK_17 = Skeleton(
    name="posetrack_17",
    joints=(
        "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
        (1, 2), (0, 1), (0, 2), (1, 5), (1, 6),
    ),
    flip_pairs=((3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        0.026, 0.079, 0.079, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
        0.089,
    ),
    head=(2, 1),
)  # fmt: skip

# PoseTrack 2017's order, which the official evaluator reports in: POSETRACK_17 without ears.
POSETRACK_15 = Skeleton(
    name="posetrack_15",
    joints=(
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
        "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "head_bottom", "nose", "head_top",
    ),
    edges=(
        (0, 1), (1, 2), (5, 4), (4, 3), (2, 3), (2, 8), (3, 9), (8, 9), (6, 7), (7, 8), (11, 10), (10, 9), (8, 12),
        (9, 12), (12, 13), (13, 14),
    ),
    flip_pairs=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
    sigmas=(
        0.089, 0.087, 0.107, 0.107, 0.087, 0.089, 0.062, 0.072, 0.079, 0.079, 0.072, 0.062, 0.079, 0.026, 0.079,
    ),
    head=(14, 12),
)  # fmt: skip

SKELETONS = {skeleton.name: skeleton for skeleton in (COCO_17, POSETRACK_15, POSETRACK_17)}
