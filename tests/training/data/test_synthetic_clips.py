"""Synthetic training clips."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.synthetic import Film
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.clips import Clip
from ptfast.training.data.synthetic_clips import SizedClips, SyntheticClips, synthetic_data


def same(a: Clip, b: Clip) -> bool:
    names = ("frames", "tubes", "present", "keypoints", "labelled")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def test_a_clip_depends_on_its_number_alone() -> None:
    clips = SyntheticClips(3, seed=5, size=64)
    forward = [clips[index] for index in (0, 1, 130)]
    other = SyntheticClips(3, seed=5, size=64)
    backward = [other[index] for index in (130, 1, 0)]
    assert all(same(a, b) for a, b in zip(forward, backward[::-1], strict=True))
    assert not same(forward[0], forward[1])
    assert not same(forward[0], SyntheticClips(3, seed=6, size=64)[0])


def test_a_worker_that_is_started_anew_makes_the_same() -> None:
    clips = SyntheticClips(1, seed=5, size=32)
    first = clips[3]
    assert same(pickle.loads(pickle.dumps(clips))[3], first)


def test_shapes() -> None:
    clip = SyntheticClips(3, size=64)[0]
    people = len(clip.tubes)
    assert clip.frames.shape == (3, 64, 64, 3) and clip.frames.dtype == np.uint8
    assert clip.tubes.shape == (people, 3, 4) and clip.present.shape == (people, 3)
    assert clip.keypoints.shape == (people, 3, len(POSETRACK_15), 2)
    assert clip.present.any(1).all() and not clip.labelled[~clip.present].any()


@pytest.mark.parametrize("seed", [-1, VALIDATION_SEEDS, VALIDATION_SEEDS + 1_000_000])
def test_seeds_for_validation_are_not_for_training(seed: int) -> None:
    with pytest.raises(ValueError, match="seed must be from 0 to 7,999,999, got"):
        SyntheticClips(1, seed=seed)


def test_films_never_have_seeds_for_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []
    monkeypatch.setattr(
        "ptfast.training.data.synthetic_clips.random_film", lambda seed, frames, size: seeds.append(seed)
    )
    clips = SyntheticClips(1, seed=VALIDATION_SEEDS - 1)
    for number in (0, 1, 2):
        clips._make_film(number)
    assert seeds == [VALIDATION_SEEDS - 1, 0, 1]


def test_lengths_beyond_a_film_are_an_error() -> None:
    with pytest.raises(ValueError, match="length must be from 1 to 16, got 17"):
        SyntheticClips(17)


def test_sizes_by_chance() -> None:
    assert isinstance(synthetic_data(1, 0, (32,), 333), SyntheticClips)
    clips = synthetic_data(1, 0, (16, 32), 333)
    assert isinstance(clips, SizedClips)
    sizes = [clips[index].frames.shape[1] for index in range(8)]
    assert set(sizes) == {16, 32}
    assert sizes == [clips[index].frames.shape[1] for index in range(8)]


def test_an_image_is_drawn_once_for_all_clips_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    image = Film.image
    monkeypatch.setattr(
        Film, "image", lambda film, frame: drawn.append((film.poses.sequence, frame)) or image(film, frame)
    )
    clips = SyntheticClips(9, size=16)
    seen = [clips[index] for index in range(12)]
    assert len(drawn) == len(set(drawn)) < 9 * len(seen)
