"""What of the poses a written file does not hold, as reading it shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ptfast.cli._endings import note
from ptfast.cli.losses import Loss, joined
from ptfast.io import read_poses
from ptfast.io.frame_numbers import numbers_in_video
from ptfast.structures import Poses

SUFFIXES = {"posetrack17": ".json", "frames": ".json", "coco_results": ".json", "mot": ".txt"}  # the others hold all
COLUMNS = {
    "boxes": "boxes",
    "head_boxes": "head boxes",
    "areas": "areas",
    "frame_names": "frame names",
    "frame_ids": "frame numbers",
    "frame_size": "image sizes",
    "is_labeled": "labels of frames",
    "ignore_regions": "ignore regions",
}


def unheld(command: str, poses: Poses | Mapping[str, Poses], out: Path, format: str | None) -> list[Loss]:
    """Says which columns the files that were written lack; returns the frames, joints and ids that are not in them.

    Args:
        command: The command that wrote them, for the line on stderr.
        poses: What was written.
        out: Where.
        format: As given to `write_poses`.
    """
    name = format or ("mot" if isinstance(poses, Poses) and out.suffix.lower() == ".txt" else "")
    if name not in SUFFIXES:
        return []
    files = {out: poses} if isinstance(poses, Poses) else {out / f"{n}{SUFFIXES[name]}": p for n, p in poses.items()}
    pairs = [(before.numpy(), read_poses(path, format=name)) for path, before in files.items()]
    missing = [text for column, text in COLUMNS.items() if any(_lacks(column, *pair) for pair in pairs)]
    if missing:
        note(f"ptfast {command}: {name} files do not hold {', '.join(missing)}; posetrack18, csv and parquet hold all")
    parts = [_losses(before, after, name) for before, after in pairs]
    return [joined([part[kind] for part in parts]) for kind in range(len(parts[0]))] if parts else []


def _lacks(column: str, before: Poses, after: Poses) -> bool:
    """Returns True if a column was there and is gone, or is another one."""
    old, new = getattr(before, column), getattr(after, column)
    if old is None or len(old) == 0:
        return False
    if column == "boxes" and len(new) == len(old):
        return not np.allclose(old, new, atol=0.1)
    if column == "frame_ids" and new is not None and len(new) == len(old):
        return not np.array_equal(old, new)
    return new is None


def _losses(before: Poses, after: Poses, name: str) -> list[Loss]:
    """Frames, joints, flags of hidden joints and track ids that are gone."""
    reason = f"that {name} files do not hold (--format csv does)"
    joints, hidden = before.joint_visibility > 0, before.joint_visibility == 1
    known = after.to_skeleton(before.skeleton, extrapolate_head=False).joint_visibility
    rows = (("joint", joints, known > 0), ("track id", before.track_ids >= 0, after.track_ids >= 0))
    losses = [Loss(noun, int(old.sum()), {reason: int(old.sum() - new.sum())}) for noun, old, new in rows]
    lost = 0 if losses[0].count else int(hidden.sum() - (known == 1).sum())
    frames = Loss("frame", len(before), {f"without poses, {reason}": _lost_frames(before, after)})
    return [frames, *losses, Loss("hidden joint", int(hidden.sum()), {reason: lost}, "written as visible")]


def _lost_frames(before: Poses, after: Poses) -> int:
    """Number of frames without poses that are gone; those that reading adds between others make up for none."""
    old, new = _from_first_pose(before), _from_first_pose(after)
    return int((~np.isin(old, new)).sum())


def _from_first_pose(poses: Poses) -> np.ndarray:
    """(F,) numbers of the frames, counted from the first that has a pose, since formats count from 0 or from 1."""
    numbers = numbers_in_video(poses)
    numbers = np.arange(len(poses)) if numbers is None else numbers
    filled = numbers[np.diff(poses.frame_offsets) > 0]
    return numbers - filled[0] if len(filled) else numbers
