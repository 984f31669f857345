"""Pairs of sequences and of frames, one of the ground truth and one of the predictions."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ptfast._check import check_shape
from ptfast._columns import frame_of_rows, offsets_of
from ptfast.evaluation._notes import start_notes
from ptfast.structures import Poses

Source = str | os.PathLike[str] | Poses | Mapping[str, Poses]


@dataclass(frozen=True)
class SequencePair:
    """One sequence: ground truth and predictions with the same frames in the same order, on the host."""

    name: str
    truth: Poses
    predictions: Poses
    notes: tuple[str, ...] = ()


def load(source: Source) -> dict[str, Poses]:
    """Sequences by name, from a file, a folder, one Poses or a dict of them."""
    named: Mapping[str, Poses]
    if isinstance(source, str | os.PathLike):
        from ptfast.io import read_sequences

        named = read_sequences(source)
    else:
        named = {source.sequence: source} if isinstance(source, Poses) else source
    return {name: poses.numpy() for name, poses in named.items()}


def pair_sequences(ground_truth: Source, predictions: Source) -> list[SequencePair]:
    """Pairs sequences by name and their frames by name, else by id, else by index, in the ground truth's order.

    One sequence on each side is a pair whatever the names. Frames that predictions lack by id are empty there, since
    files of results list people alone.

    Raises:
        ValueError: A sequence stands on one side alone, or a frame, unless predictions lack it by id. The message
            names it.
    """
    pairs = pair_names(load(ground_truth), load(predictions))
    return [_pair(name, truth, found) for name, truth, found in pairs]


def pair_names(truth: dict[str, Poses], found: dict[str, Poses]) -> list[tuple[str, Poses, Poses]]:
    """Pairs sequences by name, and one on each side whatever the names. Raises ValueError where one stands alone."""
    if len(truth) == len(found) == 1:
        found = dict(zip(truth, found.values(), strict=True))
    _same("sequence", "the data", list(truth), list(found))
    return [(name, truth[name], found[name]) for name in truth]


def _pair(sequence: str, truth: Poses, predictions: Poses) -> SequencePair:
    """The two sides with the predictions' frames in the ground truth's order."""
    names, found = _frame_keys(truth, predictions)
    if names is None or found is None or len(set(names)) < len(names) or len(set(found)) < len(found):
        if len(truth) != len(predictions):
            raise ValueError(
                f"sequence {sequence!r}: predictions must have the ground truth's frames, "
                f"expected {len(truth)}, found {len(predictions)}"
            )
        return SequencePair(sequence, truth, predictions)
    if names == found:
        return SequencePair(sequence, truth, predictions)
    notes: tuple[str, ...] = ()
    if truth.frame_names is not None and predictions.frame_names is not None:
        _same("frame", f"sequence {sequence!r}", list(names), list(found))
    else:
        notes = start_notes(sequence, truth, predictions, "predictions")
    peopled = np.diff(predictions.frame_offsets) > 0
    if unknown := {name for name, there in zip(found, peopled, strict=True) if there} - set(names):
        raise ValueError(
            f"sequence {sequence!r}: predictions hold frame {min(unknown, key=found.index)!r}, which the ground truth "
            f"lacks; expected {len(names)} frames, found {len(found)}"
        )
    position = {name: index for index, name in enumerate(found)}
    present = np.array([name in position for name in names], bool)
    frames = [predictions.frame(position[name]) for name in names if name in position]
    ordered = Poses.concatenate(frames) if frames else predictions
    if present.all():
        return SequencePair(sequence, truth, ordered, notes)
    note = f"sequence {sequence!r}: predictions lack {(~present).sum()} of {len(names)} frames, which count as empty"
    return SequencePair(sequence, truth, _with_empty_frames(ordered, present, truth.frame_ids), (*notes, note))


def _with_empty_frames(poses: Poses, present: np.ndarray, frame_ids: np.ndarray | None) -> Poses:
    """Poses with an empty frame wherever `present` (F,) is False, without what else they know of their frames."""
    counts = np.zeros(len(present), np.int64)
    counts[present] = np.diff(poses.frame_offsets)
    columns: dict[str, Any] = dict.fromkeys(("frame_names", "is_labeled", "frame_size", "ignore_regions"))
    columns |= {"frame_offsets": offsets_of(counts), "frame_ids": frame_ids}
    return replace(poses, **columns)


def _frame_keys(truth: Poses, predictions: Poses) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Keys that frames are matched by: names where both have them, else ids where both have them, else none."""
    if truth.frame_names is not None and predictions.frame_names is not None:
        return _shortened(truth.frame_names, predictions.frame_names)
    if truth.frame_ids is not None and predictions.frame_ids is not None:
        return tuple(map(str, truth.frame_ids)), tuple(map(str, predictions.frame_ids))
    return None, None


