"""Temporal OKS: people of the frame before are looked for again, and OKS says which poses stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ptfast._check import check_number, check_shape, check_threshold
from ptfast.ops.nms import oks_nms
from ptfast.ops.oks import oks_matrix
from ptfast.structures import Poses, joint_boxes

MIN_OKS = 0.35
ENLARGEMENT = 1.25
MIN_JOINT_SCORE = 0.1


def search_boxes(
    poses: Poses,
    *,
    enlargement: float = ENLARGEMENT,
    min_joint_score: float | None = MIN_JOINT_SCORE,
    frame_size: tuple[int, int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in which people of the frame before may be found again (algorithm 1, step 1).

    There is none of a person without two joints that count and are apart in x and y, or who is outside of the image.

    Args:
        poses: N poses of the frame before, NumPy.
        enlargement: alpha, factor on the width and the height of the joints' extent.
        min_joint_score: Joints with a lower score do not count; None counts all.
        frame_size: The image's width and height; None if people may be anywhere.

    Returns:
        (B, 4) float32 xyxy boxes, and (B,) int64 rows of their poses.

    Raises:
        ValueError: A number is out of range.

    Source:
        Snower et al. 2020 (KeyTrack), section 3.3; 1.25 from its supplement, A.1 and A.4.
    """
    check_number("enlargement", enlargement, 0)
    extents = joint_boxes(poses.keypoints, counted(poses, min_joint_score))
    size = extents[:, 2:] - extents[:, :2]
    kept = (size > 0).all(1)
    if frame_size is not None:
        kept &= (extents[:, 2:] >= 0).all(1) & (extents[:, :2] < np.array(frame_size)).all(1)
    margin = size * np.float32((enlargement - 1) / 2)
    rows = np.flatnonzero(kept)
    return np.concatenate([extents[:, :2] - margin, extents[:, 2:] + margin], 1)[rows], rows


def temporal_oks(
    detected: Poses,
    earlier: Poses,
    again: Poses,
    *,
    min_oks: float = MIN_OKS,
    max_oks: float = MIN_OKS,
    min_joint_score: float | None = MIN_JOINT_SCORE,
) -> tuple[Poses, np.ndarray]:
    """The poses of a frame: those in detected boxes and those found again, each person once (algorithm 1, step 3).

    A pose found again stays if it is like the one that it was looked for by. Of all that are left the most confident
    stays and drops those like it, wherever their boxes come from and whatever these score. A pose's confidence is the
    mean of its joints' scores, where those that do not count are 0.

    Args:
        detected: D poses in the detector's boxes, of one frame, NumPy.
        earlier: N poses of the frame before.
        again: N poses of this frame, each found in the box of the pose of `earlier` that has its row.
        min_oks: OKS with its earlier pose that a pose needs, over the joints that count in both, at the mean of both
            extents' areas.
        max_oks: OKS over all joints above which the less confident one of two poses is dropped.
        min_joint_score: Joints with a lower score do not count; None counts all.

    Returns:
        The poses that stay, of one frame, those of `detected` first, with the columns of both; and (M,) int64 the row
        of `detected` that each is, or is most like above max_oks, -1 for whom the detector missed.

    Raises:
        ValueError: A threshold is out of range, or `again` has not one pose for each of `earlier`.

    Source:
        Snower et al. 2020 (KeyTrack), section 3.3 and table 2.
    """
    check_number("min_oks", min_oks, 0, 1)
    check_number("max_oks", max_oks, 0, 1)
    check_threshold("min_joint_score", min_joint_score)
    check_shape("again.keypoints", again.keypoints, ("N", "K", 2), N=len(earlier.scores))
    everyone = _one_frame([detected, again.select(is_alike(earlier, again, min_joint_score) >= min_oks)])
    sigmas, areas = _sigmas(everyone), _areas(everyone, min_joint_score)
    confidence = (everyone.joint_scores * counted(everyone, min_joint_score)).mean(1)
    kept = np.sort(oks_nms(everyone.keypoints, confidence, areas, sigmas, max_oks))
    of = _doubled(everyone, areas, kept, len(detected.scores), max_oks)
    return everyone.select(np.isin(np.arange(len(confidence)), kept)), of


def is_alike(earlier: Poses, again: Poses, min_joint_score: float | None) -> np.ndarray:
    """(N,) float32 OKS of each pose with the one found again by it, 0 without a joint that counts in both."""
    areas = [_areas(poses, min_joint_score)[:, None] for poses in (earlier, again)]
    visible = [counted(poses, min_joint_score)[:, None] for poses in (earlier, again)]
    oks = oks_matrix(
        earlier.keypoints[:, None],
        again.keypoints[:, None],
        area=(areas[0], areas[1]),
        sigmas=_sigmas(earlier),
        a_visible=visible[0],
        b_visible=visible[1],
    )
    return oks[:, 0, 0]


def counted(poses: Poses, min_joint_score: float | None) -> np.ndarray:
    """(N, K) bool, True for joints that count."""
    low = -np.inf if min_joint_score is None else min_joint_score
    counts: np.ndarray = (poses.joint_visibility > 0) & (poses.joint_scores >= low)
    return counts


def _doubled(everyone: Poses, areas: np.ndarray, kept: np.ndarray, detected: int, max_oks: float) -> np.ndarray:
    """(M,) int64 the one of the first `detected` poses that each kept one is, or is most like above max_oks, or -1."""
    of = np.where(kept < detected, kept, -1)
    found = np.flatnonzero(of < 0)
    if not detected or not len(found):
        return of
    pair = areas[kept[found]], areas[:detected]
    a, b = everyone.keypoints[kept[found]], everyone.keypoints[:detected]
    oks = oks_matrix(a, b, area=pair, sigmas=_sigmas(everyone))
    of[found] = np.where(oks.max(1) > max_oks, oks.argmax(1), -1)
    return of


def _areas(poses: Poses, min_joint_score: float | None) -> np.ndarray:
    """(N,) float32 square pixels of the extents of the joints that count."""
    extents = joint_boxes(poses.keypoints, counted(poses, min_joint_score))
    areas: np.ndarray = (extents[:, 2:] - extents[:, :2]).prod(1)
    return areas


def _sigmas(poses: Poses) -> np.ndarray:
    return np.array(poses.skeleton.sigmas, np.float32)


def _one_frame(parts: list[Poses]) -> Poses:
    """The poses of all parts as those of one frame."""
    bare = [
        replace(part, frame_names=None, frame_ids=None, frame_size=None, is_labeled=None, ignore_regions=None)
        for part in parts
    ]
    everyone = Poses.concatenate(bare)
    return replace(everyone, frame_offsets=np.array([0, len(everyone.scores)]))
