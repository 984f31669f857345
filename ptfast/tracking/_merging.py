"""Merging hypotheses, compiled: for each person and joint, clusters of every frame and the path through them.

A person's tracklets stand together, in the order of their first frames, and all are T frames long: those that cover a
frame are a run of them, whose ends move on with the frame.
"""

from __future__ import annotations

import numpy as np
from numba import float32, uint8

from ptfast.tracking._mean_shift import CENTRE_X, CENTRE_Y, LABEL, WEIGHT, X, Y, find_clusters, make_tables
from ptfast.tracking._numba import ZERO, arrays, boolean, inputs, integer, kernel, part, real
from ptfast.tracking._shortest_path import dijkstra, enter, trace, viterbi

SPATIOTEMPORAL, SPATIAL, TEMPORAL, HIGHEST = range(4)

COST, SCORE = 2, 3  # rows of the nodes' table, after X and Y


@part
def _covering(first: np.ndarray, end: int, length: int, frame: int, run: tuple[int, int]) -> tuple[int, int]:
    """The run of tracklets, up to `end`, that covers a frame; `run` is that of an earlier one."""
    low, high = run
    while low < end and first[low] + length <= frame:
        low += 1
    high = max(low, high)
    while high < end and first[high] <= frame:
        high += 1
    return low, high


@part
def _median(values: np.ndarray) -> float:
    for i in range(1, len(values)):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


@kernel(
    inputs(float32, 3), inputs(float32, 2), integer, inputs(integer), inputs(integer), inputs(integer),
    inputs(integer, 2), inputs(integer), inputs(real), inputs(real), integer, integer, real, integer, integer,
    arrays(real), arrays(real),
)  # fmt: skip
def survey(
    keypoints: np.ndarray, joint_scores: np.ndarray, length: int, order: np.ndarray, first: np.ndarray,
    people: np.ndarray, spans: np.ndarray, cells: np.ndarray, fallback: np.ndarray, detections: np.ndarray, top: int,
    bottom: int, min_score: float, begin: int, end: int, heads: np.ndarray, scores: np.ndarray,
) -> None:  # fmt: skip
    """Head sizes (cells,) and mean detection scores (cells,) of the frames of people `begin` to `end`.

    Arguments as merge_people; `fallback` and `detections` are (M,), `top` and `bottom` the head joints or -1.
    """
    sizes = np.empty(len(order))
    for person in range(begin, end):
        run = people[person], people[person]
        for frame in range(spans[person, 0], spans[person, 1]):
            cell = cells[person] + frame - spans[person, 0]
            run = _covering(first, people[person + 1], length, frame, run)
            total = 0.0
            for i in range(run[0], run[1]):
                row, size = order[i] * length + frame - first[i], fallback[order[i]]
                if top >= 0 and joint_scores[row, top] > min_score and joint_scores[row, bottom] > min_score:
                    dx = real(keypoints[row, top, 0]) - keypoints[row, bottom, 0]
                    dy = real(keypoints[row, top, 1]) - keypoints[row, bottom, 1]
                    size = np.sqrt(dx * dx + dy * dy)
                sizes[i - run[0]] = size
                total += detections[order[i]]
            if run[0] < run[1]:
                heads[cell], scores[cell] = _median(sizes[: run[1] - run[0]]), total / (run[1] - run[0])
            else:
                heads[cell], scores[cell] = 0.0, np.nan


@part
def _gather(
    keypoints: np.ndarray, joint_scores: np.ndarray, entries: np.ndarray, joint: int, min_score: float,
    reals: np.ndarray, scores: np.ndarray,
) -> int:  # fmt: skip
    """Puts the hypotheses of a joint into rows X and Y and `scores`: how many, or one that is not finite as -1 - i."""
    count = 0
    for i in range(len(entries)):
        score = real(joint_scores[entries[i], joint])
        if score > min_score:
            x, y = real(keypoints[entries[i], joint, 0]), real(keypoints[entries[i], joint, 1])
            if not abs(x) + abs(y) + score < np.inf:
                return -1 - entries[i]
            reals[X, count], reals[Y, count], scores[count] = x, y, score
            count += 1
    return count


@part
def _add_clusters(
    reals: np.ndarray, index: np.ndarray, scores: np.ndarray, count: int, weighted: bool, radius: float, max_iter: int,
    base: int, only_largest: bool, nodes: np.ndarray, used: int,
) -> tuple[int, int]:  # fmt: skip
    """Adds the clusters of `count` hypotheses, or the largest, to the nodes; returns their number and the new base."""
    for i in range(count):
        reals[WEIGHT, i] = scores[i] if weighted else 1.0
    clusters, grown = find_clusters(reals, index, count, radius, max_iter, base)
    start, largest = used, 0
    for c in range(clusters):
        size, total = 0, 0.0
        for i in range(count):
            if index[LABEL, i] == c:
                size += 1
                total += scores[i]
        if size == 0:
            continue
        if only_largest and used > start:
            if size < largest or (size == largest and total / size <= nodes[SCORE, start]):
                continue
            used = start
        nodes[X, used], nodes[Y, used] = reals[CENTRE_X, c], reals[CENTRE_Y, c]
        nodes[COST, used], nodes[SCORE, used] = 1 - size / count, total / size
        largest = size
        used += 1
    return used, base + grown


