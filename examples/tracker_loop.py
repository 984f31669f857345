"""OKS and optimal matching in a tracker that exists already: NumPy arrays in and out, and torch is never loaded.

    python examples/tracker_loop.py

The tracker below is the kind that many projects have: a list of tracks, a cost of every track with every detection, a
matching, tracks that age. Two of its lines are ptfast's. `ptfast.link` and `ptfast.OnlineLinker` do all of it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from ptfast import COCO_17
from ptfast.ops import assign, oks_matrix
from ptfast.synthetic import scene

SIGMAS = 2 * np.array(COCO_17.sigmas)  # wider than for evaluation: people move from frame to frame


@dataclass
class Track:
    """A person who is followed."""

    number: int
    keypoints: np.ndarray  # (K, 2), where it was last seen
    age: int = 0  # frames since


class Tracker:
    """Follows people by their joints."""

    def __init__(self, max_age: int = 8, max_cost: float = 0.9) -> None:
        self.max_age, self.max_cost = max_age, max_cost
        self.tracks: list[Track] = []
        self.count = 0

    def update(self, keypoints: np.ndarray, areas: np.ndarray) -> list[int]:
        """Track numbers of the people of the next frame, (N, K, 2) keypoints and (N,) areas."""
        known = np.array([track.keypoints for track in self.tracks], float).reshape(-1, *keypoints.shape[1:])
        cost = 1 - oks_matrix(known, keypoints, area=areas, sigmas=SIGMAS)  # was a loop over all pairs
        person_of = assign(cost, max_cost=self.max_cost)  # was SciPy, then a loop that undid what was too dear
        track_of = {person: track for track, person in zip(self.tracks, person_of, strict=True) if person >= 0}
        for track in self.tracks:
            track.age += 1
        numbers = []
        for person, joints in enumerate(keypoints):
            track = track_of.get(person) or self.begin(joints)
            track.keypoints, track.age = joints, 0
            numbers.append(track.number)
        self.tracks = [track for track in self.tracks if track.age <= self.max_age]
        return numbers

    def begin(self, joints: np.ndarray) -> Track:
        """Adds a track for somebody new."""
        self.tracks.append(Track(self.count, joints))
        self.count += 1
        return self.tracks[-1]


def main() -> None:
    """Follows synthetic people whose detections are a little off, come in any order and are sometimes missing."""
    rng = np.random.default_rng(0)
    truth = scene(seed=1, frames=100, people=4, skeleton=COCO_17)
    tracker, last, switches = Tracker(), {}, 0
    for frame in truth:
        found = rng.permutation(np.flatnonzero(rng.random(len(frame.scores)) < 0.9))
        keypoints = rng.normal(frame.keypoints[found].astype(float), 1.0)
        width, height = (frame.boxes[found, 2:] - frame.boxes[found, :2]).T.astype(float)
        for person, number in zip(frame.track_ids[found], tracker.update(keypoints, width * height), strict=True):
            switches += last.get(person, number) != number
            last[person] = number
    print(f"{len(last)} people, {tracker.count} tracks, {switches} switches")
    print(f"torch loaded: {'torch' in sys.modules}")


if __name__ == "__main__":
    main()
