"""Endless training clips from synthetic films."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
from torch.utils.data import Dataset

from ptfast._check import check_number
from ptfast.synthetic import Film, render
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.clips import Clip, cut_clip, mirror, resize

FRAMES, CLIPS, FILMS = 16, 8, 16  # of a film, from a film, and films at a time


class SyntheticClips(Dataset):
    """Clips of films of 1 to 9 people. Clip i is the same whenever and wherever it is asked for.

    Making a film costs as much as drawing eight of its frames. So eight clips come from each, shuffled among those of
    sixteen films, which are kept, as are their images, while clips are asked for in order.

    Args:
        length: T.
        seed: Below 8,000,000; those from there on are for validation and test sets.
        size: Side of the images in pixels.

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(self, length: int, *, seed: int = 0, size: int = 256) -> None:
        if not 0 <= seed < VALIDATION_SEEDS:
            raise ValueError(
                f"seed must be from 0 to {VALIDATION_SEEDS - 1:,}, got {seed:,}; the rest is for validation"
            )
        if not 1 <= length <= FRAMES:
            raise ValueError(f"length must be from 1 to {FRAMES}, got {length}")
        check_number("size", size, 1)
        self.length, self.seed, self.size = length, seed, size
        self._film = lru_cache(maxsize=2 * FILMS)(self._make_film)
        self._image = lru_cache(maxsize=FILMS * FRAMES)(lambda number, frame: self._film(number).image(frame))

    def __reduce__(self) -> tuple:
        return partial(SyntheticClips, self.length, seed=self.seed, size=self.size), ()  # films stay with their process

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, 0 or more."""
        block, place = divmod(index, FILMS * CLIPS)
        film, clip = divmod(int(np.random.default_rng([self.seed, block]).permutation(FILMS * CLIPS)[place]), CLIPS)
        number = block * FILMS + film
        rng = np.random.default_rng([self.seed, 1, number, clip])
        first = int(rng.integers(FRAMES - self.length + 1))
        poses, frames = self._film(number).poses, range(first, first + self.length)
        cut = cut_clip(np.stack([self._image(number, frame) for frame in frames]), poses, frames)
        return mirror(cut, poses.skeleton) if rng.random() < 0.5 else cut

    def _make_film(self, number: int) -> Film:
        return random_film((self.seed + number) % VALIDATION_SEEDS, FRAMES, self.size)


class SizedClips(Dataset):
    """Other clips in one of several sizes, by chance; clip i has always the same.

    Args:
        clips: Clips by number.
        short_sides: The shorter side in pixels is one of these.
        long_side: Largest longer side.
        seed: Of the sizes.
    """

    def __init__(self, clips: Dataset, short_sides: Sequence[int], long_side: int, seed: int) -> None:
        self.clips, self.short_sides, self.long_side, self.seed = clips, tuple(short_sides), long_side, seed

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, 0 or more."""
        short = int(np.random.default_rng([self.seed, 2, index]).choice(self.short_sides))
        return resize(self.clips[index], short, self.long_side)


def synthetic_data(length: int, seed: int, short_sides: Sequence[int], long_side: int) -> Dataset:
    """SyntheticClips, drawn in the only size or, if there are several, in the largest and made smaller."""
    clips = SyntheticClips(length, seed=seed, size=max(short_sides))
    return clips if len(set(short_sides)) == 1 else SizedClips(clips, short_sides, long_side, seed)


def random_film(seed: int, frames: int, size: int, fps: float = 25.0) -> Film:
    """A film of 1 to 9 people, 0 to 4 things about them and a camera that swings and shakes more or less."""
    rng = np.random.default_rng([seed, 7])
    return render(
        seed,
        frames=frames,
        people=int(rng.integers(1, 10)),
        size=(size, size),
        fps=fps,
        pan=float(rng.uniform(0, 8)),
        shake=float(rng.uniform(0, 0.4)),
        scenery=int(rng.integers(0, 5)),
        blur=int(rng.integers(1, 3)),
    )