@part
def _add_hypotheses(
    reals: np.ndarray, scores: np.ndarray, count: int, only_highest: bool, nodes: np.ndarray, used: int,
) -> int:  # fmt: skip
    """Adds each hypothesis, or the most confident, to the nodes; returns their number."""
    highest = 0
    for i in range(count):
        if scores[i] > scores[highest]:
            highest = i
    for i in range(count):
        if i == highest or not only_highest:
            nodes[X, used], nodes[Y, used] = reals[X, i], reals[Y, i]
            nodes[COST, used], nodes[SCORE, used] = 0.0, scores[i]
            used += 1
    return used


@part
def _grown(nodes: np.ndarray, needed: int) -> np.ndarray:
    """A table of nodes with room for so many: the same one, or a larger one with the same content."""
    if needed <= nodes.shape[1]:
        return nodes
    larger = np.empty((4, 2 * needed))
    for row in range(4):
        for i in range(nodes.shape[1]):
            larger[row, i] = nodes[row, i]
    return larger


@part
def _write_path(
    nodes: np.ndarray, path: np.ndarray, frames: np.ndarray, pin: np.ndarray, rows: np.ndarray, start: int, joint: int,
    keypoints: np.ndarray, scores: np.ndarray, visibility: np.ndarray,
) -> None:  # fmt: skip
    """Writes a joint's path (L,) and, along straight lines, what lies between its frames.

    `rows` are those of the person's frames from `start` on; `pin` is the joint's place in the frame before the first.
    """
    x, y, score, frame = pin[0], pin[1], pin[2], -1
    known = not np.isnan(x)
    for layer in range(len(path)):
        node, to = path[layer], frames[layer]
        to_x, to_y, to_score = nodes[X, node], nodes[Y, node], nodes[SCORE, node]
        if known:
            for between in range(frame + 1, to):
                row, share = rows[between - start], (between - frame) / (to - frame)
                keypoints[row, joint, 0], keypoints[row, joint, 1] = x + share * (to_x - x), y + share * (to_y - y)
                scores[row, joint], visibility[row, joint] = min(score, to_score), 1
        row = rows[to - start]
        keypoints[row, joint, 0], keypoints[row, joint, 1] = to_x, to_y
        scores[row, joint], visibility[row, joint] = to_score, 2
        x, y, score, frame, known = to_x, to_y, to_score, to, True


@part
def _find_path(
    nodes: np.ndarray, used: int, first: np.ndarray, last: np.ndarray, factor: np.ndarray, pin: np.ndarray,
    heaped: bool, total: np.ndarray, work: np.ndarray, path: np.ndarray,
) -> None:  # fmt: skip
    """The cheapest path (L,) through the layers of one joint; `total` (N,) and `work` (4, N) are work space."""
    x, y, cost = nodes[X, :used], nodes[Y, :used], nodes[COST, :used]
    enter(x, y, cost, first[0], last[0], factor[0], pin, total)
    if heaped:
        end = dijkstra(x, y, cost, first, last, factor, total, work[0], work[1], work[2], work[3])
    else:
        end = viterbi(x, y, cost, first, last, factor, total, work[0])
    trace(work[0], end, path)


@part
def _take_paths(
    nodes: np.ndarray, used: int, layers: np.ndarray, counts: np.ndarray, start: int, radii: np.ndarray,
    rows: np.ndarray, pins: np.ndarray, heaped: bool, in_radii: bool, smoothness: float, joint_begin: int,
    keypoints: np.ndarray, scores: np.ndarray, visibility: np.ndarray,
) -> None:  # fmt: skip
    """Finds and writes the paths of a person's joints through the nodes; arguments as merge_people."""
    total, work = np.empty(used), np.empty((4, used), np.int64)
    factor, path = np.empty(len(radii)), np.empty(len(radii), np.int64)
    for j in range(len(counts)):
        count, joint = counts[j], joint_begin + j
        if count == 0:
            continue
        frames = layers[2, j, :count]
        for layer in range(count):
            factor[layer] = smoothness / radii[frames[layer] - start] if in_radii else smoothness
        _find_path(
            nodes, used, layers[0, j, :count], layers[1, j, :count], factor, pins[joint], heaped, total, work,
            path[:count],
        )  # fmt: skip
        _write_path(nodes, path[:count], frames, pins[joint], rows, start, joint, keypoints, scores, visibility)


