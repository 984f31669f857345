"""Captured networks: which shapes are captured and when; on a GPU, what they give."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from ptfast.pipeline import MultiPose, MultiPoseSettings, captured
from ptfast.pipeline.captured import MOST_SHAPES, CapturedNetwork
from ptfast.pipeline.weights import load_movenet_weights


def doubled(images: Tensor) -> dict[str, Tensor]:
    return {"twice": 2 * images}


def test_a_shape_is_captured_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []

    def capture(network: object, images: Tensor) -> object:
        shapes.append(tuple(images.shape))
        return lambda again: doubled(again) | {"replayed": again}

    monkeypatch.setattr(captured, "captured", capture)
    network = CapturedNetwork(doubled)
    for count in (4, 4, 4, 3, 4, 3):  # a video's batches, the last one short, and another video's
        images = torch.rand(count, 1, 2, 2)
        assert torch.equal(network(images)["twice"], 2 * images)
    assert shapes == [(4, 1, 2, 2), (3, 1, 2, 2)]
    assert "replayed" in network(torch.rand(4, 1, 2, 2))
    for side in range(3, 10):
        network(torch.rand(1, 1, side, side))
        network(torch.rand(1, 1, side, side))
    assert len(shapes) == MOST_SHAPES


def test_a_replay_reads_its_own_input_and_gives_its_own_output() -> None:
    inside = torch.zeros(2, 1, 2, 2)
    maps = {"twice": torch.zeros(2, 1, 2, 2)}
    graph = SimpleNamespace(replay=lambda: maps["twice"].copy_(2 * inside))
    capture = captured.Capture(graph, inside, maps)  # type: ignore[arg-type]
    first, second = torch.rand(2, 1, 2, 2), torch.rand(2, 1, 2, 2)
    found = capture(first)
    assert torch.equal(capture(second)["twice"], 2 * second) and torch.equal(found["twice"], 2 * first)


@pytest.mark.cuda
def test_captured_maps_are_the_networks() -> None:
    model = load_movenet_weights("movenet-multipose").model.cuda().eval()
    network = CapturedNetwork(model)
    with torch.inference_mode():
        for seed in range(4):
            images = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8, device="cuda")
            wanted = model(images)
            for name, values in network(images).items():
                torch.testing.assert_close(values, wanted[name], rtol=1e-4, atol=1e-4, msg=f"{name}, batch {seed}")


@pytest.mark.cuda
def test_the_estimator_on_a_gpu_gives_the_same_again_and_again() -> None:
    model = load_movenet_weights("movenet-multipose").model
    estimate = MultiPose(model, settings=MultiPoseSettings(long_side=96, precision="float32"), device="cuda")
    rng = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (64, 96, 3), dtype=torch.uint8, generator=rng).numpy() for _ in range(3)]
    results = [estimate(images) for _ in range(3)]
    for result in results[1:]:
        torch.testing.assert_close(result.keypoints, results[0].keypoints, rtol=1e-3, atol=1e-2)
