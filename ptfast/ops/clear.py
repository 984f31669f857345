"""CLEAR MOT matching of objects with hypotheses through whole sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import check_offsets, check_shape, core_array
from ptfast._columns import frame_pairs
from ptfast.ops._numpy.clear import clear_match_arrays
from ptfast.ops._numpy.library import as_mask


@dataclass(frozen=True, eq=False)
class ClearEvents:
    """Result of clear_match for N objects, K channels and S sequences. A channel is one joint, or the whole box.

    Attributes:
        matched: (N, K) int64 row of the hypothesis that each object got, -1 for a miss or an object that is not there.
        switched: (N, K) bool, True where that hypothesis differs from the object's last one.
        counts: (S, K, 7) int64, the events in the order of the properties below.
        distance: (S, K) sum of the distances of matches and switches.
        event_distance: (S, K) sum over every row that py-motmetrics 1.4 logs: each admissible pair once more, and each
            transfer, ascend and migrate.
    """

    matched: np.ndarray
    switched: np.ndarray
    counts: np.ndarray
    distance: np.ndarray
    event_distance: np.ndarray

    @property
    def matches(self) -> np.ndarray:
        """(S, K) pairs that do not contradict the object's last one."""
        return self.counts[..., 0]

    @property
    def switches(self) -> np.ndarray:
        """(S, K) pairs that give an object another hypothesis than its last one."""
        return self.counts[..., 1]

    @property
    def misses(self) -> np.ndarray:
        """(S, K) objects without a hypothesis."""
        return self.counts[..., 2]

    @property
    def false_positives(self) -> np.ndarray:
        """(S, K) hypotheses without an object."""
        return self.counts[..., 3]

    @property
    def transfers(self) -> np.ndarray:
        """(S, K) new pairs that give a hypothesis another object than it was last newly given to."""
        return self.counts[..., 4]

    @property
    def ascends(self) -> np.ndarray:
        """(S, K) switches to a hypothesis that was never matched before."""
        return self.counts[..., 5]

    @property
    def migrates(self) -> np.ndarray:
        """(S, K) transfers to an object that was never matched before."""
        return self.counts[..., 6]

    @property
    def objects(self) -> np.ndarray:
        """(S, K) objects that are there."""
        return self.counts[..., :3].sum(-1)


def clear_match(
    distances: np.ndarray,
    object_ids: np.ndarray,
    hypothesis_ids: np.ndarray,
    *,
    object_offsets: np.ndarray,
    hypothesis_offsets: np.ndarray,
    sequence_offsets: np.ndarray | None = None,
    pairs: tuple[np.ndarray, np.ndarray] | None = None,
    object_present: np.ndarray | None = None,
    hypothesis_present: np.ndarray | None = None,
) -> ClearEvents:
    """Matches objects with hypotheses frame after frame and counts the CLEAR MOT events, as py-motmetrics does.

    In each frame an object first keeps the hypothesis id it had last, if both are there and their distance is finite,
    in row order of the objects. The rest are matched with as many finite pairs as possible and, among those, the least
    total distance; of equally good assignments, the one that SciPy's solver finds. A new pair is a switch where the
    object had another hypothesis, however long ago. Every channel of every sequence is a problem of its own, and ids
    are only compared within a sequence. An id that a frame has twice keeps one pair and switches in the other.

    Args:
        distances: (P, K), computed in float64. A NaN or an infinity forbids the pair. Without `pairs`, frame f's block
            is (n_f, m_f) row by row, objects by hypotheses, and the blocks follow one another.
        object_ids: (N,) integers.
        hypothesis_ids: (M,) integers.
        object_offsets: (F + 1,) integers. Frame f holds the objects object_offsets[f] to object_offsets[f + 1].
        hypothesis_offsets: (F + 1,) integers, the same for hypotheses.
        sequence_offsets: (S + 1,) integers. Sequence s holds the frames sequence_offsets[s] to sequence_offsets[s + 1].
            Default one sequence.
        pairs: (P,) rows of objects and (P,) rows of hypotheses that the distances are of, sorted by the former, then
            the latter. All other pairs are forbidden. For crowds, where most pairs are out of reach.
        object_present: (N, K), nonzero where an object is there in a channel. Default everywhere.
        hypothesis_present: (M, K), the same for hypotheses.

    Returns:
        ClearEvents.

    Raises:
        ValueError: A shape is wrong, offsets do not rise from 0 to the length they divide, P is not the sum of
            n_f m_f, or `pairs` are not sorted, come twice or lie across frames.

    Source:
        Bernardin and Stiefelhagen 2008, section 2.1.3; py-motmetrics 1.4 for ties between the rules.
    """
    check_shape("distances", distances, ("P", "K"))
    check_shape("object_ids", object_ids, ("N",))
    check_shape("hypothesis_ids", hypothesis_ids, ("M",))
    n, m, k = len(object_ids), len(hypothesis_ids), distances.shape[1]
    of_objects = check_offsets("object_offsets", object_offsets, n, noun=None, length="F + 1")
    of_hypotheses = check_offsets("hypothesis_offsets", hypothesis_offsets, m, noun=None, length="F + 1")
    frames = len(of_objects) - 1
    check_shape("hypothesis_offsets", of_hypotheses, ("F + 1",), **{"F + 1": frames + 1})
    sequence_offsets = np.array([0, frames]) if sequence_offsets is None else sequence_offsets
    of_sequences = check_offsets("sequence_offsets", sequence_offsets, frames, noun=None, length="S + 1")
    if pairs is None:
        rows, columns = frame_pairs(of_objects, of_hypotheses)
    else:
        rows, columns = _checked_pairs(pairs, of_objects, of_hypotheses)
    check_shape("distances", distances, ("P", "K"), P=len(rows))
    inputs = (
        core_array(distances, np.float64),
        columns,
        core_array(object_ids, np.int64),
        core_array(hypothesis_ids, np.int64),
        *(of_objects, of_hypotheses, np.searchsorted(rows, np.arange(n + 1)).astype(np.int64), of_sequences),
        _mask("object_present", object_present, n, k),
        _mask("hypothesis_present", hypothesis_present, m, k),
    )
    matched, switched, counts, sums = clear_match_arrays(inputs, n, len(of_sequences) - 1, k)
    return ClearEvents(matched, switched, counts, sums[..., 0], sums[..., 1])


def _checked_pairs(
    pairs: tuple[np.ndarray, np.ndarray], of_objects: np.ndarray, of_hypotheses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = (core_array(side, np.int64) for side in pairs)
    check_shape("pairs[0]", rows, ("P",))
    check_shape("pairs[1]", columns, ("P",), P=len(rows))
    frames = [np.searchsorted(at, side, "right") for at, side in ((of_objects, rows), (of_hypotheses, columns))]
    wrong = (frames[0] != frames[1]) | (rows < 0) | (rows >= of_objects[-1]) | (columns >= of_hypotheses[-1])
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(f"pairs must be of rows of one frame, got ({rows[at]}, {columns[at]})")
    if ((np.diff(rows) < 0) | ((np.diff(rows) == 0) & (np.diff(columns) <= 0))).any():
        raise ValueError("pairs must be sorted by object, then hypothesis, each once, got another order")
    return rows, columns


def _mask(name: str, mask: np.ndarray | None, rows: int, k: int) -> np.ndarray | None:
    if mask is not None:
        check_shape(name, mask, ("N", "K"), N=rows, K=k)
    return as_mask(mask)
