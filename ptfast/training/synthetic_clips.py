"""Endless training clips from synthetic films."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from torch.utils.data import Dataset

from ptfast.synthetic import Film, render
from ptfast.training.clips import Clip, cut_clip, mirror

FRAMES, CLIPS, FILMS = 16, 8, 16  # of a film, from a film, and films at a time
VALIDATION_SEED = 8_000_000  # seeds from here on are not for training


class SyntheticClips(Dataset):
    """Clips of films of 1 to 9 people. Clip i is the same whenever and wherever it is asked for.

    Making a film costs as much as drawing eight of its frames. So eight clips come from each, shuffled among those of
    sixteen films, which are kept while clips are asked for in order.

    Args:
        length: T.
        seed: Below 8,000,000; those from there on are for validation and exams.
        size: Side of the pictures in pixels.
    """

    def __init__(self, length: int, *, seed: int = 0, size: int = 256) -> None:
        self.length, self.seed, self.size = length, seed, size
        self._film = lru_cache(maxsize=2 * FILMS)(self._make_film)

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, 0 or more."""
        block, place = divmod(index, FILMS * CLIPS)
        film, clip = divmod(int(np.random.default_rng([self.seed, block]).permutation(FILMS * CLIPS)[place]), CLIPS)
        number = block * FILMS + film
        rng = np.random.default_rng([self.seed, 1, number, clip])
        first = int(rng.integers(FRAMES - self.length + 1))
        shown, frames = self._film(number), range(first, first + self.length)
        cut = cut_clip(np.stack([shown.image(frame) for frame in frames]), shown.poses, frames)
        return mirror(cut, shown.poses.skeleton) if rng.random() < 0.5 else cut

    def _make_film(self, number: int) -> Film:
        return random_film((self.seed + number) % VALIDATION_SEED, FRAMES, self.size)


def random_film(seed: int, frames: int, size: int) -> Film:
    """A film of 1 to 9 people, 0 to 4 things about them and a camera that swings and shakes more or less."""
    rng = np.random.default_rng([seed, 7])
    return render(
        seed,
        frames=frames,
        people=int(rng.integers(1, 10)),
        size=(size, size),
        pan=float(rng.uniform(0, 8)),
        shake=float(rng.uniform(0, 0.4)),
        scenery=int(rng.integers(0, 5)),
        blur=int(rng.integers(1, 3)),
    )
