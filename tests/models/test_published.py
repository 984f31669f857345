"""The published HRNet and Simple Baselines' network in this package: the same names, shapes and heatmaps; their files.

The recorded heatmaps are those of the public code, in float32 on a CPU, to weights and a crop that follow a rule.
"""

from __future__ import annotations

import math
import os
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
import torch
from torch import Tensor, nn

from ptfast.models import Hrnet, HrnetArchitecture, PoseResnet, PoseResnetArchitecture, load_hrnet, load_pose_resnet
from ptfast.models.adapters.filling import empty_model

# fmt: off
# Of the names with shapes, a line each, in sorted order; some of them; the heatmaps' 24 evenly spaced values, mean,
# standard deviation, minimum and maximum, and the place of each joint's peak.
HRNET_W32 = SimpleNamespace(
    names=1754,
    digest="b6122c04620e13a6f1bcffbee156d8fe3e49ffbdc6e1527b7ca44ac2c0c90b95",
    some={
        "conv1.weight": (64, 3, 3, 3),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "transition1.1.0.0.weight": (64, 256, 3, 3),
        "stage2.0.branches.0.0.conv1.weight": (32, 32, 3, 3),
        "stage3.3.fuse_layers.2.0.0.0.weight": (32, 32, 3, 3),
        "stage4.2.fuse_layers.0.3.0.weight": (32, 256, 1, 1),
        "stage4.2.branches.3.3.bn2.num_batches_tracked": (),
        "final_layer.bias": (17,),
    },
    values=(
        0.666273, 0.0482306, 0.00234162, -1.01286, 1.76904, -0.0294958, -0.115855, 0.660074, 0.255847, 0.15408,
        -0.0294411, 1.37816, -0.155056, 0.309125, 0.332378, -0.0790147, 1.0512, -0.276609, 0.433543, 0.149601,
        -0.833014, -0.0600303, 0.299911, -1.41119,
    ),
    moments=(-0.00125035, 0.584904, -2.56773, 2.56807),
    peaks=(2884, 204, 2890, 258, 2215, 115, 2819, 204, 2890, 549, 213, 100, 2819, 204, 258, 2838, 115),
    # Rounding grows in this network; its record is 2.4e-4 of the range away from what float64 gives.
    tolerance=3e-4,
)
HRNET_W48 = SimpleNamespace(
    names=1754,
    digest="5b97bbe8182100401c339bcce107d5273e37f88519043b0a8cd438f6a12d6eec",
    some={"stage4.0.branches.3.0.conv1.weight": (384, 384, 3, 3), "final_layer.weight": (17, 48, 1, 1)},
    values=(
        0.301653, 0.187332, -0.100316, 0.518898, 0.0156963, 0.1112, -0.2108, -0.361381, -0.00942331, 0.106566, 0.966822,
        0.0888783, -0.0133735, 0.702936, -0.114215, 0.0267199, -0.386549, -0.347443, -0.0980868, 0.033709, 0.472137,
        0.17636, -0.0216885, -0.342564,
    ),
    moments=(0.000131562, 0.342493, -1.84432, 1.84134),
    peaks=(298, 865, 1582, 866, 532, 867, 1582, 297, 439, 442, 865, 297, 439, 442, 865, 297, 866),
    tolerance=1e-4,
)
POSE_RESNET_50 = SimpleNamespace(
    names=338,
    digest="e50450a842367551d943732cb8bbf0b42752677ed547190c422da1829265e958",
    some={
        "conv1.weight": (64, 3, 7, 7),
        "layer4.2.conv2.weight": (512, 512, 3, 3),
        "deconv_layers.0.weight": (2048, 256, 4, 4),
        "deconv_layers.7.running_var": (256,),
        "final_layer.weight": (17, 256, 1, 1),
    },
    values=(
        -0.00815918, -0.00818337, -0.00138496, 0.00874788, 0.00874773, 0.00920792, 0.00152193, -0.00634961, -0.00638578,
        -0.010425, -0.00312642, 0.00651608, 0.00650364, 0.00919224, 0.0053937, -0.00525437, -0.00523013, -0.0102911,
        -0.00506928, 0.00290276, 0.00291471, 0.0102022, 0.00714371, 0.00714962,
    ),
    moments=(0.000624429, 0.00712552, -0.0104676, 0.0102195),
    peaks=(1694, 613, 2126, 589, 2077, 586, 2125, 590, 2078, 613, 614, 589, 565, 542, 2125, 1742, 2078),
    tolerance=1e-4,
)
# Of other heads of a ResNet-50, by the number of their transposed convolutions and the kernel, to a crop of 96x64.
OTHER_HEADS = {
    (2, 4): SimpleNamespace(
        values=(
            -0.00851747, -0.000859461, 0.0093496, 0.00178881, -0.00990098, -0.00337017, 0.00973332, 0.00484326,
            -0.0101576, -0.00556305, 0.00985997, 0.00707376,
        ),
        moments=(0.0006109, 0.00710533, -0.0101809, 0.00990985),
        peaks=(93, 1, 91, 47, 1, 91, 94, 3, 93, 1, 91, 37, 3, 93, 1, 7, 50),
    ),
    (3, 2): SimpleNamespace(
        values=(
            -0.00817187, -0.00131233, 0.00924436, 0.00142661, -0.0104228, -0.00330265, 0.0092059, 0.00538182,
            -0.0103426, -0.00504157, 0.0101971, 0.00725865,
        ),
        moments=(0.000627553, 0.00712185, -0.0104647, 0.0102178),
        peaks=(120, 19, 66, 121, 96, 120, 253, 66, 113, 83, 66, 117, 2, 120, 253, 66, 113),
    ),
    (3, 3): SimpleNamespace(
        values=(
            -0.00817003, -0.00143156, 0.00919755, 0.00150992, -0.0104086, -0.00313214, 0.00915962, 0.0053585,
            -0.0102837, -0.0051153, 0.0101954, 0.00715143,
        ),
        moments=(0.000624737, 0.00712581, -0.0104633, 0.0102088),
        peaks=(183, 359, 119, 382, 359, 183, 359, 383, 183, 359, 183, 359, 272, 183, 359, 375, 183),
    ),
}
# fmt: on

