"""Affinity maps of points: against one point at a time, and by planted surroundings."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from plain_correspondence import plain_affinity_maps
from torch import Tensor

from ptfast.models import affinity_maps

# Of a map 9 wide and 7 high.
CORNERS = [[[0, 0], [8, 0], [0, 6], [8, 6], [4, 0]], [[8, 3], [4, 6], [0, 3], [4, 3], [4, 4]]]
OUTSIDE = [[[-1, 3], [9, 3], [4, -1], [4, 7], [4, 3]]]


def embeddings(count: int = 1, height: int = 7, width: int = 9, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 5, height, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("normalise", ["l2", "published"])
@pytest.mark.parametrize("points", [CORNERS, OUTSIDE])
def test_all_at_once_is_one_after_the_other(points: Any, normalise: Any) -> None:
    first, second, queries = embeddings(), embeddings(seed=1), torch.tensor(points)
    expected = plain_affinity_maps(first[0], second[0], queries, squared=normalise == "published")
    maps = affinity_maps(first, second, queries[None], normalise=normalise)
    torch.testing.assert_close(maps, expected[None], rtol=1e-12, atol=1e-15)
    single = affinity_maps(first.float(), second.float(), queries[None].float() + 0.9, normalise=normalise)
    torch.testing.assert_close(single, expected[None].float(), rtol=1e-4, atol=1e-7)
    other = "l2" if normalise == "published" else "published"
    assert float((affinity_maps(first, second, queries[None], normalise=other) - maps).abs().max()) > 1e-3


def test_a_batch_is_its_images() -> None:
    first, second = embeddings(3), embeddings(3, seed=1)
    queries = torch.randint(-1, 9, (3, 2, 4, 2), generator=torch.Generator().manual_seed(2))
    together = affinity_maps(first, second, queries)
    assert together.shape == (3, 2, 4, 7, 9)
    for i in range(3):
        alone = plain_affinity_maps(first[i], second[i], queries[i])
        torch.testing.assert_close(together[i], alone, rtol=1e-12, atol=1e-15)


def test_a_planted_patch_is_found() -> None:
    """The surroundings of (2, 3) stand around (6, 4) in the other image: nine equal pixels, whose cosines sum to 9."""
    first, second = embeddings(), embeddings(seed=1)
    second[..., 3:6, 5:8] = first[..., 2:5, 1:4] * 3  # the length does not count
    maps = affinity_maps(first, second, torch.tensor([[[2, 3]]]))[0, 0]
    assert maps.flatten().argmax() == 4 * 9 + 6
    rest = maps.sum() - maps[4, 6]
    near = affinity_maps(first, second, torch.tensor([[[2, 2]]]))[0, 0]
    assert maps[4, 6] > 0.9 and near[4, 6] < maps[4, 6] / 10 and math.isclose(float(rest + maps[4, 6]), 1)


@pytest.mark.parametrize("point", [(math.nan, 3.0), (3.0, math.inf), (-0.5, 3.0), (3.0, 7.0), (9.0, 3.0)])
def test_a_point_that_is_nowhere_has_a_map_of_zeros(point: tuple[float, float]) -> None:
    maps = affinity_maps(embeddings(), embeddings(seed=1), torch.tensor([[point, (8.9, 6.9)]], dtype=torch.float64))
    assert not maps[0, 0].any()
    torch.testing.assert_close(maps[0, 1].sum().item(), 1.0)


def test_nobody_and_no_image() -> None:
    assert affinity_maps(embeddings(2), embeddings(2), torch.zeros(2, 0, 5, 2)).shape == (2, 0, 5, 7, 9)
    assert affinity_maps(embeddings(0), embeddings(0), torch.zeros(0, 3, 2)).shape == (0, 3, 7, 9)


def test_pixels_of_zeros_stay_zeros() -> None:
    first, second = embeddings(), embeddings(seed=1)
    first[..., :, :4] = second[..., 2, 2] = 0
    for normalise in ("l2", "published"):
        maps = affinity_maps(first, second, torch.tensor([[[1, 1], [5, 5]]]), normalise=normalise)
        assert maps.isfinite().all()
        torch.testing.assert_close(maps[0, 0], torch.full_like(maps[0, 0], 1 / 63))


@pytest.mark.parametrize("normalise", ["l2", "published"])
def test_gradients(normalise: Any) -> None:
    queries = torch.tensor([[[1, 1], [0, 2], [-1, 0]], [[2, 0], [2, 2], [1, 0]]])
    leaves = embeddings(2, 3, 3).requires_grad_(), embeddings(2, 3, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: affinity_maps(a, b, queries, normalise=normalise), leaves)


def test_bfloat16_is_near() -> None:
    first, second = embeddings().float(), embeddings(seed=1).float()
    queries = torch.tensor(CORNERS)[None]
    exact, rough = (affinity_maps(first, second, queries, precision=p) for p in ("float32", "bfloat16"))
    assert rough.dtype == torch.float32 and not torch.equal(exact, rough)
    # Both factors and the product lose 2^-9 of themselves, the correlation 9 at most; so does the sum over the map.
    assert float((rough / exact).log().abs().max()) < 2 * 3 * 9 * 2**-9
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(affinity_maps(first, second, queries), exact)


def test_errors() -> None:
    first, queries = embeddings(2), torch.zeros(2, 3, 2)
    for arguments, message in (
        ((first[0], first, queries), r"first must have shape \(B, C, h, w\), got \(5, 7, 9\)"),
        ((first, first[..., :8], queries), "second must have shape .* with B = 2, C = 5, h = 7, w = 9, got "),
        ((first[..., :0], first[..., :0], queries), r"first must have pixels, got shape \(2, 5, 7, 0\)"),
        ((first, first, queries[:1]), r"queries must have shape \(B, ..., 2\) with B = 2, got \(1, 3, 2\)"),
        ((first, first, queries[..., :1]), r"queries must have shape \(B, ..., 2\) with B = 2, got \(2, 3, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            affinity_maps(*arguments)
    with pytest.raises(ValueError, match='normalise must be "l2" or "published", got \'l1\''):
        affinity_maps(first, first, queries, normalise="l1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='precision must be "float32" or "bfloat16", got \'half\''):
        affinity_maps(first, first, queries, precision="half")  # type: ignore[arg-type]
