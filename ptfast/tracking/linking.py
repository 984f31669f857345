"""Linking of a whole video: filters, ids in one call, and the poses that have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ptfast._check import Array, is_tensor
from ptfast._columns import namespace_of
from ptfast.ops.assignment import Matcher
from ptfast.ops.linking import Motion, PoseColumns, link_columns
from ptfast.structures import Poses, head_sizes
from ptfast.tracking.costs import Cost, asks_python
from ptfast.tracking.frame_numbers import with_gaps
from ptfast.tracking.settings import MAX_COST, MIN_JOINT_SCORE, MIN_SCORE, SIGMA_SCALE, LinkSettings


def link(
    poses: Poses,
    *,
    cost: Cost = "oks",
    matcher: Matcher = "hungarian",
    lookback: int = 4,
    motion: Motion = "velocity",
    sigma_scale: float = SIGMA_SCALE,
    max_cost: float | None = MAX_COST,
    min_score: float | None = MIN_SCORE,
    min_joint_score: float | None = MIN_JOINT_SCORE,
    keep_filtered: bool = False,
    max_tracks: int | None = None,
) -> Poses:
    """Gives every pose of a video a track id.

    Poses under `min_score` are dropped, joints under `min_joint_score` are marked absent, and poses left without
    joints are dropped. Then, for d = 1 to `lookback`, the poses of every frame t that still lack a predecessor are
    matched with the poses of frame t - d that still lack a successor, at cost 1 - similarity. A pose takes its
    predecessor's id; the others get the next free id in frame and row order.

    Frames are counted by `poses.frame_ids` where they are there: a gap of numbers is a gap in time for lookback and
    velocity. The unit is the smallest step so far, as a linker that sees frames as they come knows it: numbers 5, 10,
    15, 25 are 1, 1 and 2 frames apart.

    lookback=1, max_cost=None and motion="none" is Detect-and-Track's linking (Girdhar et al. 2018, section 3.2); a
    larger lookback also offers each unmatched pose the tracks lost up to lookback - 1 frames ago.

    motion="velocity" moves the earlier pose by its whole body's velocity before it is compared, then matches the frame
    twice more after removing its common shift: the median displacement of all matched joints, which a moving camera
    gives to everyone. Each time it goes over d = 1 to `lookback` in two rounds, first with pairs that cost at most a
    sixth of max_cost (of 1 where there is none), then with the rest. Frames depend on each other and go in order; with
    motion="none" they go in parallel.

    A pose that shows fewer joints than the earlier one, such as a hand alone, is compared by OKS at the person's usual
    size: where it finds no partner in a frame at its own size, it is matched once more at the larger areas of the poses
    that show more, if a pair costs at most half of max_cost (of 1 where there is none). With motion="velocity" such an
    area is no less than what the track had while more joints were seen, so a person may show a hand for any number of
    frames. motion="none" knows the two poses alone, as its frames depend on no other: two hands in consecutive frames
    are compared at their own size. Full poses, the other costs and a cost function know nothing of this.

    Poses on a GPU are linked there where motion="none", the cost is a built-in one and no frame holds more than 64
    poses; `max_tracks` alone is then settled on the host. Otherwise all is done on the host, and the ids go back. They
    are those of the CPU, for OKS wherever two costs differ by more than 1e-5.

    Args:
        poses: The video's poses, NumPy or torch.
        cost: "oks" (with the current pose's area, taken as at least a third of the square of its box's longer side),
            "iou" (of boxes), "pckh" (share of joints within half a head size), or a function of two Poses of one
            frame each, earlier and current, that returns costs (N, M), or a `ptfast.tracking.MatchScorer`, whose pairs
            cost 1 - match score; people who would have moved by over two body lengths a frame cost 1 unseen.
        matcher: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: Number of frames back that a predecessor may be, at least 1. Time grows linearly with it.
        motion: "velocity" or "none".
        sigma_scale: Factor on the skeleton's OKS sigmas: evaluation's are too sharp for what people move in a frame.
        max_cost: Pairs that cost more are never made; None allows every pair.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all.
        keep_filtered: Return all poses and joints as they came, those that were dropped with id -1.
        max_tracks: At most this many poses of a frame get an id, first those that continue a track; the rest get -1.

    Returns:
        The poses that were linked (all of them with keep_filtered), with track_ids.

    Raises:
        ValueError: An argument is out of range, poses.frame_ids do not rise, or a joint that is not absent has a NaN or
            infinite coordinate.
    """
    settings = LinkSettings(
        cost, matcher, lookback, motion, sigma_scale, max_cost, min_score, min_joint_score, max_tracks
    )
    kept, keep = filter_poses(poses, min_score, min_joint_score)
    compared = kept.numpy() if asks_python(cost) else kept
    offsets, frames = with_gaps(kept.frame_offsets, kept.frame_ids, settings.lookback)
    options = settings.options(lambda number: compared.frame(int(frames[number])))
    ids = link_columns(columns_of(kept, cost), offsets, settings.sigmas(kept.skeleton), options)
    return with_ids(poses, kept, keep, ids, keep_filtered)


def filter_poses(poses: Poses, min_score: float | None, min_joint_score: float | None) -> tuple[Poses, Array]:
    """Drops what the thresholds drop (step 1 of `link`).

    Returns:
        The poses that are left, their joints under the threshold absent; and (N,) bool, True for the poses that are.
    """
    if min_joint_score is not None:
        weak = (poses.joint_scores < min_joint_score) & (poses.joint_visibility > 0)
        if is_tensor(weak) or weak.any():  # to ask a GPU takes longer than the copy
            poses = replace(poses, joint_visibility=poses.joint_visibility * ~weak)
    keep = _have_joints(poses.joint_visibility)
    if min_score is not None:
        keep &= poses.scores >= min_score
    return (poses if keep.all() else poses.select(keep)), keep


def columns_of(poses: Poses, cost: Cost) -> PoseColumns:
    """The columns that linking reads."""
    heads = head_sizes(poses) if cost == "pckh" else None
    return PoseColumns(poses.keypoints, poses.joint_visibility, poses.boxes, poses.areas, heads)


def with_ids(poses: Poses, kept: Poses, keep: Array, ids: Array, keep_filtered: bool) -> Poses:
    """The linked poses with their ids, or all poses with -1 for the others; of the kind that `poses` are.

    Args:
        poses: The poses that were given, N of them.
        kept: The M poses that the filters left.
        keep: (N,) bool, True for those.
        ids: (M,) int64 their track ids, of the kind of `keep`.
        keep_filtered: As in `link`.
    """
    if not keep_filtered:
        linked = kept.with_track_ids(ids)
        return linked.to(poses.keypoints.device) if is_tensor(poses.keypoints) else linked
    xp = namespace_of(keep)
    all_ids = xp.full_like(keep, -1, dtype=xp.int64)
    all_ids[keep] = ids
    return poses.with_track_ids(all_ids)


def _have_joints(joint_visibility: Array) -> Array:
    """(N,) bool, True for a pose with a joint that is not absent."""
    # Seldom is any joint of a video absent; NumPy tells that 20 times as fast as it reduces short rows.
    if not is_tensor(joint_visibility) and joint_visibility.all():
        return np.ones(len(joint_visibility), bool)
    return (joint_visibility > 0).any(1)
