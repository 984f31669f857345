"""HRNet over clips: shapes, where its kernels are 3D, inflation; the published network stands in test_published.py."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ptfast.models import Hrnet, HrnetArchitecture, inflate
from ptfast.models.layers import ClipConv, FrameBatchNorm, fold_frames

SMALL: dict[str, Any] = {"width": 8, "joints": 3, "stem": 4, "stem_blocks": 1, "modules": (1, 1, 1), "blocks": 1}


def randomised(network: nn.Module) -> Any:
    """The network with weights and statistics of norms that are not the identity."""
    generator = torch.Generator().manual_seed(0)
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


def network(temporal_stages: Any = "none", **options: Any) -> Hrnet:
    return randomised(Hrnet(HrnetArchitecture(temporal_stages=temporal_stages, **{**SMALL, **options})))


def clips(frames: int, size: tuple[int, int] = (32, 32), batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, *size, generator=torch.Generator().manual_seed(1))


def assert_same(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    assert got.shape == expected.shape
    got, expected = got.detach(), expected.detach()
    assert float((got - expected).abs().max()) <= tolerance * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize(("modules", "multiple"), [((2,), 8), ((1, 2), 16), ((1, 1, 2), 32)])
@torch.inference_mode()
def test_shapes(modules: tuple[int, ...], multiple: int) -> None:
    net = network("early", modules=modules)
    assert net.multiple == multiple
    heatmaps = net(clips(3, (2 * multiple, multiple), batch=2))
    assert heatmaps.shape == (2, 3, 3, multiple // 2, multiple // 4) and heatmaps.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert net(clips(1, (2 * multiple, multiple))).dtype == torch.float32
    assert net.conv1.weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert len(net(clips(2, (multiple, multiple), batch=0))) == 0


@pytest.mark.parametrize(
    ("temporal_stages", "deep"),
    [
        ("none", ()),
        ("early", ("layer1", "stage2")),
        ("last", ("stage4",)),
        ("all", ("layer1", "stage2", "stage3", "stage4")),
    ],
)
def test_kernels_are_3d_in_the_temporal_stages(temporal_stages: str, deep: tuple[str, ...]) -> None:
    stages = set()
    for name, module in network(temporal_stages, modules=(1, 2, 2), blocks=2).named_modules():
        if not isinstance(module, ClipConv):
            continue
        stage = name.split(".")[0]
        inside = stage in deep
        if stage == "layer1":
            kernels = {"conv1": (3, 1, 1) if inside else (1, 1, 1), "conv2": (1, 3, 3), "conv3": (1, 1, 1)}
            expected = kernels.get(name.split(".")[2], (1, 1, 1))  # or the way past the block
        else:
            wide = module.weight.shape[-1]
            expected = (3 if inside and wide == 3 else 1, wide, wide)
        assert module.kernel_size == expected and module.stride[0] == 1, name
        assert module.padding[0] == expected[0] // 2, name
        stages.add(stage)
    assert {"conv1", "conv2", "layer1", "transition3", "stage2", "stage3", "stage4", "final_layer"} <= stages


@torch.inference_mode()
def test_a_network_without_temporal_kernels_sees_each_frame_alone() -> None:
    net, given = network(), clips(3, batch=2)
    together = net(given)
    for frame in range(3):
        assert_same(together[:, :, frame], net(given[:, :, frame : frame + 1])[:, :, 0])


def test_early_kernels_see_the_whole_of_nine_frames() -> None:
    net = network("early", stem_blocks=4, blocks=4, modules=(1, 1, 1))
    given = clips(9).requires_grad_()
    net(given)[:, :, 0].square().sum().backward()
    assert given.grad is not None
    assert bool((given.grad.abs().amax((0, 1, 3, 4)) > 0).all())


@pytest.mark.parametrize("temporal_stages", ["early", "last", "all"])
@torch.inference_mode()
def test_inflation(temporal_stages: str) -> None:
    flat, deep = network(), Hrnet(HrnetArchitecture(temporal_stages=temporal_stages, **SMALL)).eval()
    published = {name: value.squeeze(2) if value.ndim == 5 else value for name, value in flat.state_dict().items()}
    assert sum(published[name].shape != value.shape for name, value in deep.state_dict().items()) > 20
    deep.load_state_dict(inflate(published, "center", target=deep))
    given = clips(4, batch=2)
    assert_same(deep(given), flat(given))

    deep.load_state_dict(inflate(published, "mean", target=deep))
    # One frame less at each end for each temporal convolution on the way: a bottleneck's, a block's two, an exchange.
    reach = {"early": 1 + 3, "last": 2, "all": 1 + 3 + 3 + 2}[temporal_stages]
    still = clips(1).expand(-1, -1, 2 * reach + 3, -1, -1)
    assert_same(deep(still)[:, :, reach : reach + 3], flat(still)[:, :, reach : reach + 3])
    moving = clips(2 * reach + 3)
    assert float((deep(moving) - flat(moving)).abs().max()) > 0.01


@pytest.mark.parametrize("extent", [3, 5])
def test_point_kernels_with_a_temporal_extent(extent: int) -> None:
    torch.manual_seed(0)
    conv = ClipConv(4, 5, 1, temporal_kernel=extent, bias=True)
    given = clips(4)[:, :1].expand(-1, 4, -1, -1, -1).contiguous().requires_grad_()
    got, expected = conv(given), nn.Conv3d.forward(conv, given)
    assert_same(got, expected)
    grads = [torch.autograd.grad(x.square().sum(), [given, conv.weight]) for x in (got, expected)]
    for mine, theirs in zip(*grads, strict=True):
        assert_same(mine, theirs)


def test_training_norms_take_all_frames_of_a_batch() -> None:
    norm, flat = FrameBatchNorm(3), nn.BatchNorm2d(3)
    assert norm.momentum == 0.1
    given = clips(4, batch=2)
    assert_same(fold_frames(norm(given)), flat(fold_frames(given)))
    assert_same(norm.running_var, flat.running_var)


def test_training_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    net = Hrnet(HrnetArchitecture(**SMALL))
    heatmaps = net(clips(3, (64, 32), batch=2))
    assert float(heatmaps.detach().abs().max()) < 0.1  # targets are nearly everywhere 0
    (heatmaps - 1).square().mean().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"temporal_stages": "late"}, r"temporal_stages must be one of \('none', 'early', 'last', 'all'\), got 'late'"),
        ({"width": 0}, "width must be between 1 and"),
        ({"stem_blocks": 0}, "stem_blocks must be between 1 and"),
        ({"modules": ()}, r"modules must be numbers for 1 to 3 stages, got \(\)"),
        ({"modules": (1, 0)}, "modules must be between 1 and 64, got 0"),
        ({"image_mean": (0.5,)}, r"image_mean must be three numbers, got \(0\.5,\)"),
    ],
)
def test_errors(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hrnet(HrnetArchitecture(**{**SMALL, **entries}))


def test_errors_of_sizes() -> None:
    net = network()
    with pytest.raises(ValueError, match="clips must have a height and a width of multiples of 32, got 100 and 96"):
        net(clips(1, (100, 96)))
    with pytest.raises(ValueError, match=r"clips must have shape \(B, 3, T, h, w\), got \(1, 3, 64, 32\)"):
        net(clips(1, (64, 32))[:, :, 0])
