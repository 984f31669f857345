"""The common shift of the people of two frames."""

from __future__ import annotations

import numpy as np

from ptfast.models import camera_shifts


def pairs_of_frames(before: np.ndarray, now: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of two sets of places (N, 2) and (M, 2): ways, current rows, and the pair of frames."""
    ways = (now[None] - before[:, None]).reshape(-1, 2)
    current = np.tile(np.arange(len(now)), len(before)) + 100 * frames
    return ways, current, np.full(len(ways), frames)


def test_it_is_the_median_way_from_the_nearest_in_each_pair_of_frames() -> None:
    rng = np.random.default_rng(0)
    parts, expected = [], []
    for frames, people in enumerate((5, 8, 3)):
        before = np.arange(people)[:, None] * np.array([200.0, 70.0])
        walked = rng.normal(0, 4, (people, 2))
        now = before + walked + [[30, -20], [-15, 5], [0, 0]][frames]
        parts.append(pairs_of_frames(before, now, frames))
        expected.append(np.tile(np.median(now - before, 0), (people * people, 1)))
    ways, current, group = map(np.concatenate, zip(*parts, strict=True))
    shuffled = rng.permutation(len(ways))
    found = camera_shifts(ways[shuffled], current[shuffled], group[shuffled])
    np.testing.assert_allclose(found, np.concatenate(expected)[shuffled], rtol=1e-5)


def test_the_nearest_is_sought_again_without_the_shift() -> None:
    """Two of seven are nearer to another's place than to their own until the others' shift is known."""
    before = np.array([1147.0, 2000, 3000, 4000, 5000, 1000, 1073])
    now = before + np.arange(38, 45)
    found = camera_shifts(*pairs_of_frames(*(np.stack([x, 0 * x], 1) for x in (before, now)), 0))
    np.testing.assert_allclose(found, np.tile([41, 0], (49, 1)))


def test_two_people_may_move_alike_by_chance() -> None:
    before = np.array([[0.0, 0], [300, 0]])
    assert not camera_shifts(*pairs_of_frames(before, before + 9, 0)).any()
    assert camera_shifts(np.zeros((0, 2)), np.zeros(0, int), np.zeros(0, int)).shape == (0, 2)
