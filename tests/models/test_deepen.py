"""Deeper keypoint heads that begin with what the shallow one does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ptfast.models import Architecture, MaskRcnn3d
from ptfast.models.deepen import deepen

SMALL = Architecture(width=0.125, normalisation="group", box_channels=8, keypoint_convs=2, keypoint_channels=8)


@pytest.mark.parametrize("extent", [1, 3])
def test_the_deeper_network_does_the_same(extent: int) -> None:
    torch.manual_seed(0)
    shallow = MaskRcnn3d(replace(SMALL, temporal_kernel=extent))
    deep = MaskRcnn3d(replace(SMALL, temporal_kernel=extent, keypoint_convs=5))
    weights = deepen(shallow.state_dict(), deep)
    assert set(weights) == set(deep.state_dict())
    deep.load_state_dict(weights)
    features = torch.randn(3, shallow.body.channels[-1], 3, 14, 14)
    with torch.no_grad():
        torch.testing.assert_close(deep.keypoint_head(features), shallow.keypoint_head(features))


def test_nothing_else_is_made_up() -> None:
    deep = MaskRcnn3d(SMALL)
    weights = deep.state_dict()
    del weights["keypoint_head.convs.0.weight"], weights["box_predictor.cls_score.bias"]
    assert set(deepen(weights, deep)) == set(weights)
