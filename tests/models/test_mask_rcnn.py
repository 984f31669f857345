"""The whole network: levels, its 2D weights in 3D, time, gradients, and what an architecture may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from ptfast.models import Architecture, MaskRcnn3d, inflate
from ptfast.models.anchors import detectron_anchors, grid_anchors
from ptfast.models.layers import ClipConv
from ptfast.ops import tube_roi_align

PLAIN = Architecture(width=0.125, box_channels=8, keypoint_convs=2, keypoint_channels=8, joints=3)
PYRAMID = replace(PLAIN, pyramid_channels=8, anchor_sizes=(8.0, 16.0, 32.0, 64.0, 128.0), box_head="mlp")
BOTH = pytest.mark.parametrize("architecture", [PLAIN, PYRAMID], ids=["plain", "pyramid"])
TUBES = torch.tensor([[8.0, 4.0, 40.0, 50.0], [0.0, 10.0, 30.0, 62.0], [20.0, 20.0, 60.0, 33.0]])


def network(architecture: Architecture, seed: int = 0) -> MaskRcnn3d:
    """A network whose outputs are neither tiny nor all alike."""
    torch.manual_seed(seed)
    net = MaskRcnn3d(architecture).eval()
    with torch.no_grad():
        for weight in net.parameters():
            if weight.ndim > 1:
                weight.normal_(0, (1.5 / weight[0].numel()) ** 0.5)
            else:
                weight.uniform_(-0.2, 0.2)
    return net


def clips(frames: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, 64, 64, generator=torch.Generator().manual_seed(1))


def outputs(net: MaskRcnn3d, given: torch.Tensor) -> dict[str, torch.Tensor]:
    """Everything that has frames, in dimension 2, with tubes that stand still."""
    features = net.features(given)
    tubes = TUBES[:, None].expand(-1, given.shape[2], -1).contiguous()
    index = torch.zeros(len(tubes), dtype=torch.int64)
    found = {f"level {i}": level for i, level in enumerate(features)}
    found["heatmaps"] = net.heatmaps(features, tubes, index)
    found["shifts"] = net.boxes(features, tubes, index)[1][:, None]
    for i, deltas in enumerate(net.proposals(features)[1]):
        found[f"deltas {i}"] = deltas
    return found


def assert_same(got: torch.Tensor, expected: torch.Tensor) -> None:
    assert got.shape == expected.shape
    assert float((got - expected).abs().max()) <= 1e-5 * max(1.0, float(expected.abs().max()))


def inflated(architecture: Architecture, init: Any) -> tuple[MaskRcnn3d, MaskRcnn3d]:
    """A 2D network, and its weights in a 3D one."""
    flat, deep = network(replace(architecture, temporal_kernel=1)), network(architecture, seed=7)
    deep.load_state_dict(inflate(flat.state_dict(), init, target=deep))
    return flat, deep


@BOTH
@torch.inference_mode()
def test_levels_and_anchors(architecture: Architecture) -> None:
    net = network(architecture)
    features = net.features(clips(2, batch=2))
    strides = [8] if architecture is PLAIN else [4, 8, 16, 32, 64]
    assert net.strides == strides
    assert [level.shape[-1] for level in features] == [64 // stride for stride in strides]
    assert {level.shape[2] for level in features} == {2}
    logits, deltas = net.proposals(features)
    counts = [len(anchors) for anchors in net.anchors(features)]
    a_position = 12 if architecture is PLAIN else 3
    assert counts == [a_position * (64 // stride) ** 2 for stride in strides]
    assert [tuple(level.shape) for level in logits] == [(2, count) for count in counts]
    assert [tuple(level.shape) for level in deltas] == [(2, count, 2, 4) for count in counts]


@BOTH
@torch.inference_mode()
def test_small_tubes_are_pooled_from_the_finest_level(architecture: Architecture) -> None:
    net = network(architecture)
    features = net.features(clips(2, batch=2))
    tubes, index = TUBES[:, None].expand(-1, 2, -1).contiguous(), torch.tensor([1, 0, 1])
    expected = tube_roi_align(features[0], tubes, index, output_size=7, spatial_scale=1 / net.strides[0])
    torch.testing.assert_close(net.pool(features, tubes, index, 7), expected, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_anchors_of_detectron() -> None:
    net = network(replace(PYRAMID, anchor_layout="detectron"))
    got = net.anchors(net.features(clips(1)))
    assert torch.equal(got[2], grid_anchors(detectron_anchors((32.0,), (0.5, 1.0, 2.0), 16), 16, 4, 4))


@BOTH
@torch.inference_mode()
def test_center_inflation_keeps_every_frame(architecture: Architecture) -> None:
    flat, deep = inflated(architecture, "center")
    together, alone = outputs(deep, clips(4)), [outputs(flat, clips(4)[:, :, t : t + 1]) for t in range(4)]
    for name, got in together.items():
        assert_same(got, torch.cat([frame[name] for frame in alone], 2))
    logits = deep.proposals(deep.features(clips(4)))[0]
    for got, frames in zip(
        logits, zip(*(flat.proposals(flat.features(clips(4)[:, :, t : t + 1]))[0] for t in range(4)), strict=True),
        strict=True,
    ):  # fmt: skip
        assert_same(got, torch.stack(frames).mean(0))


@BOTH
@torch.inference_mode()
def test_mean_inflation_keeps_identical_frames_away_from_the_ends(architecture: Architecture) -> None:
    flat, deep = inflated(architecture, "mean")
    reach = sum(isinstance(module, ClipConv) and module.kernel_size[0] == 3 for module in deep.modules())
    frame = clips(1)
    got, expected = outputs(deep, frame.expand(-1, -1, 2 * reach + 2, -1, -1)), outputs(flat, frame)
    for name, wanted in expected.items():
        middle = got[name].narrow(2, reach, 2)
        assert_same(middle, wanted.expand_as(middle))
        assert float((got[name].select(2, 0) - wanted.select(2, 0)).abs().max()) > 1e-3


def test_the_body_ends_after_res4_without_a_pyramid() -> None:
    assert not hasattr(MaskRcnn3d(PLAIN).body, "layer4")
    assert hasattr(MaskRcnn3d(PYRAMID).body, "layer4")


@BOTH
@torch.inference_mode()
def test_a_frame_sees_its_neighbours_only_in_3d(architecture: Architecture) -> None:
    for kernel, same in ((1, True), (3, False)):
        net = network(replace(architecture, temporal_kernel=kernel))
        changed = clips(3)
        changed[:, :, 2] += 1
        got, expected = net.features(changed)[0][:, :, 0], net.features(clips(3))[0][:, :, 0]
        assert torch.equal(got, expected) is same


@BOTH
def test_gradients_reach_every_weight(architecture: Architecture) -> None:
    net = network(replace(architecture, normalisation="group")).train()
    features = net.features(clips(2))
    tubes, index = TUBES[:, None].expand(-1, 2, -1).contiguous(), torch.zeros(3, dtype=torch.int64)
    found = [*net.boxes(features, tubes, index), net.heatmaps(features, tubes, index)]
    for level in net.proposals(features):
        found += level
    sum((output.square().sum() for output in found), torch.tensor(0.0)).backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize("depth", [50, 101])
@torch.inference_mode()
def test_stride_in_the_first_convolution(depth: int) -> None:
    early = network(replace(PLAIN, depth=depth, output_stride=16, stride_in_1x1=True)).body
    assert early.layer2[0].conv1.stride == (1, 2, 2) and early.layer2[0].conv2.stride == (1, 1, 1)
    late = network(replace(PLAIN, depth=depth, output_stride=16)).body
    assert late.layer2[0].conv1.stride == (1, 1, 1) and late.layer2[0].conv2.stride == (1, 2, 2)
    fine = network(replace(PLAIN, depth=depth, output_stride=8, stride_in_1x1=True)).body
    fine.load_state_dict(early.state_dict())
    assert_same(fine(clips(1))[-1][..., ::2, ::2], early(clips(1))[-1])
    assert float((late(clips(1))[-1] - early(clips(1))[-1]).abs().max()) > 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchor_sizes": ()}, "anchor_sizes and anchor_ratios must be positive numbers, got () and (0.5, 1.0, 2.0)"),
        ({"pyramid_channels": 8}, "anchor_sizes must be one for each of the pyramid's 5 levels, got 4"),
        ({"box_head": "conv"}, "box_head must be 'block' or 'mlp', got 'conv'"),
        ({"upsampling": "none"}, "upsampling must be 'deconv' or 'bilinear', got 'none'"),
        ({"anchor_layout": "own"}, "anchor_layout must be 'torchvision' or 'detectron', got 'own'"),
        ({"image_mean": (0.5, 0.5)}, "image_mean must be three numbers, got (0.5, 0.5)"),
        ({"stride_in_1x1": True}, "stride_in_1x1 needs the bottlenecks of depth 50 or 101, got 18"),
        ({"joints": 0}, "joints must be between 1 and 65536, got 0"),
    ],
)
def test_architectures_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        MaskRcnn3d(replace(PLAIN, **options))
    assert str(error.value) == message
