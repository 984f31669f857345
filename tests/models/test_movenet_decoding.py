"""Decoding of MoveNet's maps beside plain loops over people, joints and pixels."""

from __future__ import annotations

from dataclasses import fields
from math import ceil, exp, hypot
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.models import People, decode_multipose, decode_singlepose, movenet_decoding

Maps = dict[str, Tensor]
Found = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def random_maps(batch: int, height: int = 20, width: int = 14, joints: int = 5, seed: int = 0) -> Maps:
    """Maps with several centres, of people of up to the whole image, some of whose boxes are empty."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(channels: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, channels, height, width, generator=generator)

    return {
        "center": uniform(1, 0, 1) ** 2,
        "box_scale": uniform(2, -1, height),
        "box_offset": uniform(2, -1, 1),
        "kpt_heatmap": uniform(joints, 0, 1) ** 4,
        "kpt_regress": uniform(2 * joints, -height / 2, height / 2),
        "kpt_offset": uniform(2 * joints, -0.5, 0.5),
    }


def centers(maps: dict[str, np.ndarray], max_people: int, min_score: float) -> list[tuple[int, int]]:
    """Pixels that are the highest of 5 x 5, best first."""
    center = maps["center"][0]
    height, width = center.shape
    peaks = []
    for y in range(height):
        for x in range(width):
            around = center[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            if around.max() - center[y, x] < 1e-6 and center[y, x] >= min_score:
                peaks.append((y, x))
    return sorted(peaks, key=lambda peak: -center[peak])[:max_people]


def plain_multipose(maps: dict[str, np.ndarray], max_people: int, min_score: float, shared: bool) -> list[Found]:
    """The people of one image."""
    heatmaps = maps["kpt_heatmap"]
    joints, height, width = heatmaps.shape
    spread = 0.300048828125 * min(height, width)
    owners, placed = [], []
    for y, x in centers(maps, max_people, min_score):
        half = np.maximum(maps["box_scale"][:, y, x], 0) / 2
        middle = maps["box_offset"][:, y, x] + [y, x]
        low, high = np.clip(middle - half, 0, [height, width]), np.clip(middle + half, 0, [height, width])
        rough = maps["kpt_regress"][:, y, x].reshape(joints, 2) + np.array([y, x])
        owners.append((low, high, rough))
        places = []
        for joint in range(joints):
            best, place = 0.0, (0, 0)
            for row in range(ceil(low[0]), ceil(high[0])):
                for column in range(ceil(low[1]), ceil(high[1])):
                    squared = (row - rough[joint, 0]) ** 2 + (column - rough[joint, 1]) ** 2
                    score = heatmaps[joint, row, column] * exp(-squared / spread)
                    if score > best:
                        best, place = score, (row, column)
            places.append((*place, best))
        placed.append(((y, x), places))
    found = []
    for ((y, x), places), (low, high, _) in zip(placed, owners, strict=True):
        keypoints, scores = np.zeros((joints, 2)), np.zeros(joints)
        for joint, (row, column, best) in enumerate(places):
            scores[joint] = best
            if shared:
                inside = [o for o in owners if (o[0] <= (row, column)).all() and ((row, column) < o[1]).all()]
                squared = [((np.array([row, column]) - o[2][joint]) ** 2).sum() for o in inside]
                scores[joint] = heatmaps[joint, row, column] * max((exp(-s / spread) for s in squared), default=0)
            offset = maps["kpt_offset"][2 * joint : 2 * joint + 2, row, column]
            keypoints[joint] = (column + offset[1]) * 4, (row + offset[0]) * 4
        seen = scores[scores > 0.126953125]
        score = maps["center"][0, y, x] * (seen.mean() if len(seen) else 0)
        found.append((keypoints, scores, np.concatenate([low[::-1], high[::-1]]) * 4, score))
    return found


def plain_singlepose(maps: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
    """The person nearest the middle of one image."""
    center, heatmaps = maps["center"][0], maps["kpt_heatmap"]
    joints, height, width = heatmaps.shape
    rows, columns = np.mgrid[:height, :width]
    away = np.vectorize(hypot)(rows - (height - 1) / 2, columns - (width - 1) / 2)
    y, x = np.unravel_index((center / (away + 1.8)).argmax(), center.shape)
    rough = maps["kpt_regress"][:, y, x].reshape(joints, 2) + np.array([y, x])
    keypoints, scores = np.zeros((joints, 2)), np.zeros(joints)
    for joint in range(joints):
        away = np.vectorize(hypot)(rows - rough[joint, 0], columns - rough[joint, 1])
        row, column = np.unravel_index((heatmaps[joint] / (away + 1.7998046875)).argmax(), center.shape)
        offset = maps["kpt_offset"][2 * joint : 2 * joint + 2, row, column]
        keypoints[joint], scores[joint] = (
            [(column + offset[1]) * 4, (row + offset[0]) * 4],
            heatmaps[joint, row, column],
        )
    return keypoints, scores, center[y, x]


def of_image(maps: Maps, image: int) -> dict[str, np.ndarray]:
    return {name: values[image].double().numpy() for name, values in maps.items()}


def moved(maps: Maps, move: Any) -> Maps:
    return {name: move(values) for name, values in maps.items()}


def assert_people_equal(found: People, expected: list[Found]) -> None:
    assert len(found.scores) == len(found.keypoints) == len(expected)
    for person, columns in enumerate(expected):
        for field, values in zip(fields(People), columns, strict=True):
            own = getattr(found, field.name)[person].cpu()
            np.testing.assert_allclose(own, values, rtol=0, atol=1e-4, err_msg=field.name)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("max_people", "min_score"), [(100, 0.0), (100, 0.8), (3, 0.0)])
def test_multipose_equals_a_plain_loop(shared: bool, max_people: int, min_score: float) -> None:
    maps = random_maps(3)
    found = decode_multipose(maps, max_people=max_people, min_score=min_score, shared=shared)
    counts = [len(people.scores) for people in found]
    assert max(counts) == 3 if max_people == 3 else len(set(counts)) > 1
    for image, people in enumerate(found):
        assert_people_equal(people, plain_multipose(of_image(maps, image), max_people, min_score, shared))


def test_shared_scores_are_those_of_the_best_person() -> None:
    maps = random_maps(1)
    (shared,), (own,) = decode_multipose(maps), decode_multipose(maps, shared=False)
    assert bool((shared.joint_scores >= own.joint_scores - 1e-6).all())
    assert bool((shared.joint_scores > own.joint_scores + 0.01).any())


def test_singlepose_equals_a_plain_loop() -> None:
    maps = random_maps(3)
    keypoints, scores, center = decode_singlepose(maps)
    for image in range(3):
        expected = plain_singlepose(of_image(maps, image))
        for own, values in zip((keypoints, scores, center), expected, strict=True):
            np.testing.assert_allclose(own[image], values, rtol=0, atol=1e-4)


def test_on_cuda_equals_on_the_cpu(cuda) -> None:
    maps = random_maps(2)
    with cuda.aside():
        many, one = decode_multipose(maps), decode_singlepose(maps)
    for people, expected in zip(decode_multipose(moved(maps, cuda)), many, strict=True):
        for field in fields(People):
            torch.testing.assert_close(getattr(people, field.name).cpu(), getattr(expected, field.name))
    for values, wanted in zip(decode_singlepose(moved(maps, cuda)), one, strict=True):
        torch.testing.assert_close(values.cpu(), wanted)


def test_little_memory_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = random_maps(2)
    expected = decode_multipose(maps)
    monkeypatch.setattr(movenet_decoding, "MOST_VALUES", 1)
    for people, wanted in zip(decode_multipose(maps), expected, strict=True):
        for field in fields(People):
            assert torch.equal(getattr(people, field.name), getattr(wanted, field.name))


def test_memory_formats_give_the_same() -> None:
    maps = random_maps(2)
    last = moved(maps, lambda values: values.contiguous(memory_format=torch.channels_last))
    for people, wanted in zip(decode_multipose(last), decode_multipose(maps), strict=True):
        for field in fields(People):
            assert torch.equal(getattr(people, field.name), getattr(wanted, field.name))
    for values, other in zip(decode_singlepose(last), decode_singlepose(maps), strict=True):
        assert torch.equal(values, other)


@pytest.mark.parametrize("batch", [0, 2])
def test_nobody(batch: int) -> None:
    maps = random_maps(batch)
    maps["center"] = torch.zeros_like(maps["center"])
    found = decode_multipose(maps, min_score=0)
    assert len(found) == batch
    for people in found:
        shapes = [tuple(getattr(people, field.name).shape) for field in fields(People)]
        assert shapes == [(0, 5, 2), (0, 5), (0, 4), (0,)]
    keypoints, scores, center = decode_singlepose(maps)
    assert (keypoints.shape, scores.shape, center.shape) == ((batch, 5, 2), (batch, 5), (batch,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_people": 0}, "max_people must be between 1 and"),
        ({"min_score": 1.5}, r"min_score must be between 0 and 1, got 1\.5"),
    ],
)
def test_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_multipose(random_maps(1), **options)
