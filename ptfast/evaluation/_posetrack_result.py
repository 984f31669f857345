"""The figures of PoseTrack's evaluation, as a table and for JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ptfast.skeletons import POSETRACK_15

JOINTS = tuple("neck" if joint == "head_bottom" else joint for joint in POSETRACK_15.joints)
SHARES = ("ap", "ap_precision", "ap_recall", "mota", "motp", "precision", "recall")
COUNTS = ("objects", "matches", "switches", "misses", "false_positives")
# Columns of the official tables.
GROUPS = {
    "Head": ("head_top", "neck", "nose"),
    "Shou": ("right_shoulder", "left_shoulder"),
    "Elb": ("right_elbow", "left_elbow"),
    "Wri": ("right_wrist", "left_wrist"),
    "Hip": ("right_hip", "left_hip"),
    "Knee": ("right_knee", "left_knee"),
    "Ankl": ("right_ankle", "left_ankle"),
}


@dataclass(frozen=True, eq=False)
class PoseTrackResult:
    """Scores of the 15 joints in official order (JOINTS), then of all: (16,) arrays.

    The last value of a share (percent) is the mean over joints that are not NaN, that of a count the sum.

    Attributes:
        ap: Average precision, of which ap[-1] is mAP.
        ap_precision: Precision at the last detection.
        ap_recall: Recall at the last detection.
        mota: CLEAR MOT accuracy.
        motp: CLEAR MOT precision, 100 (1 - mean distance in head sizes).
        precision: Matched predictions among all, of the frames that MOT sees.
        recall: Matched objects among all.
        objects: Annotated joints.
        matches: Joints matched with the same track as before (or for the first time).
        switches: Joints matched with another track.
        misses: Annotated joints that were not matched.
        false_positives: Predicted joints that were not matched.
        official: True if the official quirks hold.
        sequences: The same by sequence; empty in a sequence's own result.
        tracked: False if there are poses and none has a track id. MOT's shares are NaN then, and its counts those of a
            run that found nobody.
        notes: What the figures do not say: joints never predicted, poses without ids, frames that are lacking or count
            from another number.
    """

    ap: np.ndarray
    ap_precision: np.ndarray
    ap_recall: np.ndarray
    mota: np.ndarray
    motp: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    objects: np.ndarray
    matches: np.ndarray
    switches: np.ndarray
    misses: np.ndarray
    false_positives: np.ndarray
    official: bool = True
    sequences: dict[str, PoseTrackResult] = field(default_factory=dict)
    tracked: bool = True
    notes: tuple[str, ...] = ()

    @staticmethod
    def make(
        precision: np.ndarray,
        annotated: np.ndarray,
        counts: np.ndarray,
        distance: np.ndarray,
        *,
        official: bool,
        tracked: bool = True,
        notes: tuple[str, ...] = (),
        sequences: dict[str, PoseTrackResult] | None = None,
    ) -> PoseTrackResult:
        """Makes a result of AP, precision and recall (15, 3), annotated (15,), counts (15, 5) and distances (15,)."""
        mot = _mot_shares(counts, distance, official) if tracked else np.full((len(counts), 4), np.nan)
        columns = [*precision.T, *mot.T]
        if not official:
            columns = [np.where(annotated, column, np.nan) for column in columns]
        shares = {name: np.append(column, _mean(column)) for name, column in zip(SHARES, columns, strict=True)}
        sums = {name: np.append(counts[:, i], counts[:, i].sum()) for i, name in enumerate(COUNTS)}
        facts: dict[str, Any] = {"official": official, "sequences": sequences or {}, "tracked": tracked, "notes": notes}
        return PoseTrackResult(**shares | sums | facts)

    @property
    def detections(self) -> np.ndarray:
        """(16,) matches and switches together."""
        return self.matches + self.switches

    def table(self, *, sequences: bool = False) -> str:
        """Text in the official order of columns, "-" for a figure that is not defined. `sequences` adds their rows."""
        rows = [*(self.sequences.items() if sequences else ()), ("total", self)]
        width = max(len(name) for name, _ in rows)
        head = "".join(f"{name:>7}" for name in (*GROUPS, "Total"))
        lines = ["Average precision (AP)", f"{'':{width}}{head}{'Prec':>7}{'Rec':>7}"]
        lines += [f"{name:{width}}{r._groups('ap')}{_cells(r.ap_precision[-1], r.ap_recall[-1])}" for name, r in rows]
        lines += ["", "Tracking (MOTA)", f"{'':{width}}{head}{'MOTP':>7}{'Prec':>7}{'Rec':>7}"]
        tails = [_cells(r.motp[-1], r.precision[-1], r.recall[-1]) for _, r in rows]
        lines += [f"{name:{width}}{r._groups('mota')}{tail}" for (name, r), tail in zip(rows, tails, strict=True)]
        titles = ("objects", "detections", "switches", "misses", "false_positives")
        lines += ["", "Joints", f"{'':{width}}" + "".join(f"{name.replace('_', ' '):>17}" for name in titles)]
        counts = [[getattr(r, title)[-1] if r.tracked else "-" for title in titles] for _, r in rows]
        lines += [
            f"{name:{width}}" + "".join(f"{c:>17}" for c in each) for (name, _), each in zip(rows, counts, strict=True)
        ]
        return "\n".join(lines)

    def _groups(self, share: str) -> str:
        """Cells of one share: the official groups of joints, then all."""
        values = getattr(self, share)
        groups = [values[[JOINTS.index(joint) for joint in joints]] for joints in GROUPS.values()]
        return _cells(*(group.mean() if self.official else _mean(group) for group in groups), values[-1])

    def to_dict(self) -> dict[str, Any]:
        """Every figure for JSON, by joint and in total, None for one that is not defined, and the same by sequence."""
        names = (*JOINTS, "total")
        figures: dict[str, Any] = {}
        for name in (*SHARES, *COUNTS):
            values = getattr(self, name).tolist()
            known = self.tracked or name not in COUNTS
            figures[name] = {
                joint: _or_none(value) if known else None for joint, value in zip(names, values, strict=True)
            }
        if self.notes:
            figures["notes"] = list(self.notes)
        if self.sequences:
            figures["sequences"] = {name: result.to_dict() for name, result in self.sequences.items()}
        return figures


def _mot_shares(counts: np.ndarray, distance: np.ndarray, official: bool) -> np.ndarray:
    """(15, 4) MOTA, MOTP, precision and recall of counts (15, 5) and summed distances (15,)."""
    objects, matches, switches, misses, false_positives = counts.T.astype(np.float64)
    found = matches + switches
    with np.errstate(divide="ignore", invalid="ignore"):
        mota = np.where(objects > 0, 1 - (misses + switches + false_positives) / objects, np.nan)
        motp = np.where(found > 0, 1 - distance / found, 0.0 if official else np.nan)
        shares = [mota, motp, found / (found + false_positives), found / objects]
    return 100 * np.stack(shares, -1)


def _mean(values: np.ndarray) -> float:
    """The mean of the values that are not NaN, or NaN where none is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _cells(*values: float) -> str:
    return "".join(f"{'-':>7}" if math.isnan(value) else f"{value:7.1f}" for value in values)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
