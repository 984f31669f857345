"""The run of the merging kernels: from tracklets, their layout and options to merged joints and detection scores."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ptfast import _native
from ptfast.structures import Tracklets
from ptfast.tracking._kernels.records import Cells, Merged, Options, Piece, Plan, TrackletArrays
from ptfast.tracking._kernels.threads import PIECES_PER_THREAD, even_pieces, run_pieces
from ptfast.tracking._plan import bridge_scores

SMALLEST_RADIUS = 1.0  # pixels, for two head joints in one place, which would leave no two hypotheses together
HEAD_SHARE = 0.15  # of a box's diagonal, where the head joints are unknown (contracts: head size)
GRAIN = 1 << 16  # hypotheses that are worth a thread


def merge_joints(
    tracklets: Tracklets, plan: Plan, pins: np.ndarray, options: Options, radius: float
) -> tuple[Merged, np.ndarray]:
    """Merges the hypotheses of all people's joints.

    Args:
        tracklets: The tracklets, NumPy.
        plan: Their layout.
        pins: (P, K, 3) x, y and score of each joint in the frame before the first, NaN for none.
        options: How hypotheses are merged.
        radius: Of clusters, as a share of the head size.

    Returns:
        The merged joints, and (R,) float32 detection scores of the plan's rows.

    Raises:
        ValueError: A hypothesis is not finite.
    """
    from ptfast.tracking._kernels.merging import merge_people

    count, joints = len(plan.rows), len(tracklets.skeleton)
    keypoints, scores = np.zeros((count, joints, 2), np.float32), np.zeros((count, joints), np.float32)
    merged = Merged(keypoints, scores, np.zeros((count, joints), np.uint8))
    arrays = _arrays_of(tracklets)
    pieces = _pieces(plan, arrays.length, joints)
    cells = _survey(arrays, plan, options.min_score, pieces)
    radii = np.maximum(radius * cells.heads, SMALLEST_RADIUS)
    bad = run_pieces(
        lambda *piece: merge_people(arrays, plan, radii, pins, options, Piece(*piece), merged), pieces
    )  # fmt: skip
    if max(bad, default=-1) >= 0:
        row, t = divmod(max(bad), arrays.length)
        raise ValueError(_complaint(tracklets, row, t, options.min_score))
    detections = np.empty(count, np.float32)
    detections[plan.rows] = bridge_scores(cells.scores, plan)
    return merged, detections


def _arrays_of(tracklets: Tracklets) -> TrackletArrays:
    """The tracklets as the kernels read them."""
    from ptfast.tracking._kernels.compiling import read_only

    length, joints = tracklets.keypoints.shape[1:3]
    keypoints = np.require(tracklets.keypoints, np.float32, ["C", "A"]).reshape(-1, joints, 2)
    scores = np.require(tracklets.joint_scores, np.float32, ["C", "A"]).reshape(-1, joints)
    boxes = tracklets.boxes.astype(np.float64)
    box_heads = HEAD_SHARE * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return TrackletArrays(
        read_only(keypoints), read_only(scores), tracklets.scores.astype(np.float64), box_heads, length,
        *(tracklets.skeleton.head or (-1, -1)),
    )  # fmt: skip


def _survey(tracklets: TrackletArrays, plan: Plan, min_score: float, pieces: list[tuple[int, int, int, int]]) -> Cells:
    """Head sizes and detection scores of all cells. The joints of a piece do not matter here."""
    from ptfast.tracking._kernels.merging import survey

    cells = Cells(np.empty(len(plan.rows)), np.empty(len(plan.rows)))
    people = [piece for piece in pieces if piece[2] == 0]
    run_pieces(lambda begin, end, *_: survey(tracklets, plan, min_score, begin, end, cells), people)
    return cells


def _pieces(plan: Plan, length: int, joints: int) -> list[tuple[int, int, int, int]]:
    """Ranges of people and of joints, enough of them to keep all threads busy."""
    if len(plan.people) == 0:
        return []
    people = even_pieces(plan.offsets * (length * joints), GRAIN)
    work = len(plan.order) * length * joints
    wanted = min(PIECES_PER_THREAD * _native.num_threads(), work // GRAIN)
    cuts = np.linspace(0, joints, max(1, min(joints, wanted // len(people))) + 1).astype(int).tolist()
    return [(*piece, low, high) for piece in people for low, high in pairwise(cuts)]


def _complaint(tracklets: Tracklets, row: int, t: int, min_score: float) -> str:
    """Names the first hypothesis of an entry that is not finite."""
    keypoints, scores = tracklets.keypoints[row, t], tracklets.joint_scores[row, t]
    bad = (scores > min_score) & ~(np.isfinite(keypoints).all(-1) & np.isfinite(scores))
    joint = int(bad.argmax())
    return (
        f"keypoints and joint_scores must be finite where a hypothesis counts, got {keypoints[joint].tolist()} with "
        f"score {scores[joint]} at ({row}, {t}, {joint})"
    )