@part
def _make_nodes(
    keypoints: np.ndarray, joint_scores: np.ndarray, length: int, order: np.ndarray, first: np.ndarray,
    run: tuple[int, int], person_end: int, span: np.ndarray, radii: np.ndarray, merge: int, weighted: bool,
    min_score: float, max_iter: int, joint_begin: int, reals: np.ndarray, index: np.ndarray, base: int,
    layers: np.ndarray, counts: np.ndarray,
) -> tuple[np.ndarray, int, int, int]:  # fmt: skip
    """The nodes (4, N) of a person's joints and frames, and `layers` and `counts` of them; arguments as merge_people.

    Returns the nodes, their number, the tables' new base, and -1 or the entry of a hypothesis that is not finite.
    """
    joints, start = len(counts), span[0]
    scores, entries = np.empty(reals.shape[1]), np.empty(reals.shape[1], np.int64)
    nodes = np.empty((4, 2 * joints * (span[1] - start)))
    used = ZERO
    for frame in range(start, span[1]):
        run = _covering(first, person_end, length, frame, run)
        for i in range(run[0], run[1]):
            entries[i - run[0]] = order[i] * length + frame - first[i]
        for j in range(joints):
            count = _gather(
                keypoints, joint_scores, entries[: run[1] - run[0]], joint_begin + j, min_score, reals, scores
            )
            if count < 0:
                return nodes, used, base, -1 - count
            if count == 0:
                continue
            nodes = _grown(nodes, used + count)
            layer = counts[j]
            layers[0, j, layer], layers[2, j, layer] = used, frame
            if merge in (TEMPORAL, HIGHEST):
                used = _add_hypotheses(reals, scores, count, merge == HIGHEST, nodes, used)
            else:
                radius, only_largest = radii[frame - start], merge == SPATIAL
                used, base = _add_clusters(
                    reals, index, scores, count, weighted, radius, max_iter, base, only_largest, nodes, used
                )
            layers[1, j, layer] = used
            counts[j] += layers[0, j, layer] < used
    return nodes, used, base, -1


@kernel(
    inputs(float32, 3), inputs(float32, 2), integer, inputs(integer), inputs(integer), inputs(integer),
    inputs(integer, 2), inputs(integer), inputs(integer), inputs(real), inputs(real, 3), integer, boolean, boolean,
    boolean, real, real, integer, integer, integer, integer, integer, arrays(float32, 3), arrays(float32, 2),
    arrays(uint8, 2),
)  # fmt: skip
def merge_people(
    keypoints: np.ndarray, joint_scores: np.ndarray, length: int, order: np.ndarray, first: np.ndarray,
    people: np.ndarray, spans: np.ndarray, cells: np.ndarray, rows: np.ndarray, radii: np.ndarray, pins: np.ndarray,
    merge: int, heaped: bool, weighted: bool, in_radii: bool, smoothness: float, min_score: float, max_iter: int,
    begin: int, end: int, joint_begin: int, joint_end: int, out_keypoints: np.ndarray, out_scores: np.ndarray,
    out_visibility: np.ndarray,
) -> int:  # fmt: skip
    """Merges the hypotheses of some people's joints; returns -1, or the entry of one that is not finite.

    Args:
        keypoints: (M * T, K, 2), the entries of all tracklets one after the other.
        joint_scores: (M * T, K).
        length: T.
        order: (I,) the tracklets that count, by person, then first frame.
        first: (I,) their first frames.
        people: (P + 1,) where in `order` each person begins.
        spans: (P, 2) the frames of each person, from and up to.
        cells: (P + 1,) where each person's frames begin among all people's.
        rows: (cells,) the output's row of each frame of each person.
        radii: (cells,) of clusters; more than 0.
        pins: (P, K, 3) x, y and score in the frame before the first, NaN for none.
        merge: SPATIOTEMPORAL, SPATIAL, TEMPORAL or HIGHEST.
        heaped: dijkstra, not viterbi.
        weighted: Weight hypotheses by their scores in mean shift.
        in_radii: Measure distances in radii of the frame that a step leads to, not in pixels.
        smoothness: What a unit of distance costs.
        min_score: A hypothesis counts if its score is above.
        max_iter: Most shifts of a seed after the first.
        begin: The first person.
        end: The person after the last.
        joint_begin: The first joint.
        joint_end: The joint after the last.
        out_keypoints: (R, K, 2), written where there is a joint.
        out_scores: (R, K), likewise.
        out_visibility: (R, K), likewise: 2, or 1 between frames with hypotheses.
    """
    joints = joint_end - joint_begin
    most = ZERO + 1
    for person in range(begin, end):
        run = people[person], people[person]
        for frame in range(spans[person, 0], spans[person, 1]):
            run = _covering(first, people[person + 1], length, frame, run)
            most = max(most, run[1] - run[0])
    reals, index = make_tables(most, max_iter)
    base = ZERO
    for person in range(begin, end):
        span, here = spans[person], slice(cells[person], cells[person + 1])
        layers = np.empty((3, joints, span[1] - span[0]), np.int64)  # first node, the one after the last, and frame
        counts = np.zeros(joints, np.int64)
        nodes, used, base, bad = _make_nodes(
            keypoints, joint_scores, length, order, first, (people[person], people[person]), people[person + 1], span,
            radii[here], merge, weighted, min_score, max_iter, joint_begin, reals, index, base, layers, counts,
        )  # fmt: skip
        if bad >= 0:
            return bad
        _take_paths(
            nodes, used, layers, counts, span[0], radii[here], rows[here], pins[person], heaped, in_radii, smoothness,
            joint_begin, out_keypoints, out_scores, out_visibility,
        )  # fmt: skip
    return -1
