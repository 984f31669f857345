"""Decoding of NanoDet's maps beside a plain loop over cells."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.models import decode_nanodet
from ptfast.reference.nms import nms

CLASSES = 3


def random_maps(batch: int, height: int = 96, width: int = 64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = [(batch, CLASSES + 44, height // stride, width // stride) for stride in (8, 16, 32)]
    return [2 * torch.randn(size, generator=generator) for size in sizes]


def plain(maps: list[np.ndarray], label: int, min_score: float, overlap: float, most: int) -> tuple[Any, Any]:
    """(N, 4) boxes and (N,) scores of one image."""
    boxes, scores = [], []
    for level, stride in zip(maps, (8, 16, 32), strict=True):
        for row in range(level.shape[1]):
            for column in range(level.shape[2]):
                score = 1 / (1 + exp(-level[label, row, column]))
                if score < min_score:
                    continue
                shares = np.exp(level[CLASSES:, row, column].reshape(4, 11))
                left, top, right, bottom = (shares * range(11)).sum(1) / shares.sum(1) * stride
                x, y = (column + 0.5) * stride, (row + 0.5) * stride
                boxes.append((x - left, y - top, x + right, y + bottom))
                scores.append(score)
    kept = nms(np.array(boxes).reshape(-1, 4), np.array(scores), overlap)[:most]
    return np.array(boxes).reshape(-1, 4)[kept], np.array(scores)[kept]


@pytest.mark.parametrize(
    "options",
    [
        {"label": 0, "min_score": 0.3, "overlap": 0.6, "max_detections": 100},
        {"label": 2, "min_score": 0.6, "overlap": 0.2, "max_detections": 100},
        {"label": 1, "min_score": 0.5, "overlap": 0.6, "max_detections": 3},
        {"label": 0, "min_score": 0.0, "overlap": 1.0, "max_detections": 1000},
    ],
)
def test_equals_a_plain_loop(options: dict[str, Any]) -> None:
    maps = random_maps(3)
    found = decode_nanodet(maps, **options)
    assert len(found) == 3
    for image, (boxes, scores) in enumerate(found):
        expected = plain([level[image].double().numpy() for level in maps], *options.values())
        assert len(expected[1]) > 2
        np.testing.assert_allclose(boxes, expected[0], rtol=0, atol=1e-3)
        np.testing.assert_allclose(scores, expected[1], rtol=0, atol=1e-5)


def test_on_cuda_equals_on_the_cpu(cuda) -> None:
    maps = random_maps(2)
    with cuda.aside():
        expected = decode_nanodet(maps)
    for found, wanted in zip(decode_nanodet([cuda(level) for level in maps]), expected, strict=True):
        torch.testing.assert_close(tuple(values.cpu() for values in found), wanted)


@pytest.mark.parametrize("batch", [0, 2])
def test_nothing(batch: int) -> None:
    maps = random_maps(batch)
    for level in maps:
        level[:, 0] = -100
    found = decode_nanodet(maps)
    assert [(tuple(boxes.shape), tuple(scores.shape)) for boxes, scores in found] == [((0, 4), (0,))] * batch


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": 3}, "label must be between 0 and 2, got 3"),
        ({"min_score": -0.5}, r"min_score must be between 0 and 1, got -0\.5"),
        ({"overlap": 2.0}, "threshold must be between 0 and 1"),
        ({"max_detections": 0}, "max_detections must be between 1 and"),
    ],
)
def test_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_nanodet(random_maps(1), **options)
