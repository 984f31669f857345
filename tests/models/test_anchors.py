"""Anchors: known boxes, their order, and torchvision's."""

from __future__ import annotations

import pytest
import torch

from ptfast.models.anchors import base_anchors, detectron_anchors, grid_anchors

SIZES, RATIOS = (32.0, 64.0), (0.5, 1.0, 2.0)


def test_base_anchors() -> None:
    got = base_anchors(SIZES, RATIOS)
    assert got.dtype == torch.float32
    assert got.tolist() == [
        [-23, -11, 23, 11], [-45, -23, 45, 23], [-16, -16, 16, 16],
        [-32, -32, 32, 32], [-11, -23, 11, 23], [-23, -45, 23, 45],
    ]  # fmt: skip


def test_detectron_anchors() -> None:
    # Faster R-CNN publishes these counted from 1, as (-83, -39, 100, 56) and so on, the last pixel within the box.
    got = detectron_anchors((128.0, 256.0), RATIOS, 16)
    got[:, 2:] -= 1
    assert got.tolist() == [
        [-84, -40, 99, 55], [-176, -88, 191, 103], [-56, -56, 71, 71],
        [-120, -120, 135, 135], [-36, -80, 51, 95], [-80, -168, 95, 183],
    ]  # fmt: skip


def test_rows_then_columns_then_anchors() -> None:
    base = torch.tensor([[-1.0, -2.0, 1.0, 2.0], [0.0, 0.0, 3.0, 3.0]])
    got = grid_anchors(base, 8, 2, 3)
    assert got.shape == (12, 4)
    shifts = [(x, y) for y in (0, 8) for x in (0, 8, 16)]
    expected = [[box[0] + x, box[1] + y, box[2] + x, box[3] + y] for x, y in shifts for box in base.tolist()]
    assert got.tolist() == expected


def test_torchvision_anchors() -> None:
    detection = pytest.importorskip("torchvision.models.detection", exc_type=(ImportError, RuntimeError))
    sizes = ((32,), (64,))
    peer = detection.anchor_utils.AnchorGenerator(sizes, (RATIOS,) * 2)
    images = detection.image_list.ImageList(torch.zeros(1, 3, 64, 96), [(64, 96)])
    levels = [torch.zeros(1, 1, 16, 24), torch.zeros(1, 1, 8, 12)]
    expected = peer(images, levels)[0]
    got = torch.cat([grid_anchors(base_anchors(sizes[i], RATIOS), 4 * 2**i, *levels[i].shape[-2:]) for i in (0, 1)])
    assert torch.equal(got, expected)
