"""What figures do not say by themselves: what took no part, and why there is no figure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

Named = Iterable[tuple[str, Poses]]


def check_common_joint(name: str, truth: Poses, predictions: Poses, scored: Skeleton) -> None:
    """Raises ValueError where the two sides share none of the joints that are scored, so that nothing can be right."""
    common = set(truth.skeleton.joints) & set(predictions.skeleton.joints) & set(scored.joints)
    if common or not len(truth.scores) or not len(predictions.scores):
        return
    raise ValueError(
        f"sequence {name!r}: ground truth and predictions must share a joint of {scored.name}, got the joints of "
        f"{truth.skeleton.name} and of {predictions.skeleton.name}"
    )


def check_any_tracked(side: str, sequences: Named) -> None:
    """Raises ValueError where there are poses or boxes and none of them has a track id."""
    ids = [poses.track_ids for _, poses in sequences]
    count = sum(map(len, ids))
    if count and not any((each >= 0).any() for each in ids):
        raise ValueError(f"{side} must have track ids to be scored as tracks, got none among {count} poses")


def untracked_notes(side: str, sequences: Named, consequence: str) -> list[str]:
    """A note for each sequence in which poses lack a track id."""
    notes = []
    for name, poses in sequences:
        lost, count = int((poses.track_ids < 0).sum()), len(poses.track_ids)
        if lost:
            notes.append(f"{side} of sequence {name!r}: {lost} of {count} have no track id and {consequence}")
    return notes


def start_notes(name: str, truth: Poses, found: Poses, side: str) -> tuple[str, ...]:
    """A note where frames are matched by number and one side's first is 0, the other's 1, as in MOT files."""
    if truth.frame_ids is None or found.frame_ids is None or not len(truth) or not len(found):
        return ()
    first, other = int(truth.frame_ids.min()), int(found.frame_ids.min())
    if {first, other} != {0, 1}:
        return ()
    return (
        f"sequence {name!r}: frames count from {first} in the ground truth and from {other} in the {side}; "
        f"they are matched by number as they are",
    )


def joint_notes(annotated: np.ndarray, predicted: np.ndarray, joints: tuple[str, ...]) -> list[str]:
    """Notes on annotated (K,) and predicted (K,) joints, counted over all sequences."""
    if not annotated.any():
        return ["ground truth has no annotated joint in a frame that counts, so that no figure means anything"]
    if not predicted.any():
        return ["predictions hold nobody in a frame that counts"]
    absent = [joint for joint, lost in zip(joints, (annotated > 0) & (predicted == 0), strict=True) if lost]
    return [f"annotated but never predicted, so that none is found: {', '.join(absent)}"] if absent else []


def head_notes(extrapolated: int, poses: int) -> list[str]:
    """A note where predicted poses have head joints that no network has found."""
    if not extrapolated:
        return []
    return [f"head joints of {extrapolated} of {poses} predictions are extrapolated from shoulders and face"]
