"""py-motmetrics' measures of one sequence and of several, from the arrays of their frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfast._columns import frame_of_rows, offsets_of
from ptfast.evaluation.identity import Tracks, identity_counts
from ptfast.ops.clear import clear_match

_COUNTS = (
    "num_frames", "num_matches", "num_switches", "num_transfer", "num_ascend", "num_migrate", "num_false_positives",
    "num_misses", "num_detections", "num_objects", "num_predictions", "num_unique_objects", "mostly_tracked",
    "partially_tracked", "mostly_lost", "num_fragmentations", "idfp", "idfn", "idtp",
)  # fmt: skip
_SHARES = ("motp", "mota", "precision", "recall", "idp", "idr", "idf1")
MEASURES = frozenset(_COUNTS + _SHARES)
IDS = 1 << 53  # float64, in which motmetrics keeps ids, tells integers below this apart


def measure(frames: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, Any] | None:
    """All measures of one sequence.

    Args:
        frames: Object ids (N,), hypothesis ids (M,) and distances (N, M) of each frame.

    Returns:
        The measures by name, or None where ids are no integers or occur twice in a frame.
    """
    objects, object_offsets = _join([frame[0] for frame in frames])
    hypotheses, hypothesis_offsets = _join([frame[1] for frame in frames])
    if not _are_ids(objects, object_offsets) or not _are_ids(hypotheses, hypothesis_offsets):
        return None
    distances = np.concatenate([np.zeros(0), *(frame[2].ravel() for frame in frames)])
    sides = (objects.astype(np.int64), hypotheses.astype(np.int64))
    offsets = {"object_offsets": object_offsets, "hypothesis_offsets": hypothesis_offsets}
    events = clear_match(
        distances[:, None], *sides, object_offsets=object_offsets, hypothesis_offsets=hypothesis_offsets
    )
    tracks = Tracks(np.isfinite(distances).astype(np.float64), *sides, **offsets)
    found, spurious, lost = (np.float64(count) for count in identity_counts(tracks, 1.0))
    values = {
        "num_frames": len(frames), "num_matches": events.matches[0, 0], "num_switches": events.switches[0, 0],
        "num_transfer": events.transfers[0, 0], "num_ascend": events.ascends[0, 0],
        "num_migrate": events.migrates[0, 0], "num_false_positives": events.false_positives[0, 0],
        "num_misses": events.misses[0, 0], "num_detections": events.matches[0, 0] + events.switches[0, 0],
        "num_objects": np.int64(len(objects)), "num_predictions": np.int64(len(hypotheses)),
        **_spans(sides[0], events.matched[:, 0] >= 0),
        "idfp": spurious, "idfn": lost, "idtp": found,
    }  # fmt: skip
    return _with_shares(values, events.distance[0, 0])


def merge(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All measures of several sequences together."""
    values = {name: sum(part[name] for part in parts) for name in _COUNTS}
    return _with_shares(values, sum(part["motp"] * part["num_detections"] for part in parts))


def _with_shares(values: dict[str, Any], distance: float) -> dict[str, Any]:
    found, objects = values["num_detections"], values["num_objects"]
    false_positives, idtp = values["num_false_positives"], values["idtp"]
    wrong = values["num_misses"] + values["num_switches"] + false_positives
    with np.errstate(divide="ignore", invalid="ignore"):
        return values | {
            "motp": np.true_divide(distance, found),
            "mota": 1.0 - np.true_divide(wrong, objects),
            "precision": np.true_divide(found, false_positives + found),
            "recall": np.true_divide(found, objects),
            "idp": np.true_divide(idtp, idtp + values["idfp"]),
            "idr": np.true_divide(idtp, idtp + values["idfn"]),
            "idf1": np.true_divide(2 * idtp, objects + values["num_predictions"]),
        }


def _spans(ids: np.ndarray, tracked: np.ndarray) -> dict[str, Any]:
    """Counts by object: those tracked for most, some and few of their frames, and interruptions of tracks."""
    _, of_row, length = np.unique(ids, return_inverse=True, return_counts=True)
    order = np.argsort(of_row, kind="stable")  # object by object, frames in order
    owner, there = of_row[order], tracked[order]
    share = np.bincount(owner, there, len(length)) / length
    same = owner[1:] == owner[:-1]
    lost = int((same & there[:-1] & ~there[1:]).sum())
    last = np.append(~same, True)[: len(owner)]
    never_back = int((last & ~there & (share[owner] > 0)).sum())  # after its last frame with a track nobody is lost
    return {
        "num_unique_objects": len(length),
        "mostly_tracked": np.int64((share >= 0.8).sum()),
        "partially_tracked": np.int64(((share >= 0.2) & (share < 0.8)).sum()),
        "mostly_lost": np.int64((share < 0.2).sum()),
        "num_fragmentations": np.int64(lost - never_back),
    }


def _join(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All parts in one array, and their offsets."""
    offsets = offsets_of(np.array([len(part) for part in parts], np.int64))
    filled = [part for part in parts if len(part)]
    return np.concatenate(filled) if filled else np.zeros(0, np.int64), offsets


def _are_ids(ids: np.ndarray, offsets: np.ndarray) -> bool:
    """Tells whether ids are integers, by value, and no frame has one twice."""
    if ids.dtype.kind not in "iuf" or (np.abs(ids) >= IDS).any() or (ids != np.floor(ids)).any():
        return False
    frame = frame_of_rows(offsets)
    order = np.lexsort((ids, frame))
    return not ((np.diff(frame[order]) == 0) & (np.diff(ids[order]) == 0)).any()
