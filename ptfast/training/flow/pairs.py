"""Endless pairs of successive frames of synthetic films, whose flow the renderer knows."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from torch.utils.data import Dataset

from ptfast.synthetic import Film
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.synthetic_clips import random_film
from ptfast.training.flow.augmentation import FlowPair, augmented
from ptfast.training.flow.config import FlowConfig

FRAMES, CUTS, FILMS = 9, 2, 16  # of a film, from each of its pairs of frames, and films at a time
EXAMPLES = (FRAMES - 1) * CUTS  # of a film


class FilmPairs(Dataset):
    """Pairs cut out of films of 1 to 9 people. Pair i is the same whenever and wherever it is asked for.

    Drawing costs more than learning. So each pair of successive frames is cut out twice, in different places, and is
    shuffled among those of sixteen films, which are kept while pairs are asked for in order.

    Args:
        config: Sizes, augmentation, and the seed, below 8,000,000; from there on they are for validation and test sets.

    Raises:
        ValueError: The seed is out of range.
    """

    def __init__(self, config: FlowConfig) -> None:
        if config.seed >= VALIDATION_SEEDS:
            largest = VALIDATION_SEEDS - 1
            raise ValueError(f"seed must be from 0 to {largest:,}, got {config.seed:,}; the rest is for validation")
        self.config = config
        self._film = lru_cache(maxsize=FILMS)(self._make_film)
        self._image = lru_cache(maxsize=FILMS * FRAMES)(lambda number, frame: self._film(number).image(frame))
        self._truth = lru_cache(maxsize=FILMS * FRAMES)(self._make_truth)

    def __reduce__(self) -> tuple:
        return partial(FilmPairs, self.config), ()  # films stay with their process

    def __getitem__(self, index: int) -> FlowPair:
        """Pair `index`, 0 or more."""
        config = self.config
        block, place = divmod(index, FILMS * EXAMPLES)
        order = np.random.default_rng([config.seed, block]).permutation(FILMS * EXAMPLES)
        film, example = divmod(int(order[place]), EXAMPLES)
        number, frame = block * FILMS + film, example // CUTS
        images = self._image(number, frame), self._image(number, frame + 1)
        rng = np.random.default_rng([config.seed, 1, number, example])
        return augmented(FlowPair(*images, *self._truth(number, frame)), config.crop, config.augmentation, rng)

    def _make_truth(self, number: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
        film = self._film(number)
        flow, known = film.flow(frame)
        return flow, known * np.where(film.owners(frame) >= 0, np.float32(self.config.people), np.float32(1))

    def _make_film(self, number: int) -> Film:
        return flow_film((self.config.seed + number) % VALIDATION_SEEDS, self.config)


def flow_film(seed: int, config: FlowConfig) -> Film:
    """A random film, faster or slower: its frames a second are spread evenly over the logarithm."""
    fps = np.exp(np.random.default_rng([seed, 8]).uniform(*np.log(config.fps)))
    return random_film(seed, FRAMES, config.size, float(fps))