def _shortened(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names without folders, which differ between tools, as long as they stay distinct."""
    short_a, short_b = (tuple(posixpath.basename(name) for name in side) for side in (a, b))
    distinct = len(set(short_a)) == len(a) and len(set(short_b)) == len(b)
    return (short_a, short_b) if distinct else (a, b)


def _same(kind: str, place: str, expected: list[str], found: list[str]) -> None:
    """Raises ValueError with the first name that one side lacks."""
    counts = f"expected {len(expected)} {kind}s, found {len(found)}"
    known, given = set(expected), set(found)
    for name in expected:
        if name not in given:
            raise ValueError(f"{place}: predictions lack {kind} {name!r} of the ground truth; {counts}")
    for name in found:
        if name not in known:
            raise ValueError(f"{place}: predictions hold {kind} {name!r}, which the ground truth lacks; {counts}")


def frame_label(poses: Poses, frame: int) -> str:
    """A frame's name in messages."""
    return str(frame) if poses.frame_names is None else f"{frame} ({poses.frame_names[frame]})"


def check_track_ids(side: str, name: str, poses: Poses, *, needed: bool, distinct: bool = True) -> None:
    """Raises ValueError where a frame holds an id twice, if distinct, or where a pose has none, if needed."""
    frames = frame_of_rows(poses.frame_offsets)
    ids = np.asarray(poses.track_ids)
    if needed and (ids < 0).any():
        frame = int(frames[np.flatnonzero(ids < 0)[0]])
        raise ValueError(
            f"{side} of sequence {name!r}, frame {frame_label(poses, frame)}: expected a track id for each pose, "
            f"found a pose without"
        )
    if not distinct:
        return
    order = np.lexsort((ids, frames))
    same = (np.diff(ids[order]) == 0) & (np.diff(frames[order]) == 0) & (ids[order][1:] >= 0)
    if same.any():
        row = order[np.flatnonzero(same)[0]]
        raise ValueError(
            f"{side} of sequence {name!r}, frame {frame_label(poses, int(frames[row]))}: expected each track id once, "
            f"found {ids[row]} twice"
        )


def check_joint_scores(name: str, poses: Poses) -> None:
    """Raises ValueError where a predicted joint's score is NaN: features["joint_scored"] is what tells of none."""
    bad = np.isnan(poses.joint_scores) & (poses.joint_visibility > 0)
    if (given := poses.features.get("joint_scored")) is not None:
        check_shape('predictions.features["joint_scored"]', given, ("N", "K"), K=len(poses.skeleton))
        bad &= np.asarray(given, bool)
    if bad.any():
        row, joint = (int(i) for i in np.argwhere(bad)[0])
        frame = frame_label(poses, int(frame_of_rows(poses.frame_offsets)[row]))
        raise ValueError(
            f"predictions of sequence {name!r}, frame {frame}: expected numbers as scores of joints, found nan for "
            f"{poses.skeleton.joints[joint]}"
        )
