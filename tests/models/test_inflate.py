"""Inflation of single tensors; whole networks stand in test_resnet3d.py."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ptfast.models import inflate

WEIGHTS = {
    "wide.weight": torch.arange(1.0, 19.0).reshape(1, 2, 3, 3),
    "point.weight": torch.ones(2, 2, 1, 1),
    "point.bias": torch.ones(2),
    "fc.weight": torch.ones(4, 2),
}


def test_center_and_mean() -> None:
    centre, mean = inflate(WEIGHTS), inflate(WEIGHTS, "mean")
    assert {name: tuple(value.shape) for name, value in centre.items()} == {
        "wide.weight": (1, 2, 3, 3, 3), "point.weight": (2, 2, 1, 1, 1), "point.bias": (2,), "fc.weight": (4, 2)
    }  # fmt: skip
    assert torch.equal(centre["wide.weight"][:, :, 1], WEIGHTS["wide.weight"])
    assert not centre["wide.weight"][:, :, ::2].any()
    assert all(torch.equal(mean["wide.weight"][:, :, t], WEIGHTS["wide.weight"] / 3) for t in range(3))


def test_extents_by_name() -> None:
    got = inflate(WEIGHTS, target={"wide.weight": 5})
    assert got["wide.weight"].shape == (1, 2, 5, 3, 3) and got["point.weight"].shape == (2, 2, 1, 1, 1)
    assert torch.equal(got["wide.weight"][:, :, 2], WEIGHTS["wide.weight"])


def test_a_module_gives_extents_and_names() -> None:
    target = nn.ModuleDict({"wide": nn.Conv3d(2, 1, (5, 3, 3), bias=False), "flat": nn.Conv2d(2, 1, 3, bias=False)})
    got = inflate({**WEIGHTS, "flat.weight": WEIGHTS["wide.weight"]}, "mean", target)
    assert {name: tuple(value.shape) for name, value in got.items()} == {
        "wide.weight": (1, 2, 5, 3, 3), "flat.weight": (1, 2, 3, 3)
    }  # fmt: skip
    target.load_state_dict(got)


@pytest.mark.parametrize("init", ["center", "mean"])
def test_transposed_convolutions(init: str) -> None:
    flat = nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1)
    deep = nn.ConvTranspose3d(2, 3, (3, 4, 4), stride=(1, 2, 2), padding=1)
    deep.load_state_dict(inflate(flat.state_dict(), init, deep))
    frame = torch.randn(1, 2, 5, 6)
    got = deep(frame.unsqueeze(2).expand(-1, -1, 3, -1, -1))[:, :, 1]
    torch.testing.assert_close(got, flat(frame), rtol=1e-5, atol=1e-6)


def test_dtype_stays() -> None:
    half = {"a.weight": torch.ones(1, 1, 3, 3, dtype=torch.float16)}
    assert inflate(half)["a.weight"].dtype == inflate(half, "mean")["a.weight"].dtype == torch.float16


def test_errors() -> None:
    with pytest.raises(ValueError, match="init must be 'center' or 'mean', got 'repeat'"):
        inflate(WEIGHTS, "repeat")
    with pytest.raises(ValueError, match=r"temporal kernel of wide\.weight must be odd and positive, got 2"):
        inflate(WEIGHTS, target={"wide.weight": 2})
    target = nn.ModuleDict({"wide": nn.Conv3d(2, 2, 3)})
    with pytest.raises(ValueError, match=r"wide\.weight of shape \(1, 2, 3, 3\) must inflate to the target's, got \(2"):
        inflate(WEIGHTS, target=target)
