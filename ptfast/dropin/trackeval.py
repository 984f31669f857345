"""TrackEval's metrics HOTA and Identity, by ptfast.evaluation.

    from ptfast.dropin.trackeval import HOTA    # instead of: from trackeval.metrics import HOTA

Equal to trackeval 1.3.0 within rounding, where each frame has one best matching: `eval_sequence` takes the same data
and gives the same fields, and `combine_sequences` joins them. Where TrackEval is installed the classes extend its own,
which brings means over classes, tables and plots, so that they go into its Evaluator. CLEAR is not here: TrackEval
matches by other rules than the measure's authors, ptfast by theirs (see ptfast.dropin.motmetrics).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ptfast._columns import offsets_of
from ptfast.dropin._originals import original
from ptfast.evaluation.hota import ALPHAS, match_trajectories
from ptfast.evaluation.identity import Tracks, identity_counts

__all__ = ["HOTA", "Identity"]

Fields = dict[str, Any]
_HOTA: Any = original("trackeval.metrics", "HOTA") or object
_Identity: Any = original("trackeval.metrics", "Identity") or object


class HOTA(_HOTA):
    """Higher-order tracking accuracy at 19 thresholds.

    Args:
        config: Ignored, as there.
    """

    array_labels = ALPHAS
    integer_array_fields = ("HOTA_TP", "HOTA_FN", "HOTA_FP")
    float_array_fields = ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA")
    float_fields = ("HOTA(0)", "LocA(0)", "HOTALocA(0)")
    fields = float_array_fields + integer_array_fields + float_fields

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        if _HOTA is not object:
            super().__init__()

    def eval_sequence(self, data: Mapping[str, Any]) -> Fields:
        """HOTA's fields of one sequence, by ptfast.evaluation's HOTA.

        Args:
            data: A sequence of TrackEval's data sets. "gt_ids" and "tracker_ids" are lists of (N,) and (M,) integers
                by frame, and "similarity_scores" is a list of (N, M).

        Returns:
            (19,) float64 for each of the array fields, from 0 to 1, and the float fields.
        """
        tracks = _tracks(data)
        objects, hypotheses = len(tracks.object_ids), len(tracks.hypothesis_ids)
        if objects == 0 or hypotheses == 0:
            counts = [np.full(len(ALPHAS), float(count)) for count in (0, objects, hypotheses)]
            nothing = dict.fromkeys(self.float_array_fields, np.zeros(len(ALPHAS)))
            found: Fields = dict(zip(self.integer_array_fields, counts, strict=True))
            return {name: value.copy() for name, value in (nothing | found).items()} | {
                "LocA": np.ones(len(ALPHAS)), "HOTA(0)": 0, "LocA(0)": 1.0, "HOTALocA(0)": 0,
            }  # fmt: skip
        return _with_measures(_sums(tracks))

    def combine_sequences(self, all_res: Mapping[str, Fields]) -> Fields:
        """HOTA's fields of several sequences together, from each one's."""
        parts = list(all_res.values())
        sums: Fields = {name: sum(part[name] for part in parts) for name in self.integer_array_fields}
        for name in ("AssA", "AssRe", "AssPr", "LocA"):
            sums[name] = sum(part[name] * part["HOTA_TP"] for part in parts)
        return _with_measures(sums)


class Identity(_Identity):
    """IDF1, identity precision and recall.

    Args:
        config: Its "THRESHOLD", default 0.5, is the similarity from which a pair can be one.
    """

    integer_fields = ("IDTP", "IDFN", "IDFP")
    float_fields = ("IDF1", "IDR", "IDP")
    fields = float_fields + integer_fields

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        if _Identity is not object:
            super().__init__(config)
        self.threshold = float((config or {}).get("THRESHOLD", 0.5))

    def eval_sequence(self, data: Mapping[str, Any]) -> Fields:
        """Identity's fields of one sequence, by ptfast.evaluation's IDF1; `data` as for HOTA."""
        found, spurious, lost = identity_counts(_tracks(data), self.threshold).tolist()
        return _with_shares({"IDTP": found, "IDFN": lost, "IDFP": spurious})

    def combine_sequences(self, all_res: Mapping[str, Fields]) -> Fields:
        """Identity's fields of several sequences together, from each one's."""
        return _with_shares({name: sum(part[name] for part in all_res.values()) for name in self.integer_fields})


def _tracks(data: Mapping[str, Any]) -> Tracks:
    sides = [[np.asarray(ids, np.int64) for ids in data[name]] for name in ("gt_ids", "tracker_ids")]
    objects, hypotheses = (np.concatenate([np.zeros(0, np.int64), *side]) for side in sides)
    offsets = [offsets_of(np.array([*map(len, side)], np.int64)) for side in sides]
    similarity = np.concatenate([np.zeros(0), *(np.ravel(block) for block in data["similarity_scores"])])
    return Tracks(similarity, objects, hypotheses, *offsets)


def _sums(tracks: Tracks) -> Fields:
    """HOTA's counts, and the sums of its association and localisation scores over matched pairs, (19,) each."""
    matching = match_trajectories(tracks)
    own, other = matching.lengths, matching.other_lengths
    names = ("HOTA_TP", "HOTA_FN", "HOTA_FP", "AssA", "AssRe", "AssPr", "LocA")
    sums = {name: np.zeros(len(ALPHAS)) for name in names}
    for index, alpha in enumerate(ALPHAS):
        similarity, together = matching.at(alpha)
        found = len(similarity)
        counts = (found, len(tracks.object_ids) - found, len(tracks.hypothesis_ids) - found)
        scores = ((together**2 / np.maximum(1, whole)).sum() for whole in (own + other - together, own, other))
        for name, value in zip(names, (*counts, *scores, similarity.sum()), strict=True):
            sums[name][index] = value
    return sums


def _with_measures(sums: Fields) -> Fields:
    """All of HOTA's fields, from its counts and sums."""
    found, missed, spurious = (sums[name] for name in HOTA.integer_array_fields)
    every = np.maximum(1, found)
    fields = sums | {name: sums[name] / every for name in ("AssA", "AssRe", "AssPr")}
    fields["LocA"] = np.maximum(1e-10, sums["LocA"]) / np.maximum(1e-10, found)  # 1 where nothing matched
    fields["DetRe"], fields["DetPr"] = found / np.maximum(1, found + missed), found / np.maximum(1, found + spurious)
    fields["DetA"] = found / np.maximum(1, found + missed + spurious)
    fields["HOTA"], fields["OWTA"] = (np.sqrt(fields[name] * fields["AssA"]) for name in ("DetA", "DetRe"))
    fields["HOTA(0)"], fields["LocA(0)"] = fields["HOTA"][0], fields["LocA"][0]
    fields["HOTALocA(0)"] = fields["HOTA(0)"] * fields["LocA(0)"]
    return fields


def _with_shares(counts: Fields) -> Fields:
    found, lost, spurious = (counts[name] for name in Identity.integer_fields)
    return counts | {
        "IDR": found / max(1.0, found + lost),
        "IDP": found / max(1.0, found + spurious),
        "IDF1": found / max(1.0, found + 0.5 * spurious + 0.5 * lost),
    }
