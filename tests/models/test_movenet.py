"""MoveNet beside the published graphs, whose outputs on one picture are known."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ptfast.models import MoveNet, MoveNetArchitecture, decode_multipose, decode_singlepose
from ptfast.pipeline.weights import load_movenet_weights

SMALL = MoveNetArchitecture(width=0.125, joints=3)
DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data"))
LIGHTNING = DATA.parent / "weights" / "movenet-lightning.safetensors"
Golden = dict[str, np.ndarray]
Picture = Callable[..., Tensor]


def network(name: str) -> MoveNet:
    """Published weights."""
    if name != "lightning":
        return load_movenet_weights(f"movenet-{name}").model
    if not LIGHTNING.exists():
        pytest.skip(f"needs the optional weights {LIGHTNING}")
    lightning = MoveNet(MoveNetArchitecture(width=1.0, boxes=False)).eval()
    lightning.load_state_dict(load_file(LIGHTNING))
    return lightning


def small() -> MoveNet:
    torch.manual_seed(0)
    return MoveNet(SMALL).eval()


def images(batch: int = 1, height: int = 64, width: int = 96) -> Tensor:
    return torch.randint(0, 256, (batch, 3, height, width), generator=torch.Generator().manual_seed(1)).byte()


def assert_near(found: Tensor, expected: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@torch.inference_mode()
def test_multipose_equals_the_published_graph(hopper: Picture, golden: Golden) -> None:
    maps = network("multipose")(hopper(256, 224))
    assert_near(maps["center"][0, 0], golden["multipose_center"], 2e-5)
    (people,) = decode_multipose(maps, max_people=6, min_score=0)
    rows = golden["multipose"]
    joints = rows[:, :51].reshape(6, 17, 3)
    assert rows[0, 55] > 0.5
    assert_near(people.scores, rows[:, 55], 2e-5)
    assert_near(people.keypoints, joints[..., 1::-1] * [224, 256], 1e-3)
    assert_near(people.joint_scores, joints[..., 2], 2e-5)
    assert_near(people.boxes, rows[:, [52, 51, 54, 53]] * [224, 256, 224, 256], 1e-3)


@pytest.mark.parametrize(("name", "size"), [("thunder", 256), ("lightning", 192)])
@torch.inference_mode()
def test_singlepose_equals_the_published_graphs(hopper: Picture, golden: Golden, name: str, size: int) -> None:
    maps = network(name)(hopper(size))
    assert_near(maps["center"][0, 0], golden[f"{name}_center"], 2e-5)
    keypoints, scores, _ = decode_singlepose(maps)
    # The graph multiplies by a map pixel's share of the side in half precision: 1 / 48 is rounded, 1 / 64 is not.
    share = float(np.float16(4 / size))
    assert_near(keypoints[0] / 4, golden[name][:, 1::-1] / share, 1e-3 / 4)
    assert_near(scores[0], golden[name][:, 2], 2e-5)


@pytest.mark.parametrize(
    "change", [lambda image: image.flip(3), lambda image: image.roll(8, 2), lambda image: image // 2]
)
@torch.inference_mode()
def test_parity_is_that_of_this_picture_alone(hopper: Picture, golden: Golden, change: Callable) -> None:
    multipose, thunder = network("multipose"), network("thunder")
    (people,) = decode_multipose(multipose(change(hopper(256, 224))), max_people=1)
    expected = golden["multipose"][0, :51].reshape(17, 3)
    assert np.abs(people.keypoints[0].numpy() - expected[:, 1::-1] * [224, 256]).max() > 0.1
    assert np.abs(people.joint_scores[0].numpy() - expected[:, 2]).max() > 1e-3
    keypoints, scores, _ = decode_singlepose(thunder(change(hopper(256))))
    assert np.abs(keypoints[0].numpy() - golden["thunder"][:, 1::-1] * 256).max() > 0.1
    assert np.abs(scores[0].numpy() - golden["thunder"][:, 2]).max() > 1e-3


@torch.inference_mode()
def test_a_batch_is_its_images_one_by_one(hopper: Picture) -> None:
    multipose = network("multipose")
    alone = hopper(256, 224)
    batch = torch.cat(
        [alone, torch.zeros_like(alone), torch.cat([hopper(256, 112), hopper(256, 112)], 3), alone.flip(3)]
    )
    together = decode_multipose(multipose(batch), min_score=0.2)
    assert [len(people.scores) for people in together] == [1, 0, 2, 1]
    for people, image in zip(together, batch, strict=True):
        (expected,) = decode_multipose(multipose(image[None]), min_score=0.2)
        for name in ("keypoints", "joint_scores", "boxes", "scores"):
            torch.testing.assert_close(getattr(people, name), getattr(expected, name), rtol=0, atol=2e-3)


@torch.inference_mode()
def test_more_people_than_the_published_graph_finds(hopper: Picture) -> None:
    crowd = hopper(160, 128).tile(1, 1, 2, 5)
    (people,) = decode_multipose(network("multipose")(crowd), min_score=0.2)
    middles = (people.boxes[:, :2] + people.boxes[:, 2:]) / 2
    cells = {(int(x // 128), int(y // 160)) for x, y in middles.tolist()}
    assert len(people.scores) == len(cells) == 10


@pytest.mark.parametrize(("name", "size"), [("multipose", (256, 224)), ("thunder", (256, 256))])
@torch.inference_mode()
def test_bfloat16_places_joints_within_a_map_pixel(hopper: Picture, name: str, size: tuple[int, int]) -> None:
    net = network(name)
    expected = net(hopper(*size))
    with torch.autocast("cpu", torch.bfloat16):
        maps = net(hopper(*size))
    assert all(values.dtype == torch.float32 for values in maps.values())
    (exact, exact_scores, _), (keypoints, scores, _) = decode_singlepose(expected), decode_singlepose(maps)
    seen = exact_scores > 0.3
    assert int(seen.sum()) >= 7
    assert 0 < float((keypoints - exact).norm(dim=2)[seen].max()) < 4
    assert 0 < float((scores - exact_scores).abs()[seen].max()) < 0.06


@pytest.mark.parametrize("boxes", [True, False])
def test_compiles_as_one_graph(boxes: bool) -> None:
    torch.manual_seed(0)
    net = MoveNet(MoveNetArchitecture(width=0.125, boxes=boxes, joints=3)).eval()
    given = images()
    with torch.inference_mode():
        expected = net(given)
        found = torch.compile(net, fullgraph=True, backend="aot_eager")(given)
    torch.compiler.reset()
    assert found.keys() == expected.keys() and ("box_scale" in found) == boxes
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values)


@torch.inference_mode()
def test_memory_formats_and_dtypes_of_images_give_the_same() -> None:
    net, given = small(), images()
    expected = net(given)
    assert net.blocks[1].expand.weight.is_contiguous(memory_format=torch.channels_last)
    for other in (given.float(), given.contiguous(memory_format=torch.channels_last), given.double(), given.int()):
        for name, values in net(other).items():
            torch.testing.assert_close(values, expected[name])


@torch.inference_mode()
def test_weights_in_bfloat16_give_float32_maps() -> None:
    net = small().bfloat16()
    assert all(values.dtype == torch.float32 and bool(values.isfinite().all()) for values in net(images()).values())


@torch.inference_mode()
def test_maps_have_a_quarter_of_the_size() -> None:
    maps = small()(images(2))
    shapes = {name: tuple(values.shape) for name, values in maps.items()}
    channels = {"center": 1, "box_scale": 2, "box_offset": 2, "kpt_heatmap": 3, "kpt_regress": 6, "kpt_offset": 6}
    assert shapes == {name: (2, count, 16, 24) for name, count in channels.items()}
    assert all(0 < float(maps[name].min()) <= float(maps[name].max()) < 1 for name in ("center", "kpt_heatmap"))


def test_training_reaches_every_parameter() -> None:
    net = small().train()
    torch.stack([(values - 1).square().mean() for values in net(images(2)).values()]).sum().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"width": -1.0}, r"width must be between 0 and 64\.0, got -1\.0"),
        ({"joints": 0}, "joints must be between 1 and"),
    ],
)
def test_errors_of_the_architecture(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MoveNet(MoveNetArchitecture(**entries))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 64, 40), "images must have a height and a width of multiples of 32, got 64 and 40"),
        ((1, 3, 0, 32), "images must have a height and a width of multiples of 32, got 0 and 32"),
        ((1, 1, 32, 32), r"images must have shape \(B, 3, H, W\), got \(1, 1, 32, 32\)"),
        ((3, 32, 32), r"images must have shape \(B, 3, H, W\), got \(3, 32, 32\)"),
    ],
)
def test_errors_of_images(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small()(torch.zeros(shape))