NETWORKS = [
    pytest.param(Hrnet, HrnetArchitecture(width=32, temporal_stages="none"), HRNET_W32, id="hrnet_w32"),
    pytest.param(Hrnet, HrnetArchitecture(width=48, temporal_stages="none"), HRNET_W48, id="hrnet_w48"),
    pytest.param(PoseResnet, PoseResnetArchitecture(depth=50), POSE_RESNET_50, id="pose_resnet_50"),
]
NARROW = HrnetArchitecture(width=8, joints=3, temporal_stages="none", stem=4, stem_blocks=2, modules=(1, 2), blocks=1)
NARROW_RESNET = PoseResnetArchitecture(depth=101, width=0.0625, joints=3)


def loader(kind: Any) -> Any:
    return {Hrnet: load_hrnet, PoseResnet: load_pose_resnet}[kind]


def published_shapes(kind: Any, architecture: Any) -> dict[str, tuple[int, ...]]:
    """The network's names with the shapes that the public code has, whose kernels are 2D."""
    with torch.device("meta"):
        weights = kind(architecture).state_dict().items()
    return {name: (*value.shape[:2], *value.shape[-2:]) if value.ndim == 5 else value.shape for name, value in weights}


def by_rule(name: str, shape: tuple[int, ...]) -> Tensor:
    """Weights that depend on their name alone."""
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if len(shape) == 1 and name.endswith(("weight", "running_var")):
        return torch.ones(shape)
    if name.endswith("running_mean"):
        return torch.zeros(shape)
    count, shift = math.prod(shape), crc32(name.encode()) % 1000
    index = torch.arange(count, dtype=torch.float64)
    if len(shape) == 1:
        return (0.01 * torch.cos(index + shift)).float()
    wave = torch.cos(index * (1 + shift / 1000) * 2.3 + shift)
    return (math.sqrt(2 * shape[0] / count) * math.sqrt(2) * wave).float().reshape(shape)


def crop(height: int, width: int) -> Tensor:
    """(1, 3, 1, height, width)."""
    c, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (3, height, width)), indexing="ij")
    return (0.5 + 0.5 * torch.sin(0.05 * (x + 2 * y) + c)).float()[None, :, None]


