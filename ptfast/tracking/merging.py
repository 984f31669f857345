"""Merging hypotheses: from the joined tracklets of a video to one pose a person and frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from ptfast import _native
from ptfast._check import Array, check_finite, check_integer, check_number, check_shape, is_integral, is_tensor
from ptfast._columns import dilate, joint_boxes, on_host
from ptfast.structures import Poses, Tracklets
from ptfast.tracking._hypotheses import Plan, bridge_scores, find_pins, make_plan
from ptfast.tracking.shortest_path import PathMethod

Merge = Literal["spatiotemporal", "spatial", "temporal", "highest"]
Distance = Literal["pixels", "radius"]

SMOOTHNESS = {"pixels": 0.1, "radius": 1.0}  # what gives space and time about equal weight
SMALLEST_RADIUS = 1.0  # pixels, for two head joints in one place, which would leave no two hypotheses together
HEAD_SHARE = 0.15  # of a box's diagonal, where the head joints are unknown (contracts: head size)
SCORED = 0.2  # joints with a higher score make a pose's score (HRNet's)
MAX_ITER = 300  # of mean shift (scikit-learn's)
GRAIN = 1 << 16  # hypotheses that are worth a thread


def merge_hypotheses(
    tracklets: Tracklets, track_ids: Array, *, frames: int | None = None, merge: Merge = "spatiotemporal",
    method: PathMethod = "viterbi", weighted: bool = False, radius: float = 0.5, distance: Distance = "pixels",
    smoothness: float | None = None, min_joint_score: float = 0.0, previous: Poses | None = None,
) -> Poses:  # fmt: skip
    """Makes one pose of all the hypotheses that a person's tracklets give in a frame.

    The hypotheses of a joint are those of every tracklet of the person that covers the frame. They are clustered by
    mean shift (see mean_shift), and the joint takes one cluster C of its H hypotheses in every frame: the path that
    costs least, where a cluster costs 1 - |C| / |H| and a step `smoothness` times its length (see cheapest_path). The
    joint stands at the cluster's centre, with the mean score of the cluster's hypotheses.

    Frames without hypotheses of a joint, between frames that have some, are bridged: the path goes on across them, and
    the joint lies on the straight line between, with joint_visibility 1 and the lower of both ends' scores. Before its
    first and after its last hypothesis a joint is absent. A person is in every frame where any of their joints is.

    Clusters have `radius` times the person's head size in the frame: the median over the tracklets that cover it, of
    the distance of the two head joints, or 0.15 times the diagonal of the tracklet's box where one of them is no
    hypothesis or the skeleton has none. It is at least a pixel.

    Args:
        tracklets: Joined tracklets, NumPy or torch; entries before frame 0 or from `frames` on are ignored.
        track_ids: (M,) integers, the person of each; tracklets with a negative one are left out.
        frames: The video's length; None ends it with the last frame that any tracklet covers.
        merge: "spatiotemporal"; "spatial" takes the largest cluster of every frame, of several the one with the highest
            score; "temporal" takes the path through the hypotheses as they are, with no cost but smoothness; "highest"
            takes the hypothesis with the highest score.
        method: "viterbi" or "dijkstra", which find the same paths.
        weighted: Weight hypotheses by their scores in mean shift. Sizes of clusters still count hypotheses.
        radius: Of clusters, as a share of the head size.
        distance: Steps are measured in "pixels" or in "radius", that of clusters in the frame that the step leads to.
        smoothness: lambda; None for 0.1 a pixel or 1 a radius.
        min_joint_score: Hypotheses count if their score is higher.
        previous: The poses of the one frame before the first, with track ids, of a video that is merged in blocks:
            paths start from the places of their joints, and frames up to a joint's first hypothesis are bridged.

    Returns:
        The poses by frame, then track id, on the tracklets' device. A pose's score is the mean detection score of the
        tracklets that cover the frame (the lower of both ends' where none does) times the mean of its joint scores
        above 0.2. Its box is the extent of its joints, dilated by 20 %.

    Raises:
        ValueError: A shape or value is out of range, or a hypothesis is not finite.

    Source:
        Wang et al. 2020, section 3.3; "highest" is their baseline merge, and all four are rows of their Table 7.
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
    poses = _merged(host, plan, settings, find_pins(plan, host, previous))
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

    @property
    def step(self) -> float:
        return SMOOTHNESS[self.distance] if self.smoothness is None else float(self.smoothness)


def _merged(tracklets: Tracklets, plan: Plan, settings: MergeSettings, pins: np.ndarray) -> Poses:
    count, joints = len(plan.rows), len(tracklets.skeleton)
    keypoints, joint_scores = np.zeros((count, joints, 2), np.float32), np.zeros((count, joints), np.float32)
    visibility = np.zeros((count, joints), np.uint8)
    detections = _run(tracklets, plan, settings, pins, (keypoints, joint_scores, visibility))
    trusted = joint_scores > SCORED
    mean = np.where(trusted, joint_scores, 0).sum(1) / np.maximum(trusted.sum(1), 1)
    track_ids = np.empty(count, np.int64)
    track_ids[plan.rows] = np.repeat(plan.people, np.diff(plan.cells))
    poses = Poses(
        keypoints, plan.frame_offsets, tracklets.skeleton, joint_scores, visibility,
        dilate(joint_boxes(keypoints, visibility)), detections * mean, track_ids,
    )  # fmt: skip
    there = np.asarray(visibility.any(1))
    return poses if there.all() else poses.select(there)


def _run(
    tracklets: Tracklets, plan: Plan, settings: MergeSettings, pins: np.ndarray, merged: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Fills `merged`, (R, K, 2) keypoints, (R, K) scores and visibility, and returns the detection scores (R,)."""
    from ptfast.tracking import _merging
    from ptfast.tracking._numba import run_pieces

    length, joints = tracklets.keypoints.shape[1:3]
    keypoints = np.require(tracklets.keypoints, np.float32, ["C", "A"]).reshape(-1, joints, 2)
    joint_scores = np.require(tracklets.joint_scores, np.float32, ["C", "A"]).reshape(-1, joints)
    boxes = tracklets.boxes.astype(np.float64)
    fallback = HEAD_SHARE * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    top, bottom = tracklets.skeleton.head or (-1, -1)
    least = float(settings.min_joint_score)
    common = (keypoints, joint_scores, length, plan.order, plan.first, plan.offsets, plan.spans, plan.cells)
    heads, seen = np.empty(len(plan.rows)), np.empty(len(plan.rows))
    pieces = _pieces(plan, length, joints)
    run_pieces(
        lambda begin, end, *_: _merging.survey(
            *common, fallback, tracklets.scores.astype(np.float64), top, bottom, least, begin, end, heads, seen
        ),
        [piece for piece in pieces if piece[2] == 0],
    )
    radii = np.maximum(settings.radius * heads, SMALLEST_RADIUS)
    bad = run_pieces(
        lambda *piece: _merging.merge_people(
            *common, plan.rows, radii, pins, get_args(Merge).index(settings.merge), settings.method == "dijkstra",
            bool(settings.weighted), settings.distance == "radius", settings.step, least, MAX_ITER, *piece, *merged,
        ),
        pieces,
    )  # fmt: skip
    if max(bad, default=-1) >= 0:
        row, t = divmod(max(bad), length)
        _complain(tracklets, row, t, least)
    scores = np.empty(len(plan.rows), np.float32)
    scores[plan.rows] = bridge_scores(seen, plan)
    return scores


def _pieces(plan: Plan, length: int, joints: int) -> list[tuple[int, int, int, int]]:
    """Ranges of people and of joints, enough of them to keep all threads busy."""
    from ptfast.tracking._numba import PIECES_PER_THREAD, even_pieces

    if len(plan.people) == 0:
        return []
    people = even_pieces(plan.offsets * (length * joints), GRAIN)
    work = len(plan.order) * length * joints
    wanted = min(PIECES_PER_THREAD * _native.num_threads(), work // GRAIN)
    cuts = np.linspace(0, joints, max(1, min(joints, wanted // len(people))) + 1).astype(int).tolist()
    return [(*piece, low, high) for piece in people for low, high in pairwise(cuts)]


def _complain(tracklets: Tracklets, row: int, t: int, least: float) -> None:
    keypoints, scores = tracklets.keypoints[row, t], tracklets.joint_scores[row, t]
    bad = (scores > least) & ~(np.isfinite(keypoints).all(-1) & np.isfinite(scores))
    joint = int(bad.argmax())
    raise ValueError(
        f"keypoints and joint_scores must be finite where a hypothesis counts, got {keypoints[joint].tolist()} with "
        f"score {scores[joint]} at ({row}, {t}, {joint})"
    )
