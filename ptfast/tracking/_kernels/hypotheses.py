"""The hypotheses of a person's joints, and the clusters that they form in each frame.

A person's tracklets stand together, in the order of their first frames, and all are T frames long: those that cover a
frame are a run of them, whose ends move on with the frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ptfast.tracking._kernels.compiling import ZERO, maker, part, real
from ptfast.tracking._kernels.mean_shift import find_clusters
from ptfast.tracking._kernels.records import HIGHEST, SPATIAL, TEMPORAL, Options, Plan, TrackletArrays
from ptfast.tracking._kernels.space import Points, Space, make_space


class Person(NamedTuple):
    """One person of a plan."""

    begin: int  # tracklets begin to end in the plan's order
    end: int
    start: int  # frames start to stop
    stop: int
    radii: np.ndarray  # (F,) of the clusters in each frame
    rows: np.ndarray  # (F,) of the output, for each frame
    pins: np.ndarray  # (K, 3) x, y and score of each joint in the frame before the first, NaN for none


class Clusters(NamedTuple):
    """Clusters of a person's joints in all frames."""

    x: np.ndarray  # (N,) their centres mu
    y: np.ndarray  # (N,)
    data: np.ndarray  # (N,) the data terms 1 - |C| / |H|
    score: np.ndarray  # (N,) the mean scores of their hypotheses


class Layers(NamedTuple):
    """The frames in which J of a person's joints have hypotheses, with the clusters of these."""

    frame: np.ndarray  # (J, F)
    first: np.ndarray  # (J, F) layer l of joint j holds the clusters first[j, l] to last[j, l]
    last: np.ndarray  # (J, F)
    smoothness: np.ndarray  # (J, F) lambda, the cost of a unit of distance, of a step to each layer
    number: np.ndarray  # (J,) layers of each joint


class Size(NamedTuple):
    """The largest numbers that some people have, each at least 1."""

    hypotheses: int  # of a joint in a frame
    entries: int  # of a person's tracklets
    frames: int


class Room(NamedTuple):
    """Room for people that a thread merges one after the other."""

    entries: np.ndarray  # (H,) the entries of the tracklets that cover a frame
    score: np.ndarray  # (H,) the scores of the hypotheses of a joint
    space: Space  # their places are the points in it
    clusters: Clusters
    layers: Layers


@maker
def make_room(size: Size, joints: int, max_iter: int) -> Room:
    """Room for people of up to a size. What a person does not touch costs no memory."""
    c, f = np.empty((4, size.entries * joints)), np.empty((3, joints, size.frames), np.int64)
    layers = Layers(f[0], f[1], f[2], np.empty((joints, size.frames)), np.empty(joints, np.int64))
    return Room(
        np.empty(size.hypotheses, np.int64), np.empty(size.hypotheses), make_space(size.hypotheses, max_iter),
        Clusters(c[0], c[1], c[2], c[3]), layers,
    )  # fmt: skip


@part
def covering(first: np.ndarray, end: int, length: int, frame: int, run: tuple[int, int]) -> tuple[int, int]:
    """The run of tracklets, up to `end`, that covers a frame; `run` is that of an earlier one."""
    low, high = run
    while low < end and first[low] + length <= frame:
        low += 1
    high = max(low, high)
    while high < end and first[high] <= frame:
        high += 1
    return low, high


@part
def size_of(plan: Plan, length: int, begin: int, end: int) -> Size:
    """The size of people `begin` to `end`, whose tracklets have a length."""
    hypotheses = entries = frames = ZERO + 1
    for person in range(begin, end):
        first, last = plan.offsets[person], plan.offsets[person + 1]
        start, stop = plan.spans[person, 0], plan.spans[person, 1]
        entries, frames = max(entries, (last - first) * length), max(frames, stop - start)
        run = first, first
        for frame in range(start, stop):
            run = covering(plan.first, last, length, frame, run)
            hypotheses = max(hypotheses, run[1] - run[0])
    return Size(hypotheses, entries, frames)


