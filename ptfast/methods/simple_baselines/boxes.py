"""Boxes that may hold a person: the detector's, those of flow, and one NMS over both (section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ptfast.ops import nms, oks_nms
from ptfast.pipeline.people import Found, is_seen
from ptfast.skeletons import Skeleton


@dataclass(frozen=True, eq=False)
class Candidates:
    """Boxes of one frame.

    Attributes:
        boxes: (B, 4) float32 xyxy pixels.
        scores: (B,) float32.
        undetected: (B,) int64 frames for which flow alone has proposed a box, this one among them; 0 for the
            detector's.
    """

    boxes: np.ndarray
    scores: np.ndarray
    undetected: np.ndarray

    @property
    def ranks(self) -> np.ndarray:
        """(B,) float32, higher for better: detected ones by score, then those of flow by score."""
        order = np.lexsort((-np.arange(len(self.scores)), self.scores, self.undetected == 0))
        ranks = np.empty(len(order), np.float32)
        ranks[order] = np.arange(len(order))
        return ranks

    def select(self, rows: np.ndarray) -> Candidates:
        """The boxes of `rows`, indices or a mask."""
        return Candidates(*(getattr(self, item.name)[rows] for item in fields(Candidates)))


def unified(parts: Sequence[Candidates], max_overlap: float) -> Candidates:
    """B_unified: one NMS over the detector's boxes and those of flow, which complement them (algorithm 1, line 9)."""
    names = [item.name for item in fields(Candidates)]
    everything = Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return everything.select(nms(everything.boxes, everything.ranks, max_overlap))


def without_lost(found: Found, boxes: Candidates, min_propagated_score: float | None) -> tuple[Found, Candidates]:
    """The detected people, and those whom flow proposes where their joints' mean score is enough, with their boxes."""
    kept = is_seen(boxes.undetected == 0, found.joint_scores, min_propagated_score)
    return found.select(kept), boxes.select(kept)


def without_doubles(found: Found, boxes: Candidates, skeleton: Skeleton, max_oks: float) -> tuple[Found, Candidates]:
    """The people whose OKS with everyone who goes before them is at most `max_oks`, with their boxes."""
    sigmas = np.array(skeleton.sigmas, np.float32)
    kept = oks_nms(found.keypoints, boxes.ranks, found.areas, sigmas, max_oks)
    return found.select(kept), boxes.select(kept)
