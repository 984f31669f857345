"""Pairs of frames with their flow, which follows each change of the images."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from ptfast.training.flow import FlowConfig
from ptfast.training.flow.augmentation import FlowAugmentation, FlowPair, augmented, coloured, cropped, mirrored
from ptfast.training.flow.pairs import EXAMPLES, FILMS, FilmPairs, flow_film

PLAIN = FlowAugmentation(shift=0, colour=0, noise=0)
SMALL = FlowConfig(size=96, crop=(64, 64), augmentation=PLAIN)


def moved_texture(right: int, down: int) -> FlowPair:
    """A random image of 48x40 pixels, and the same moved by whole pixels."""
    first = np.random.default_rng(0).integers(0, 256, (48, 40, 3)).astype(np.uint8)
    second = np.roll(first, (down, right), (0, 1))
    flow = np.broadcast_to(np.array([right, down], np.float32), (48, 40, 2))
    weight = np.zeros((48, 40), np.float32)
    weight[: 48 - down, : 40 - right] = 1
    return FlowPair(first, second, flow, weight)


def agrees(pair: FlowPair) -> bool:
    """Known pixels whose flow ends inside have the same colour there; there are some."""
    height, width = pair.weight.shape
    y, x = np.nonzero(pair.weight)
    to = np.stack([x, y], -1) + pair.flow[y, x].astype(int)
    inside = ((to >= 0) & (to < (width, height))).all(1)
    found = pair.second[to[inside, 1], to[inside, 0]]
    return inside.sum() > 100 and bool((found == pair.first[y[inside], x[inside]]).all())


def test_the_flow_follows_crops_and_mirroring() -> None:
    pair = moved_texture(3, 2)
    assert agrees(pair) and agrees(mirrored(pair))
    np.testing.assert_array_equal(mirrored(pair).weight, pair.weight[:, ::-1])
    cut = cropped(pair, (20, 24), np.array([5, 7]), np.array([9, 4]))
    assert cut.first.shape == (20, 24, 3) and agrees(cut) and agrees(mirrored(cut))
    np.testing.assert_array_equal(np.unique(cut.flow.reshape(-1, 2), axis=0), [[3 + 3, 2 - 4]])
    np.testing.assert_array_equal(cut.first, pair.first[5:25, 7:31])
    shifting, flows = replace(PLAIN, shift=3.0), set()
    for seed in range(12):
        one = augmented(pair, (32, 24), shifting, np.random.default_rng(seed))
        assert agrees(one)
        flows.add(tuple(one.flow[0, 0].tolist()))
    assert {(3.0, 2.0), (-3.0, 2.0)} <= flows and len(flows) > 4  # mirrored or not, shifted or not


def test_colours_change_alike_in_both_images_and_noise_does_not() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    pair = FlowPair(grey, grey, np.zeros((32, 32, 2), np.float32), np.ones((32, 32), np.float32))
    rng = np.random.default_rng(1)
    brighter = coloured(pair, replace(PLAIN, colour=0.3), rng)
    means = [image.mean((0, 1)) - 100 for image in (brighter.first, brighter.second)]
    assert np.abs(means[0]).max() > 5 and np.abs(means[0] - means[1]).max() < 2 * 25.5 * 0.3
    noisy = coloured(pair, replace(PLAIN, noise=5.0), rng)
    assert noisy.first.std() == pytest.approx(5, rel=0.1)
    assert abs(np.corrcoef(noisy.first.ravel(), noisy.second.ravel())[0, 1]) < 0.1
    still = coloured(pair, PLAIN, rng)
    np.testing.assert_array_equal(still.first, grey)


def test_a_pair_is_the_same_whenever_it_is_asked_for() -> None:
    pairs = FilmPairs(replace(SMALL, augmentation=FlowAugmentation()))
    elsewhere = pickle.loads(pickle.dumps(pairs))
    for index in (3, 0):
        one, other = pairs[index], elsewhere[index]
        assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))
        assert one.first.dtype == one.second.dtype == np.uint8 and one.flow.dtype == np.float32
        assert one.first.shape == (64, 64, 3) and one.flow.shape == (64, 64, 2) and one.weight.shape == (64, 64)
    third = FilmPairs(replace(pairs.config, seed=4))[3]
    assert not np.array_equal(third.first, pairs[3].first)


def test_a_pair_is_cut_out_of_two_successive_frames() -> None:
    pair = FilmPairs(SMALL)[0]
    number = int(np.random.default_rng([0, 0]).permutation(FILMS * EXAMPLES)[0]) // EXAMPLES
    film, found = flow_film(number, SMALL), 0
    for frame in range(len(film) - 1):
        flow, known = film.flow(frame)
        weight = np.where(known, np.where(film.owners(frame) >= 0, 5, 1), 0)
        whole = FlowPair(film.image(frame), film.image(frame + 1), flow, weight)
        for view in (whole, mirrored(whole)):
            windows = np.lib.stride_tricks.sliding_window_view(view.first, (64, 64, 3))[:, :, 0]
            for y, x in np.argwhere((windows == pair.first).all((2, 3, 4))):
                place = slice(y, y + 64), slice(x, x + 64)
                found += all(np.array_equal(getattr(view, name)[place], getattr(pair, name)) for name in vars(pair))
    assert found == 1


def test_seeds_of_validation_are_refused() -> None:
    with pytest.raises(ValueError, match="seed must be from 0 to 7,999,999, got 8,000,000; the rest is for validation"):
        FilmPairs(replace(SMALL, seed=8_000_000))