@part
def _gather(
    tracklets: TrackletArrays, entries: np.ndarray, joint: int, min_score: float, points: Points, scores: np.ndarray
) -> int:
    """Writes a joint's hypotheses in entries (H,). Returns their number, or -1 - i if entry i is not finite."""
    count = 0
    for i in range(len(entries)):
        score = real(tracklets.joint_scores[entries[i], joint])
        if score > min_score:
            x, y = real(tracklets.keypoints[entries[i], joint, 0]), real(tracklets.keypoints[entries[i], joint, 1])
            if not abs(x) + abs(y) + score < np.inf:
                return -1 - entries[i]
            points.x[count], points.y[count], scores[count] = x, y, score
            count += 1
    return count


@part
def _add_clusters(
    score: np.ndarray, count: int, space: Space, radius: float, options: Options, clusters: Clusters, used: int
) -> int:
    """Adds the clusters of `count` hypotheses, or only the largest. Returns the number of clusters in use.

    Of clusters of one magnitude, the one with the highest mean score is the largest.
    """
    for i in range(count):
        space.points.weight[i] = score[i] if options.weighted else 1.0
    found = find_clusters(space, count, radius, options.max_iter)
    start, largest = used, 0
    for c in range(found):
        magnitude, total = 0, 0.0
        for i in range(count):
            if space.labels[i] == c:
                magnitude += 1
                total += score[i]
        if magnitude == 0:
            continue
        if options.merge == SPATIAL and used > start:
            if magnitude < largest or (magnitude == largest and total / magnitude <= clusters.score[start]):
                continue
            used = start
        clusters.x[used], clusters.y[used] = space.centres.x[c], space.centres.y[c]
        clusters.data[used], clusters.score[used] = 1 - magnitude / count, total / magnitude
        largest = magnitude
        used += 1
    return used


@part
def _add_hypotheses(
    points: Points, scores: np.ndarray, count: int, only_highest: bool, clusters: Clusters, used: int
) -> int:
    """Adds each hypothesis, or only the one of the highest score, as a cluster without a data term.

    Returns the number of clusters in use.
    """
    highest = 0
    for i in range(count):
        if scores[i] > scores[highest]:
            highest = i
    for i in range(count):
        if i == highest or not only_highest:
            clusters.x[used], clusters.y[used] = points.x[i], points.y[i]
            clusters.data[used], clusters.score[used] = 0.0, scores[i]
            used += 1
    return used


@part
def find_layers(
    tracklets: TrackletArrays, plan: Plan, person: Person, options: Options, first_joint: int, room: Room
) -> int:
    """Writes the clusters of a person's joints, from `first_joint` on, in all frames, and the layers that they are in.

    Tracklets that cover a frame are found by moving a run on. Its entries give each joint its hypotheses in the frame,
    and what these form is a layer, if there are any. Returns -1, or an entry that is not finite.
    """
    score, space, clusters, layers = room.score, room.space, room.clusters, room.layers
    used, run = ZERO, (person.begin, person.begin)
    for j in range(len(layers.number)):
        layers.number[j] = 0
    for frame in range(person.start, person.stop):
        run = covering(plan.first, person.end, tracklets.length, frame, run)
        for i in range(run[0], run[1]):
            room.entries[i - run[0]] = plan.order[i] * tracklets.length + frame - plan.first[i]
        entries, radius = room.entries[: run[1] - run[0]], person.radii[frame - person.start]
        smoothness = options.smoothness / radius if options.in_radii else options.smoothness
        for j in range(len(layers.number)):
            count = _gather(tracklets, entries, first_joint + j, options.min_score, space.points, score)
            if count < 0:
                return -1 - count
            layer, first = layers.number[j], used
            if options.merge in (TEMPORAL, HIGHEST):
                used = _add_hypotheses(space.points, score, count, options.merge == HIGHEST, clusters, used)
            elif count > 0:
                used = _add_clusters(score, count, space, radius, options, clusters, used)
            layers.frame[j, layer], layers.first[j, layer], layers.last[j, layer] = frame, first, used
            layers.smoothness[j, layer] = smoothness
            layers.number[j] += first < used
    return -1
