"""CorrTrack's pose network: the published names, shapes and maps, its offsets, and narrower ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.models import (
    InceptionPose,
    InceptionPoseArchitecture,
    decode_offsets,
    estimate_tubes,
    load_inception_pose,
    load_pose_network,
    save_weights,
)
from ptfast.models.adapters import INCEPTION_POSE, network_of
from ptfast.models.images import IMAGE_STD
from ptfast.skeletons import Skeleton

from .by_rule import compare, picture, read_record, weights_by_rule

NARROW = InceptionPoseArchitecture(width=0.0625, joints=3, image_mean=(0.0, 0.0, 0.0))
THREE = Skeleton("three", ("a", "b", "c"), (), ((1, 2),), (0.05,) * 3)


@pytest.fixture(scope="module", params=[2, 3])
def record(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read_record("corrtrack")[f"pose_{request.param}_stages"]


def narrow(architecture: InceptionPoseArchitecture = NARROW) -> InceptionPose:
    torch.manual_seed(0)
    return InceptionPose(architecture)


def test_names_and_shapes_are_the_published_ones(record: dict[str, Any]) -> None:
    with torch.device("meta"):
        state = InceptionPose(InceptionPoseArchitecture(stages=len(record["outputs"]))).state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == record["state_dict"]


@torch.inference_mode()
def test_recorded_maps(record: dict[str, Any]) -> None:
    weights = weights_by_rule(record["state_dict"])
    network = load_inception_pose(weights)
    assert network.architecture == InceptionPoseArchitecture(len(record["outputs"]), image_mean=(0, 0, 0))
    crop = picture(256, 192) / torch.tensor(IMAGE_STD).view(3, 1, 1)
    for output, expected in zip(network.stages(crop), record["outputs"], strict=True):
        assert compare(output, expected) < 1e-5
    for other in (crop.flip(3), crop.flip(1), crop * 0.9):
        assert compare(network.stages(other)[-1], record["outputs"][-1]) > 0.01
    network.load_state_dict(weights)  # without the deviation in them, for images from 0 to 1
    assert compare(network(picture(256, 192)[:, :, None])[:, :, 0], record["outputs"][-1]) < 1e-5


def test_every_wrapping_of_the_weights(tmp_path: Path) -> None:
    for stages in (2, 3):
        architecture = replace(NARROW, stages=stages)
        weights = weights_by_rule(narrow(architecture).state_dict())
        spread = {f"module.{name}": value for name, value in weights.items()}
        path = tmp_path / "pose.pth.tar"
        torch.save({"epoch": 3, "state_dict": spread}, path)
        for source in (weights, {"state_dict": weights}, spread, path, str(path)):
            model = load_inception_pose(source)
            assert model.architecture == architecture and not model.training
            for name, value in model.state_dict().items():
                scale = torch.tensor(IMAGE_STD).view(3, 1, 1) if name == "conv1_7x7_s2.weight" else 1
                assert torch.equal(value, weights[name] * scale), name
        assert network_of(weights) == INCEPTION_POSE


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("conv1_7x7_s2.weight", None, "weights must have conv1_7x7_s2.weight, which is missing"),
        ("pd1.inception_31_1x1.weight", None, "weights must have pd1.inception_31_1x1.weight, which is missing"),
        ("pd2.inception_5b_3x3.bias", None, "weights must have pd2.inception_5b_3x3.bias, which is missing"),
        ("pd2.inception_3a_1x1.bias", torch.zeros(9), "weights: pd2.inception_3a_1x1.bias is not part of the network"),
        ("pd4.Conv2dT_2.conv.bias", torch.zeros(9), "weights must be of a network that can be made: stages must be "),
        ("pd1.Conv2dT_2.conv.weight", torch.zeros(102, 8, 8, 8), "weights must have three maps of each joint, got 8"),
    ],
)
def test_weights_are_complete(name: str, value: Tensor | None, message: str) -> None:
    weights = weights_by_rule(narrow().state_dict())
    weights.pop(name, None)
    if value is not None:
        weights[name] = value
    with pytest.raises(ValueError) as error:
        load_inception_pose(weights)
    assert str(error.value).startswith(message)


def test_there_and_back(tmp_path: Path) -> None:
    card = {"skeleton": "", "data": "", "command": "", "seed": 1, "score": {}, "frames": 1, "size": [384, 288]}
    network, path = narrow(), tmp_path / "w.safetensors"
    save_weights(network, path, card)
    got, read = load_pose_network(path)
    assert isinstance(got, InceptionPose) and got.architecture == NARROW and read["network"] == "inception-pose"
    assert all(torch.equal(v, network.state_dict()[n].half().float()) for n, v in got.state_dict().items() if v.ndim)


@torch.inference_mode()
def test_each_frame_by_itself() -> None:
    network = narrow().eval()
    clips = torch.randn(2, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    together = network(clips)
    assert together.shape == (2, 9, 3, 16, 8)
    for frame in range(3):
        alone = network.stages(clips[:, :, frame])[-1]
        torch.testing.assert_close(together[:, :, frame], alone, rtol=1e-4, atol=1e-6)
    assert float((together[:, :, 0] - together[:, :, 1]).abs().max()) > 1e-3
    with torch.autocast("cpu", torch.bfloat16):
        assert network(clips).dtype == torch.float32


def planted(places: list[tuple[int, int]], offsets: list[tuple[float, float]], peak: float = 3.0) -> Tensor:
    """Maps (9, 8, 6) of three joints with a peak each, offsets in crop pixels there, and others everywhere else."""
    maps = torch.full((9, 8, 6), -5.0)
    maps[3:] = 77
    for joint, ((x, y), (dx, dy)) in enumerate(zip(places, offsets, strict=True)):
        maps[joint, y, x], maps[3 + joint, y, x], maps[6 + joint, y, x] = peak, dx, dy
    return maps


def test_joints_are_peaks_moved_by_their_offsets() -> None:
    one = planted([(2, 3), (5, 0), (0, 7)], [(1.0, -2.0), (-4.0, 2.0), (0.0, 0.5)])
    two = planted([(3, 3), (1, 1), (4, 6)], [(0.0, 0.0), (2.0, 2.0), (-1.0, 1.0)], peak=-1.0)
    places, scores = decode_offsets(torch.stack([one, two])[:, None])
    expected = [[[2.25, 2.5], [4.0, 0.5], [0.0, 7.125]], [[3.0, 3.0], [1.5, 1.5], [3.75, 6.25]]]
    assert places[:, 0].tolist() == expected and places.shape == (2, 1, 3, 2)
    torch.testing.assert_close(scores[:, 0], torch.tensor([[3.0] * 3, [-1.0] * 3]).sigmoid())


def test_mirrored_heatmaps_are_averaged_without_a_shift() -> None:
    """Of the mirrored crop, joints 1 and 2 have changed places; its offsets do not count."""
    maps = planted([(2, 3), (4, 1), (0, 7)], [(1.0, -2.0), (-4.0, 2.0), (0.0, 0.5)])
    mirrored = planted([(3, 3), (5, 7), (1, 1)], [(9.0, 9.0)] * 3, peak=1.0)
    places, scores = decode_offsets(maps, flipped=mirrored, flip_pairs=[(1, 2)])
    assert places.tolist() == [[2.25, 2.5], [3.0, 1.5], [0.0, 7.125]]
    torch.testing.assert_close(scores, (torch.tensor([3.0, 1.0]).sigmoid().mean()).expand(3))


class Planted(InceptionPose):
    """A network of this architecture that finds each joint at one place, in mirrored crops mirrored."""

    def forward(self, clips: Tensor) -> Tensor:
        maps = planted([(2, 3), (2, 3), (2, 3)], [(1.0, -2.0)] * 3)
        mirrored = clips[..., 0].mean() > clips[..., -1].mean()  # crops are brighter on the right
        assert super().forward(clips).shape == (1, 9, 1, 8, 6)
        return (maps.flip(2) if mirrored else maps)[None, :, None]


@pytest.mark.parametrize("flip", [False, True])
def test_a_planted_joint_is_where_its_stride_says(flip: bool) -> None:
    """A crop 24 wide and 32 high shows a box 48 wide and 64 high, a quarter larger: 2.5 image pixels for one."""
    network = Planted(NARROW).eval()
    network.multiple = 8  # type: ignore[misc]
    network.stem = lambda crops: torch.zeros(len(crops), 12, 8, 6)  # type: ignore[method-assign,assignment]
    network.stages = lambda crops: [torch.zeros(len(crops), 9, 8, 6)]  # type: ignore[method-assign,assignment]
    frames = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None], (1, 200, 200, 3))
    keypoints, scores = estimate_tubes(
        network, frames, np.array([[100, 60, 148, 124]], np.float32), np.zeros((1, 1), np.int64),
        size=(32, 24), skeleton=THREE, flip=flip,
    )  # fmt: skip
    in_crop = 4 * 2 + 1, 4 * 3 - 2
    expected = 124 + (in_crop[0] - 12) * 2.5, 92 + (in_crop[1] - 16) * 2.5
    np.testing.assert_allclose(keypoints[0, 0], [expected] * 3, rtol=0, atol=1e-4)
    np.testing.assert_allclose(scores, torch.tensor(3.0).sigmoid(), rtol=1e-6)


def test_training_reaches_every_parameter() -> None:
    network = narrow()
    outputs = network.stages(torch.rand(2, 3, 64, 64))
    assert [tuple(output.shape) for output in outputs] == [(2, 9, 16, 16)] * 2
    assert max(float(output.detach().abs().max()) for output in outputs) < 0.1
    sum((output - 1).square().mean() for output in outputs).backward()  # type: ignore[union-attr]
    before_norm = {f"{name[:-3]}.bias" for name in dict(network.named_modules()) if name.endswith("_bn")}
    before_norm |= {name for name in network.state_dict() if name.endswith("Conv2dT_1.conv.bias")}
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name
        assert weight.grad.any() or name in before_norm, name  # a norm takes off what these add


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"stages": 1}, "stages must be between 2 and 3, got 1"),
        ({"stages": 4}, "stages must be between 2 and 3, got 4"),
        ({"width": 0.01}, r"width must make 32 \* width a positive whole number, got 0\.01"),
        ({"joints": 0}, "joints must be between 1 and"),
        ({"image_mean": (0.5,)}, r"image_mean must be three numbers, got \(0\.5,\)"),
    ],
)
def test_errors(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InceptionPose(replace(NARROW, **entries))


def test_errors_of_sizes() -> None:
    with pytest.raises(ValueError, match="clips must have a height and a width of multiples of 32, got 64 and 30"):
        narrow()(torch.zeros(1, 3, 1, 64, 30))
    with pytest.raises(ValueError, match="maps must be three of each joint, got 8"):
        decode_offsets(torch.zeros(8, 4, 4))
    with pytest.raises(ValueError, match=r"flipped must have shape \(9, 4, 4\), got \(9, 4, 5\)"):
        decode_offsets(torch.zeros(9, 4, 4), flipped=torch.zeros(9, 4, 5), flip_pairs=[])
