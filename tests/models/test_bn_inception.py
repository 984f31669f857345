"""The inception blocks: their sizes and their way through a stage."""

from __future__ import annotations

import pytest
import torch

from ptfast.models import InceptionPose, InceptionPoseArchitecture
from ptfast.models.bn_inception import BLOCKS, InceptionStage, InceptionStem, block_channels, channels_at

# Channels after each block, of the published network (Ioffe and Szegedy 2015, figure 5).
PUBLISHED = {"31": 256, "3b": 320, "3c": 576, "4a": 576, "4b": 576, "4c": 608, "4d": 608, "4e": 1056, "5a": 1024}


def test_channels_after_each_block() -> None:
    inside = 192
    for block in BLOCKS:
        inside = block_channels(block, inside, 1.0)
        assert inside == PUBLISHED.get(block.name, 1024)


@pytest.mark.parametrize(("width", "factor"), [(0.5, 4), (0.25, 16)])
def test_a_narrow_stage_has_fewer_weights(width: float, factor: int) -> None:
    """The square of the width, but for the layers to the maps, whose number stays."""
    with torch.device("meta"):
        counts = [sum(p.numel() for p in InceptionStage(channels_at(w, 192), 1, w).parameters()) for w in (1.0, width)]
    assert 0.97 * factor < counts[0] / counts[1] < factor


@pytest.mark.parametrize(("height", "width"), [(32, 64), (96, 32)])
def test_sizes(height: int, width: int) -> None:
    stem, stage = InceptionStem(0.125), InceptionStage(24, 5, 0.125)
    with torch.inference_mode():
        features = stem.eval().stem(torch.zeros(2, 3, height, width))
        assert features.shape == (2, 24, height // 4, width // 4)
        assert stage.eval()(features).shape == (2, 5, height // 4, width // 4)


def test_two_stages_have_the_weights_that_the_paper_counts() -> None:
    """39.5 million in section 6.1."""
    with torch.device("meta"):
        count = sum(weight.numel() for weight in InceptionPose(InceptionPoseArchitecture(stages=2)).parameters())
    assert round(count / 1e6, 1) == 39.5


@pytest.mark.parametrize("width", [0, -1, 0.01, 1 / 64])
def test_errors_of_widths(width: float) -> None:
    with pytest.raises(ValueError, match="width must "):
        InceptionStem(width)
