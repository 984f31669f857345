"""The merging of pose hypotheses: for each person and joint, the cheapest path through the clusters of all frames.

`survey` goes over all people first, since the radius of a person's clusters follows from the head sizes that it finds.
"""

from __future__ import annotations

import numpy as np
from numba import float32, uint8

from ptfast.tracking._kernels.compiling import arrays, boolean, inputs, integer, kernel, maker, part, real, record
from ptfast.tracking._kernels.hypotheses import Clusters, Layers, Person, covering, find_layers, make_room, size_of
from ptfast.tracking._kernels.records import Cells, Graph, Merged, Options, Piece, Plan, TrackletArrays
from ptfast.tracking._kernels.shortest_path import Paths, find_path, make_paths

TRACKLETS = record(TrackletArrays, inputs(float32, 3), inputs(float32, 2), *[arrays(real)] * 2, *[integer] * 3)
PLAN = record(Plan, *[arrays(integer)] * 4, arrays(integer, 2), *[arrays(integer)] * 3)
CELLS = record(Cells, arrays(real), arrays(real))
OPTIONS = record(Options, integer, boolean, boolean, boolean, real, real, integer)
PIECE = record(Piece, *[integer] * 4)
MERGED = record(Merged, arrays(float32, 3), arrays(float32, 2), arrays(uint8, 2))


@part
def _median(values: np.ndarray) -> float:
    """The median of at least one value (N,), which it sorts."""
    for i in range(1, len(values)):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


@part
def _head_size(tracklets: TrackletArrays, tracklet: int, entry: int, min_score: float) -> float:
    """The distance of the head joints in an entry, or what follows from the tracklet's box without both of them."""
    top, bottom = tracklets.head_top, tracklets.head_bottom
    scores = tracklets.joint_scores
    if top < 0 or not scores[entry, top] > min_score or not scores[entry, bottom] > min_score:
        return tracklets.box_heads[tracklet]
    dx = real(tracklets.keypoints[entry, top, 0]) - tracklets.keypoints[entry, bottom, 0]
    dy = real(tracklets.keypoints[entry, top, 1]) - tracklets.keypoints[entry, bottom, 1]
    return np.sqrt(dx * dx + dy * dy)


@kernel(TRACKLETS, PLAN, real, integer, integer, CELLS)
def survey(tracklets: TrackletArrays, plan: Plan, min_score: float, begin: int, end: int, cells: Cells) -> None:
    """Writes head sizes and detection scores of the cells of people `begin` to `end`."""
    sizes = np.empty(len(plan.order))
    for person in range(begin, end):
        run = plan.offsets[person], plan.offsets[person]
        for frame in range(plan.spans[person, 0], plan.spans[person, 1]):
            cell = plan.cells[person] + frame - plan.spans[person, 0]
            run = covering(plan.first, plan.offsets[person + 1], tracklets.length, frame, run)
            total = 0.0
            for i in range(run[0], run[1]):
                entry = plan.order[i] * tracklets.length + frame - plan.first[i]
                sizes[i - run[0]] = _head_size(tracklets, plan.order[i], entry, min_score)
                total += tracklets.scores[plan.order[i]]
            if run[0] < run[1]:
                cells.heads[cell], cells.scores[cell] = _median(sizes[: run[1] - run[0]]), total / (run[1] - run[0])
            else:
                cells.heads[cell], cells.scores[cell] = 0.0, np.nan


@part
def _write_path(
    clusters: Clusters, path: np.ndarray, frames: np.ndarray, person: Person, joint: int, merged: Merged
) -> None:
    """Writes the centres along a joint's path (L,) through some frames (L,) and, on straight lines, what lies between.

    The first line comes from the joint's pin, if it has one.
    """
    x, y, score, frame = person.pins[joint, 0], person.pins[joint, 1], person.pins[joint, 2], -1
    known = not np.isnan(x)
    for layer in range(len(path)):
        node, to = path[layer], frames[layer]
        to_x, to_y, to_score = clusters.x[node], clusters.y[node], clusters.score[node]
        if known:
            for between in range(frame + 1, to):
                row, share = person.rows[between - person.start], (between - frame) / (to - frame)
                merged.keypoints[row, joint, 0] = x + share * (to_x - x)
                merged.keypoints[row, joint, 1] = y + share * (to_y - y)
                merged.scores[row, joint], merged.visibility[row, joint] = min(score, to_score), 1
        row = person.rows[to - person.start]
        merged.keypoints[row, joint, 0], merged.keypoints[row, joint, 1] = to_x, to_y
        merged.scores[row, joint], merged.visibility[row, joint] = to_score, 2
        x, y, score, frame, known = to_x, to_y, to_score, to, True


@part
def _merge_joint(
    clusters: Clusters, layers: Layers, j: int, joint: int, person: Person, dijkstra: bool, paths: Paths,
    path: np.ndarray, merged: Merged,
) -> None:  # fmt: skip
    """Finds and writes the path of a joint, whose layers are row j. `path` is room for (F,) clusters."""
    number = layers.number[j]
    if number == 0:
        return
    first, last, smoothness = layers.first[j, :number], layers.last[j, :number], layers.smoothness[j, :number]
    graph = Graph(clusters.x, clusters.y, clusters.data, first, last, smoothness)
    find_path(graph, person.pins[joint, 0], person.pins[joint, 1], dijkstra, paths, path[:number])
    _write_path(clusters, path[:number], layers.frame[j, :number], person, joint, merged)


@maker
def _make_person(plan: Plan, person: int, radii: np.ndarray, pins: np.ndarray) -> Person:
    """One person's part of the arguments of `merge_people`."""
    here = slice(plan.cells[person], plan.cells[person + 1])
    start, stop = plan.spans[person]
    return Person(
        plan.offsets[person], plan.offsets[person + 1], start, stop, radii[here], plan.rows[here], pins[person]
    )  # fmt: skip


@kernel(TRACKLETS, PLAN, arrays(real), arrays(real, 3), OPTIONS, PIECE, MERGED)
def merge_people(
    tracklets: TrackletArrays, plan: Plan, radii: np.ndarray, pins: np.ndarray, options: Options, piece: Piece,
    merged: Merged,
) -> int:  # fmt: skip
    """Merges the hypotheses of some people's joints. Returns -1, or the entry of one that is not finite.

    Args:
        tracklets: The tracklets.
        plan: Their layout.
        radii: (cells,) of clusters; more than 0.
        pins: (P, K, 3) x, y and score in the frame before the first, NaN for none.
        options: How they are merged.
        piece: The people and joints.
        merged: Written where there is a joint.
    """
    joints, size = piece.joint_end - piece.joint_begin, size_of(plan, tracklets.length, piece.begin, piece.end)
    room = make_room(size, joints, options.max_iter)
    paths, path = make_paths(size.entries * joints, options.dijkstra), np.empty(size.frames, np.int64)
    for p in range(piece.begin, piece.end):
        person = _make_person(plan, p, radii, pins)
        bad = find_layers(tracklets, plan, person, options, piece.joint_begin, room)
        if bad >= 0:
            return bad
        for j in range(joints):
            joint = piece.joint_begin + j
            _merge_joint(room.clusters, room.layers, j, joint, person, options.dijkstra, paths, path, merged)
    return -1