@pytest.mark.parametrize(("kind", "architecture", "record"), NETWORKS)
def test_names_and_shapes(kind: Any, architecture: Any, record: SimpleNamespace) -> None:
    shapes = published_shapes(kind, architecture)
    assert {name: shapes[name] for name in record.some} == record.some
    lines = sorted(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items())
    assert len(lines) == record.names
    assert sha256("\n".join(lines).encode()).hexdigest() == record.digest


@pytest.mark.parametrize(("kind", "architecture", "record"), NETWORKS)
def test_recorded_heatmaps(kind: Any, architecture: Any, record: SimpleNamespace) -> None:
    weights = {name: by_rule(name, shape) for name, shape in published_shapes(kind, architecture).items()}
    model = loader(kind)(weights)
    assert model.architecture == architecture and not model.training
    with torch.inference_mode():  # in float64, so that the output is the same on every machine
        heatmaps = model.double()(crop(256, 192).double())
    assert heatmaps.shape == (1, 17, 1, 64, 48) and heatmaps.dtype == torch.float32
    assert_recorded(heatmaps, record, record.tolerance)


@pytest.mark.parametrize(("deconvolutions", "kernel"), OTHER_HEADS)
def test_recorded_heatmaps_of_other_heads(deconvolutions: int, kernel: int) -> None:
    architecture = PoseResnetArchitecture(deconvolutions=deconvolutions, kernel=kernel)
    model = load_pose_resnet(narrow_weights(PoseResnet, architecture))
    assert model.architecture == architecture
    with torch.inference_mode():
        heatmaps = model.double()(crop(96, 64).double())
    assert heatmaps.shape == (1, 17, 1, 3 * 2**deconvolutions, 2 * 2**deconvolutions)
    assert_recorded(heatmaps, OTHER_HEADS[deconvolutions, kernel], 1e-5)


def assert_recorded(heatmaps: Tensor, record: SimpleNamespace, tolerance: float) -> None:
    """Compares evenly spaced values, moments and peaks; the tolerance is a share of the values' range."""
    tolerance *= record.moments[3] - record.moments[2]
    last = len(record.values) - 1
    index = [round(i * (heatmaps.numel() - 1) / last) for i in range(last + 1)]
    torch.testing.assert_close(heatmaps.flatten()[index], torch.tensor(record.values), rtol=0, atol=tolerance)
    moments = torch.stack([heatmaps.mean(), heatmaps.std(), heatmaps.min(), heatmaps.max()])
    torch.testing.assert_close(moments, torch.tensor(record.moments), rtol=0, atol=tolerance)
    assert heatmaps.flatten(2)[0].argmax(1).tolist() == list(record.peaks)


def narrow_weights(kind: Any, architecture: Any) -> dict[str, Tensor]:
    return {name: by_rule(name, shape) for name, shape in published_shapes(kind, architecture).items()}


def assert_loaded(model: nn.Module, weights: dict[str, Tensor]) -> None:
    state = model.state_dict()
    assert state.keys() == weights.keys()
    for name, value in state.items():
        assert torch.equal(value.reshape(weights[name].shape), weights[name]), name


@pytest.mark.parametrize(("kind", "architecture"), [(Hrnet, NARROW), (PoseResnet, NARROW_RESNET)])
def test_every_wrapping_of_the_weights(tmp_path: Path, kind: Any, architecture: Any) -> None:
    weights = narrow_weights(kind, architecture)
    spread = {f"module.{name}": value for name, value in weights.items()}
    older = {name: value for name, value in weights.items() if not name.endswith("num_batches_tracked")}
    path = tmp_path / "model.pth"
    torch.save({"epoch": 3, "state_dict": spread, "optimizer": {"param_groups": [{"lr": 1e-3}]}}, path)
    for source in (weights, {"state_dict": weights}, spread, older, path, str(path)):
        model = loader(kind)(source)
        assert model.architecture == architecture and not model.training
        assert_loaded(model, weights)


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_depths(depth: int) -> None:
    architecture = PoseResnetArchitecture(depth=depth, width=0.0625, joints=3)
    assert load_pose_resnet(narrow_weights(PoseResnet, architecture)).architecture == architecture


