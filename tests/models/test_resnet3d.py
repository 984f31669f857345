"""3D ResNets: shapes, dilation, torchvision's features and names, and inflation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ptfast.models import FeaturePyramid, ResNet3d, inflate
from ptfast.models.layers import ClipConv

WIDTH = 0.125


def randomised(network: nn.Module, seed: int = 0) -> Any:
    """The network with weights and statistics of norms that are not the identity."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if value.ndim == 1:
                low = 0.5 if name.endswith(("weight", "running_var")) else -0.2
                value.uniform_(low, low + 0.4, generator=generator)
            else:
                value.normal_(0, (1.0 / value[0].numel()) ** 0.5, generator=generator)
    return network.eval()


def network(depth: int = 18, **options: Any) -> ResNet3d:
    return randomised(ResNet3d(depth, **{"width": WIDTH, **options}))


def clips(frames: int, size: tuple[int, int] = (32, 48), batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, *size, generator=torch.Generator().manual_seed(1))


def assert_same(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    assert got.shape == expected.shape
    assert float((got - expected).abs().max()) <= tolerance * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize(("depth", "wide"), [(18, 1), (50, 4), (101, 4)])
@pytest.mark.parametrize(("stages", "output_stride"), [(3, 16), (3, 8), (4, 16)])
@torch.inference_mode()
def test_shapes(depth: int, wide: int, stages: int, output_stride: int) -> None:
    net = network(depth, stages=stages, output_stride=output_stride)
    features = net(clips(2, (40, 72), batch=2))
    assert net.strides == [4, 8, output_stride, 32][:stages]
    assert net.channels == [8 * wide, 16 * wide, 32 * wide, 64 * wide][:stages]
    sizes = [(channels, 2, -(-40 // s), -(-72 // s)) for channels, s in zip(net.channels, net.strides, strict=True)]
    assert [tuple(level.shape) for level in features] == [(2, *size) for size in sizes]


@pytest.mark.parametrize("depth", [18, 50])
def test_kernels_are_as_long_in_time_as_wide_in_space(depth: int) -> None:
    for name, module in network(depth, stages=4).named_modules():
        if isinstance(module, ClipConv):
            assert module.kernel_size[0] == min(module.kernel_size[1], 3), name
            assert module.stride[0] == 1 and module.padding[0] == module.kernel_size[0] // 2, name


@pytest.mark.parametrize("depth", [18, 50])
@torch.inference_mode()
def test_stride_8_holds_the_features_of_stride_16(depth: int) -> None:
    coarse, fine = network(depth, output_stride=16), network(depth, output_stride=8)
    fine.load_state_dict(coarse.state_dict())
    assert_same(fine(clips(2))[-1][..., ::2, ::2], coarse(clips(2))[-1])


@pytest.mark.parametrize("normalisation", ["frozen", "group"])
@torch.inference_mode()
def test_a_network_without_temporal_kernels_sees_each_frame_alone(normalisation: str) -> None:
    net = network(temporal_kernel=1, normalisation=normalisation)
    together = net(clips(3))[-1]
    for frame in range(3):
        assert_same(together[:, :, frame : frame + 1], net(clips(3)[:, :, frame : frame + 1])[-1])


@torch.inference_mode()
def test_memory_layout_does_not_change_features() -> None:
    net = network()
    expected = net(clips(3))[-1]
    net = net.to(memory_format=torch.channels_last_3d)
    assert_same(net(clips(3).to(memory_format=torch.channels_last_3d))[-1], expected)


@pytest.mark.parametrize("normalisation", ["frozen", "group"])
@pytest.mark.parametrize("depth", [18, 50])
@torch.inference_mode()
def test_center_inflation_keeps_the_features_of_every_frame(depth: int, normalisation: str) -> None:
    flat = network(depth, temporal_kernel=1, stages=4, normalisation=normalisation)
    deep = ResNet3d(depth, width=WIDTH, stages=4, normalisation=normalisation).eval()
    weights = {name: value.squeeze(2) if value.ndim == 5 else value for name, value in flat.state_dict().items()}
    deep.load_state_dict(inflate(weights, "center", target=deep))
    for got, expected in zip(deep(clips(4)), flat(clips(4)), strict=True):
        assert_same(got, expected)


@torch.inference_mode()
def test_mean_inflation_keeps_the_features_of_identical_frames_away_from_the_ends() -> None:
    flat = network(temporal_kernel=1)
    deep = ResNet3d(18, width=WIDTH).eval()
    weights = {name: value.squeeze(2) if value.ndim == 5 else value for name, value in flat.state_dict().items()}
    deep.load_state_dict(inflate(weights, "mean", target=deep))
    reach = sum(isinstance(module, ClipConv) and module.kernel_size[0] == 3 for module in deep.modules())
    assert reach == 13
    frames = clips(1).expand(-1, -1, 2 * reach + 3, -1, -1)
    got, expected = deep(frames)[-1], flat(clips(1))[-1]
    assert_same(got[:, :, reach:-reach], expected.expand(-1, -1, 3, -1, -1))
    for end in (0, -1):
        assert float((got[:, :, end] - expected[:, :, 0]).abs().max()) > 1e-2


def test_group_norm_trains_from_the_identity() -> None:
    net = ResNet3d(18, width=0.5, normalisation="group")
    assert [block.bn2.num_groups for block in (net.layer1[0], net.layer2[0], net.layer3[0])] == [2, 4, 8]
    assert all(not block.bn2.weight.any() for block in [*net.layer1, *net.layer2, *net.layer3])
    net(clips(2))[-1].square().mean().backward()
    assert net.conv1.weight.grad is not None and net.conv1.weight.grad.abs().sum() > 0
    assert not list(ResNet3d(18, width=WIDTH).bn1.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 34}, "depth must be 18, 50 or 101, got 34"),
        ({"stages": 5}, "stages must be between 1 and 4, got 5"),
        ({"output_stride": 4}, "output_stride must be 8 or 16, got 4"),
        ({"output_stride": 8, "stages": 4}, "output_stride must be 16 with 4 stages, got 8"),
        ({"normalisation": "batch"}, "normalisation must be 'frozen' or 'group', got 'batch'"),
        ({"width": 0.3}, "width must make 64 * width a positive multiple of 8, got 0.3"),
        ({"temporal_kernel": 2}, "temporal_kernel must be odd, got 2"),
    ],
)
def test_arguments_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        ResNet3d(**{"depth": 18, "width": WIDTH, **options})
    assert str(error.value) == message


def test_input_is_checked() -> None:
    with pytest.raises(ValueError, match=r"clips must have shape \(B, 3, T, H, W\), got \(1, 3, 32, 32\)"):
        network()(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize(("depth", "dilate"), [(18, False), (50, False), (50, True)])
@torch.inference_mode()
def test_torchvision_features(depth: int, dilate: bool) -> None:
    torchvision = pytest.importorskip("torchvision", exc_type=(ImportError, RuntimeError))
    options = {"replace_stride_with_dilation": [False, True, False]} if dilate else {}
    peer = randomised(getattr(torchvision.models, f"resnet{depth}")(weights=None, **options))
    net = ResNet3d(depth, stages=3 if dilate else 4, output_stride=8 if dilate else 16, temporal_kernel=1).eval()
    net.load_state_dict(inflate(peer.state_dict(), target=net))
    expected = peer.maxpool(peer.relu(peer.bn1(peer.conv1(clips(1)[:, :, 0]))))
    for stage, got in enumerate(net(clips(1)), start=1):
        expected = getattr(peer, f"layer{stage}")(expected)
        assert_same(got[:, :, 0], expected)


@torch.inference_mode()
def test_torchvision_pyramid() -> None:
    ops = pytest.importorskip("torchvision.ops", exc_type=(ImportError, RuntimeError))
    pooled = ops.feature_pyramid_network.LastLevelMaxPool()
    peer = randomised(ops.FeaturePyramidNetwork([8, 16, 24], 12, extra_blocks=pooled))
    net = FeaturePyramid([8, 16, 24], 12, temporal_kernel=1)
    net.load_state_dict(inflate(peer.state_dict(), target=net))
    levels = [torch.randn(2, c, h, w) for c, h, w in ((8, 25, 38), (16, 13, 19), (24, 7, 10))]
    expected = peer({str(index): level for index, level in enumerate(levels)})
    for got, wanted in zip(net([level.unsqueeze(2) for level in levels]), expected.values(), strict=True):
        assert_same(got[:, :, 0], wanted)


def test_later_stages_may_look_at_each_frame_by_itself() -> None:
    network = ResNet3d(18, stages=4, normalisation="group", width=0.125, temporal_stages=3)
    extents = {name: tensor.shape[2] for name, tensor in network.state_dict().items() if tensor.ndim == 5}
    assert {extent for name, extent in extents.items() if name.startswith("layer4")} == {1}
    wide = [name for name, extent in extents.items() if extent == 3]
    assert "conv1.weight" in wide and "layer3.1.conv2.weight" in wide and len(wide) == 13
    with pytest.raises(ValueError, match="temporal_stages"):
        ResNet3d(18, temporal_stages=5)
