"""Merging of hypotheses: from the joined tracklets of a video to one pose a person and frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ptfast._check import Array, check_finite, check_integer, check_number, check_shape, is_integral, is_tensor
from ptfast._columns import dilate, joint_boxes, on_host
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, Tracklets
from ptfast.tracking._kernels.records import Merged, Options, Plan
from ptfast.tracking._merging import merge_joints
from ptfast.tracking._plan import find_pins, make_plan
from ptfast.tracking.shortest_path import PathMethod

Merge = Literal["spatiotemporal", "spatial", "temporal", "highest"]
Distance = Literal["pixels", "radius"]

SMOOTHNESS = {"pixels": 0.1, "radius": 1.0}  # gives space and time about equal weight
SCORED = 0.2  # joints with a higher score make a pose's score (HRNet's)
MAX_ITER = 300  # of mean shift (scikit-learn's)


def merge_hypotheses(
    tracklets: Tracklets, track_ids: Array, *, frames: int | None = None, merge: Merge = "spatiotemporal",
    method: PathMethod = "viterbi", weighted: bool = False, radius: float = 0.5, distance: Distance = "pixels",
    smoothness: float | None = None, min_joint_score: float = 0.0, previous: Poses | None = None,
) -> Poses:  # fmt: skip
    """Makes one pose of all the hypotheses that a person's tracklets give in a frame.

    Every tracklet of a person that covers a frame gives each joint one of its hypotheses H there. They are clustered by
    mean shift (see mean_shift). The joint takes one cluster C in every frame, by the cheapest path, where a cluster
    costs 1 - |C| / |H| and a step `smoothness` times its length (see cheapest_path). The joint is at the cluster's
    centre, with the mean score of the cluster's hypotheses.

    Frames without hypotheses of a joint, between frames that have some, are bridged: the path goes on across them, and
    the joint lies on the straight line between, with joint_visibility 1 and the lower of both ends' scores. Before its
    first and after its last hypothesis a joint is absent. A person is in every frame where any of their joints is.

    The radius of clusters is `radius` times the person's head size in the frame, and at least a pixel. The head size is
    the median over the tracklets that cover the frame. A tracklet's is the distance of its two head joints, or 0.15
    times the diagonal of its box where one of them is no hypothesis or the skeleton has none.

    Args:
        tracklets: Joined tracklets, NumPy or torch. Entries before frame 0 or from `frames` on are ignored.
        track_ids: (M,) integers, the person of each. Tracklets with a negative one are left out.
        frames: The video's length. None ends it with the last frame that any tracklet covers.
        merge: "spatiotemporal" as above. "spatial" takes the largest cluster of every frame, of several the one with
            the highest score. "temporal" takes the path through the hypotheses as they are, with no cost but
            smoothness. "highest" takes the hypothesis with the highest score.
        method: "viterbi" or "dijkstra", which find the same paths.
        weighted: Weight hypotheses by their scores in mean shift. Sizes of clusters still count hypotheses.
        radius: Of clusters, as a share of the head size.
        distance: The unit of steps, "pixels" or "radius", that of clusters in the frame that a step leads to.
        smoothness: lambda. None is 0.1 a pixel or 1 a radius.
        min_joint_score: Hypotheses count if their score is higher.
        previous: The poses of the one frame before the first, with track ids, of a video that is merged in blocks.
            Paths start from the places of their joints, and frames up to a joint's first hypothesis are bridged.

    Returns:
        The poses by frame, then track id, on the tracklets' device. A pose's score is the mean detection score of the
        tracklets that cover the frame (the lower of both ends' where none does) times the mean of its joint scores
        above 0.2. Its box is the extent of its joints, dilated by 20 %.

    Raises:
        ValueError: A shape or value is out of range, or a hypothesis is not finite.

    Source:
        Wang et al. 2020, section 3.3. "highest" is their baseline merge. All four are rows of their table 7.
    """
    settings = MergeSettings(merge, method, weighted, radius, distance, smoothness, min_joint_score)
    host = tracklets.numpy()
    check_finite("boxes", host.boxes)
    check_finite("scores", host.scores)
    ids = on_host(track_ids)
    check_shape("track_ids", ids, ("M",), M=len(host))
    if ids.size and not is_integral(ids):
        raise TypeError(f"track_ids must hold integers, got {ids.dtype}")
    if frames is None:
        frames = max(0, int(host.first_frame.max(initial=-1)) + host.keypoints.shape[1]) if len(host) else 0
    plan = make_plan(host, ids.astype(np.int64), check_integer("frames", frames, 0), previous)
    merged, detections = merge_joints(host, plan, find_pins(plan, host, previous), settings.options(), settings.radius)
    poses = _as_poses(merged, detections, plan, host.skeleton)
    return poses.to(tracklets.keypoints.device) if is_tensor(tracklets.keypoints) else poses


@dataclass(frozen=True)
class MergeSettings:
    """The arguments of `merge_hypotheses`, checked."""

    merge: Merge
    method: PathMethod
    weighted: bool
    radius: float
    distance: Distance
    smoothness: float | None
    min_joint_score: float

    def __post_init__(self) -> None:
        for name, kind in (("merge", Merge), ("method", PathMethod), ("distance", Distance)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {get_args(kind)}, got {getattr(self, name)!r}")
        check_number("radius", self.radius, 1e-6, 1e6)
        if self.smoothness is not None:
            check_number("smoothness", self.smoothness, 0)
        check_number("min_joint_score", self.min_joint_score, -float("inf"))
        if self.weighted and self.min_joint_score < 0:
            raise ValueError(f"min_joint_score must be at least 0 for weights by score, got {self.min_joint_score}")

    def options(self) -> Options:
        """These settings as the kernels take them, without the radius."""
        smoothness = SMOOTHNESS[self.distance] if self.smoothness is None else float(self.smoothness)
        return Options(
            get_args(Merge).index(self.merge), self.method == "dijkstra", bool(self.weighted),
            self.distance == "radius", smoothness, float(self.min_joint_score), MAX_ITER,
        )  # fmt: skip


def _as_poses(merged: Merged, detections: np.ndarray, plan: Plan, skeleton: Skeleton) -> Poses:
    """Poses of merged joints and detection scores (R,); rows without a joint are dropped."""
    trusted = merged.scores > SCORED
    mean = np.where(trusted, merged.scores, 0).sum(1) / np.maximum(trusted.sum(1), 1)
    track_ids = np.empty(len(detections), np.int64)
    track_ids[plan.rows] = np.repeat(plan.people, np.diff(plan.cells))
    boxes = dilate(joint_boxes(merged.keypoints, merged.visibility))
    poses = Poses(
        merged.keypoints, plan.frame_offsets, skeleton, merged.scores, merged.visibility, boxes, detections * mean,
        track_ids,
    )  # fmt: skip
    there = np.asarray(merged.visibility.any(1))
    return poses if there.all() else poses.select(there)