def test_fewer_stages() -> None:
    for modules in ((2,), (1, 1), (1, 2, 1)):
        architecture = HrnetArchitecture(width=8, joints=3, temporal_stages="none", stem=4, modules=modules, blocks=2)
        assert load_hrnet(narrow_weights(Hrnet, architecture)).architecture == architecture


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        (Hrnet, "conv1.weight", None, "weights must have conv1.weight, which is missing"),
        (
            Hrnet,
            "stage2.0.branches.0.0.conv1.weight",
            None,
            "weights must have stage2.0.branches.0.0.conv1.weight, which is missing",
        ),
        (
            Hrnet,
            "stage3.1.branches.2.0.bn2.bias",
            None,
            "weights must have stage3.1.branches.2.0.bn2.bias, ",
        ),
        (Hrnet, "classifier.weight", torch.zeros(3), "weights: classifier.weight is not part of the network"),
        (
            Hrnet,
            "transition1.1.0.0.weight",
            torch.zeros(16, 8, 3, 3),
            "weights: transition1.1.0.0.weight must fit transition1.1.0.0.weight of shape (16, 16, 1, 3, 3), "
            "got (16, 8, 3, 3)",
        ),
        (Hrnet, "conv2.weight", 3, "weights: conv2.weight: expected a tensor, found int"),
        (Hrnet, "state_dict", 3, "weights: state_dict: expected tensors by name, found int"),
        (PoseResnet, "final_layer.weight", None, "weights must have final_layer.weight, which is missing"),
        (
            PoseResnet,
            "layer3.5.conv1.weight",
            None,
            "weights must have the blocks of a ResNet of depth 50, 101 or 152, got (3, 4, 5, 3)",
        ),
        (
            PoseResnet,
            "deconv_layers.2.weight",
            torch.zeros(3),
            "weights: deconv_layers.2.weight is not part of the network",
        ),
        (
            PoseResnet,
            "deconv_layers.9.weight",
            torch.zeros(3),
            "weights: deconv_layers.9.weight must fit deconv_layers.9.weight of shape (16, 16, 4, 4), got (3,)",
        ),
        (PoseResnet, "deconv_layers.0.weight", None, "weights must have deconv_layers.0.weight, which is missing"),
        (PoseResnet, "deconv_layers.6.weight", None, "weights must have deconv_layers.6.weight, which is missing"),
        (
            PoseResnet,
            "deconv_layers.3.weight",
            torch.zeros(16, 16, 2, 2),
            "weights: deconv_layers.3.weight must fit deconv_layers.3.weight of shape (16, 16, 4, 4), "
            "got (16, 16, 2, 2)",
        ),
        (
            PoseResnet,
            "deconv_layers.0.weight",
            torch.zeros(128, 16, 5, 5),
            "weights must be of a network that can be made: kernel must be between 2 and 4, got 5",
        ),
        (
            PoseResnet,
            "deconv_layers.300.weight",
            torch.zeros(16, 16, 4, 4),
            "weights must be of a network that can be made: deconvolutions must be between 1 and 5, got 101",
        ),
    ],
)
def test_weights_are_complete(kind: Any, name: str, value: Any, message: str) -> None:
    weights: dict[str, Any] = dict(narrow_weights(kind, {Hrnet: NARROW, PoseResnet: NARROW_RESNET}[kind]))
    weights.pop(name, None)
    if value is not None:
        weights[name] = value
    with pytest.raises(ValueError) as error:
        loader(kind)(weights)
    assert str(error.value).startswith(message)


class Harmful:
    def __reduce__(self) -> Any:
        return os.system, ("exit 1",)


@pytest.mark.parametrize("content", [{"conv1.weight": Harmful()}, [torch.zeros(1)], None])
def test_other_files_are_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "model.pth"
    if content is None:
        path.write_text("no weights")
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match=r"model\.pth: expected tensors by name, found "):
        load_hrnet(path)
    with pytest.raises(FileNotFoundError):
        load_pose_resnet(tmp_path / "none.pth")


def test_loading_draws_no_random_numbers() -> None:
    weights = narrow_weights(Hrnet, NARROW)
    before = torch.random.get_rng_state()
    load_hrnet(weights)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert empty_model(Hrnet, NARROW).final_layer.weight.shape == (3, 8, 1, 1, 1)
