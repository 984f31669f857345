"""Linking: track ids for a whole video of poses in one native call."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import is_tensor
from ptfast.structures import Poses
from ptfast.tracking._linking import (
    MAX_COST,
    MIN_JOINT_SCORE,
    MIN_SCORE,
    SIGMA_SCALE,
    Cost,
    LinkSettings,
    Matcher,
    Motion,
    columns_of,
    filter_poses,
    with_ids,
)


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

    lookback=1, max_cost=None and motion="none" is Detect-and-Track's linking (Girdhar et al. 2018, section 3.2); a
    larger lookback also offers each unmatched pose the tracks lost up to lookback - 1 frames ago.

    motion="velocity" moves the earlier pose by its whole body's velocity before it is compared, then matches the frame
    twice more after removing its common shift: the median displacement of all matched joints, which a moving camera
    gives to everyone. Each time it goes over d = 1 to `lookback` in two rounds, first with pairs that cost at most a
    sixth of max_cost (of 1 where there is none), then with the rest. Frames depend on each other and go in order; with
    motion="none" they go in parallel.

    Poses on a GPU are linked there where motion="none", the cost is a built-in one and no frame holds more than 64
    poses; `max_tracks` alone is then settled on the host. Otherwise all is done on the host, and the ids go back. They
    are those of the CPU, for OKS wherever two costs differ by more than 1e-5.

    Args:
        poses: The video's poses, NumPy or torch.
        cost: "oks" (with the current pose's area, taken as at least a third of the square of its box's longer side),
            "iou" (of boxes), "pckh" (share of joints within half a head size), or a function of two Poses of one
            frame each, earlier and current, that returns costs (N, M).
        matcher: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: How many frames back a predecessor may be, at least 1. Time grows linearly with it.
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
        ValueError: An argument is out of range, or a joint that is not absent has a NaN or infinite coordinate.
    """
    settings = LinkSettings(
        cost, matcher, lookback, motion, sigma_scale, max_cost, min_score, min_joint_score, max_tracks
    )
    if is_tensor(poses.keypoints):
        from ptfast.tracking._cuda import link_on_gpu, runs_on_gpu

        if runs_on_gpu(poses, settings):
            return link_on_gpu(poses, settings, keep_filtered)
    kept, rows = filter_poses(poses.numpy(), settings)
    ids = np.full(len(kept.scores), -1, np.int64)
    columns = columns_of(kept, settings)
    _native.core.link_video(
        [_native.address(column) for column in columns],
        len(ids),
        _native.address(kept.frame_offsets),
        len(kept),
        settings.native(kept.skeleton),
        settings.function(kept.frame),
        _native.address(ids),
    )
    return with_ids(poses, kept, rows, ids, keep_filtered)
