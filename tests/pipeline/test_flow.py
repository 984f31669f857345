"""Optical flow of every pixel: of pictures that move as is known, at working sizes, and by networks that are known."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ptfast.models import FlowNet2S, FlowNetArchitecture, Raft, load_raft
from ptfast.models.raft import torchvision_raft
from ptfast.pipeline.flow import FLOW_NAMES, DenseFlow, FlowField, NetworkFlow, OpenCvFlow, carry, load_flow
from ptfast.pipeline.flow.opencv import PRESETS, Algorithm
from ptfast.pipeline.weights import names
from ptfast.synthetic import render

ALGORITHMS: tuple[Any, ...] = (*PRESETS, "farneback")


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8 with detail of a few pixels and more."""
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 256, (height // 6 + 1, width // 6 + 1, 3), np.uint8)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_CUBIC)


def shifted(height: int, width: int, dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    """Two windows of one picture: what is at (x, y) in the first is at (x + dx, y + dy) in the second."""
    whole = texture(height + 40, width + 40)
    return whole[20 : 20 + height, 20 : 20 + width], whole[20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]


def inner(flow: np.ndarray, margin: int = 16) -> np.ndarray:
    return flow[margin:-margin, margin:-margin]


def median_error(flow: np.ndarray, expected: Any) -> float:
    return float(np.median(np.linalg.norm(inner(flow - expected), axis=2)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("size", "shift"), [((120, 160), (5, -3)), ((97, 131), (-4, 6))])
def test_a_picture_that_moves_as_a_whole(algorithm: Algorithm, size: tuple[int, int], shift: tuple[int, int]) -> None:
    first, second = shifted(*size, *shift)
    flow = OpenCvFlow(algorithm, short_side=None)(first, second)
    assert flow.shape == (*size, 2) and flow.dtype == np.float32
    assert median_error(flow, shift) < 0.2
    # The second picture is not the first, and the way back has the other sign.
    assert median_error(OpenCvFlow(algorithm, short_side=None)(second, first), shift) > 8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_known_affine_motion(algorithm: Algorithm) -> None:
    first = texture(180, 240)
    matrix = np.array([[1.02, -0.03, 2.0], [0.025, 0.99, -1.5]])
    second = cv2.warpAffine(first, matrix, (240, 180))
    y, x = np.mgrid[:180, :240].astype(np.float64)
    expected = np.stack([x, y, np.ones_like(x)], 2) @ matrix.T - np.stack([x, y], 2)
    flow = OpenCvFlow(algorithm, short_side=None)(first, second)
    assert np.median(np.linalg.norm(inner(flow - expected, 30), axis=2)) < 0.25


def test_the_flow_of_a_film_is_near_the_renderers() -> None:
    film = render(seed=3, frames=2, people=3, size=(160, 128), pan=4)
    truth = film.frame(0, flow=True)
    assert truth.flow is not None
    flow = OpenCvFlow("dis-medium", short_side=None)(truth.image, film.image(1))
    still = float(np.linalg.norm(truth.flow, axis=2).mean())
    assert float(np.linalg.norm(flow - truth.flow, axis=2).mean()) < 0.5 * still


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_a_working_size_gives_the_flow_in_the_images_own_pixels(name: str) -> None:
    first, second = (cv2.resize(image, (300, 400)) for image in shifted(100, 100, 4, -4))  # x by 3, y by 4
    reduced, own = (load_flow(name, short_side=side)(first, second) for side in (100, None))
    assert reduced.shape == own.shape == (400, 300, 2)
    assert median_error(reduced, (12, -16)) < 1
    assert load_flow(name, short_side=301)(first, second).tobytes() == own.tobytes()  # images are never enlarged


def test_a_field_by_hand() -> None:
    """Twice as wide and three times as high: a column's step in x is 2 pixels, a row's in y 3."""
    values = np.zeros((2, 3, 2), np.float32)
    values[..., 0], values[..., 1] = [[0, 1, 2]], [[0], [10]]
    field = FlowField(values, (6, 6))
    # Pixel x of the image is (x + 0.5) / 2 - 0.5 of the field, held inside it: 0, 0.25, 0.75, 1.25, 1.75, 2.
    np.testing.assert_allclose(field.full()[0, :, 0], 2 * np.array([0, 0.25, 0.75, 1.25, 1.75, 2]), atol=1e-6)
    np.testing.assert_allclose(field.full()[:, 0, 1], 30 * np.array([0, 0, 1 / 3, 2 / 3, 1, 1]), atol=1e-5)
    points = np.array([[0, 0], [2, 2], [2.5, 2.5], [5, 5], [5.5, -0.5], [5.6, 0], [0, -0.6], [np.nan, 1]], np.float32)
    flow, inside = field.at(points)
    np.testing.assert_allclose(flow[:5], [[0, 0], [1.5, 10], [2, 15], [4, 30], [4, 0]], atol=1e-5)
    assert inside.tolist() == [True] * 5 + [False] * 3 and (flow[5:] == 0).all()
    on_tensors, within = field.at(torch.from_numpy(points))
    torch.testing.assert_close(on_tensors, torch.from_numpy(flow))
    assert within.tolist() == inside.tolist()
    enlarged = FlowField(torch.from_numpy(values), (6, 6))
    np.testing.assert_allclose(enlarged.full(), field.full(), atol=1e-5)
    np.testing.assert_allclose(enlarged.at(points)[0], flow, atol=1e-6)


def test_looking_up_is_enlarging() -> None:
    rng = np.random.default_rng(1)
    field = FlowField(rng.normal(size=(23, 31, 2)).astype(np.float32), (71, 157))
    y, x = np.mgrid[:71, :157]
    flow, inside = field.at(np.stack([x, y], 2).astype(np.float32))
    assert inside.all()
    np.testing.assert_allclose(flow, field.full(), atol=2e-3)  # OpenCV's weights have some bits less


def image(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("first", "second", "kind", "message"),
    [
        (image(1, 1, 3), image(1, 1, 3), ValueError, "first must have sides of at least 12 pixels, got 1 and 1"),
        (image(40, 11, 3), image(40, 11, 3), ValueError, "first must have sides of at least 12 pixels, got 40 and 11"),
        (image(0, 40, 3), image(0, 40, 3), ValueError, "first must have sides of at least 12 pixels, got 0 and 40"),
        (image(40, 40, 3), image(40, 41, 3), ValueError, r"second must have the size of first, \(H, W\) = \(40, 40\)"),
        (image(40, 40), image(40, 40), ValueError, r"first must have shape \(H, W, 3\), got \(40, 40\)"),
        (image(40, 40, 3), image(40, 40, 4), ValueError, r"second must have shape \(H, W, 3\), got \(40, 40, 4\)"),
        (image(40, 40, 3, dtype=np.float32), image(40, 40, 3), TypeError, "first must have dtype uint8, got float32"),
        (image(40, 40, 3), "file", TypeError, "second must be a NumPy array or torch tensor, got str"),
    ],
)
def test_errors_of_images(first: Any, second: Any, kind: type[Exception], message: str) -> None:
    for flow in (OpenCvFlow("dis-fast"), OpenCvFlow("farneback"), NetworkFlow(Constant())):  # type: ignore[arg-type]
        with pytest.raises(kind, match=message):
            flow(first, second)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_smallest_images(algorithm: Algorithm) -> None:
    for size in ((12, 12), (12, 13), (13, 200), (201, 12), (31, 640), (32, 3000)):
        for short_side in (32, None):
            flow = OpenCvFlow(algorithm, short_side)(image(*size, 3), image(*size, 3))
            assert flow.shape == (*size, 2) and np.abs(flow).max() < 1e-3


def test_errors_of_settings() -> None:
    with pytest.raises(
        ValueError, match="algorithm must be one of dis-ultrafast, dis-fast, dis-medium, farneback, got"
    ):
        OpenCvFlow("brox")  # type: ignore[arg-type]
    for side, kind in ((31, ValueError), (64.0, TypeError)):
        with pytest.raises(kind, match="short_side must be"):
            OpenCvFlow(short_side=side)  # type: ignore[arg-type]
        with pytest.raises(kind, match="short_side must be"):
            NetworkFlow(Constant(), short_side=side)  # type: ignore[arg-type]
    assert OpenCvFlow("farneback", 64).depends_on() == {"algorithm": "farneback", "short_side": 64}


class Constant(nn.Module):
    """A network whose flow is the same everywhere, and which keeps what it is shown."""

    multiple, least = 64, 128

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        self.shown = (first, second)
        return torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, *first.shape[2:])


def test_a_network_sees_a_padded_picture_and_gives_pixels_of_its_own() -> None:
    model = Constant()
    flow = NetworkFlow(model, short_side=100)  # type: ignore[arg-type]
    first, second = texture(200, 301), texture(200, 301, seed=1)
    found = flow(first, second)
    assert found.shape == (200, 301, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found[7, 9], [2 * 301 / 150, -1 * 200 / 100], rtol=1e-5)
    shown = model.shown[1]
    assert shown.shape == (1, 3, 128, 192) and shown.dtype == torch.float32
    small = cv2.resize(second, (150, 100), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(shown[0, :, :100, :150], small.transpose(2, 0, 1))
    np.testing.assert_array_equal(shown[0, :, 110, :150], small[-1].T)  # the last row again
    np.testing.assert_array_equal(shown[0, :, :100, 180], small[:, -1].T)


def test_tensors_give_a_tensor() -> None:
    flow = NetworkFlow(Constant(), short_side=None)  # type: ignore[arg-type]
    first, second = texture(90, 130), texture(90, 130, seed=1)
    found = flow(torch.from_numpy(first), torch.from_numpy(second))
    assert isinstance(found, Tensor) and found.dtype == torch.float32
    np.testing.assert_array_equal(found, flow(first, second))
    reduced = NetworkFlow(Constant(), short_side=45).prepare(torch.from_numpy(first)).seen  # type: ignore[arg-type]
    area = cv2.resize(first, (65, 45), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    assert reduced.dtype == torch.uint8 and np.abs(reduced.numpy().astype(int) - area).mean() < 8


def test_a_network_carries_joints() -> None:
    """By (4, -2) pixels of an image that is seen at half its size, on arrays and on tensors."""
    flow = DenseFlow(NetworkFlow(Constant(), short_side=50))  # type: ignore[arg-type]
    points = np.array([[[10, 50], [70, 1], [np.nan, 3]]], np.float32)
    sure = [[True, False, False]]  # the second one leaves the image, and the first one's flow moves it
    pair = [flow.prepare(texture(100, 160)) for _ in range(2)]
    moved, ok = carry(points, *pair, flow)
    assert ok.tolist() == sure
    np.testing.assert_allclose(moved[0, :2], [[14, 48], [74, -1]], atol=1e-4)
    on_tensors, found = carry(torch.from_numpy(points), *pair, flow)
    assert isinstance(on_tensors, Tensor) and found.tolist() == sure
    np.testing.assert_allclose(on_tensors, moved, atol=1e-5)


def test_flownet_as_a_flow(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = FlowNet2S(FlowNetArchitecture(width=0.0625))
    torch.save({"state_dict": model.state_dict()}, tmp_path / "narrow.pth.tar")
    flow = load_flow(tmp_path / "narrow.pth.tar", short_side=None)
    assert isinstance(flow, NetworkFlow) and flow.depends_on() == {"network": "FlowNet2S", "short_side": None}
    first, second = texture(64, 128), texture(64, 128, seed=1)
    as_tensors = [torch.from_numpy(each).permute(2, 0, 1)[None].float() for each in (first, second)]
    with torch.inference_mode():
        expected = model.eval()(*as_tensors)[0].permute(1, 2, 0)
    np.testing.assert_allclose(flow(first, second), expected, atol=1e-4)
    assert np.abs(flow(second, first) - expected.numpy()).max() > 1e-3


class Iterations(nn.Module):
    """Gives as torchvision's RAFT does: the flow after each iteration."""

    def forward(self, first: Tensor, second: Tensor) -> list[Tensor]:
        return [torch.zeros_like(first[:, :2]), (second - first)[:, :2]]


def test_raft_sees_images_from_minus_one_to_one_and_its_last_flow_counts() -> None:
    first, second = torch.zeros(1, 3, 128, 128), torch.full((1, 3, 128, 128), 255.0)
    assert (Raft(Iterations())(first, second) == 2).all()
    assert Raft(Iterations())(first, second).shape == (1, 2, 128, 128)


def test_raft_by_torchvision() -> None:
    models = pytest.importorskip("torchvision.models.optical_flow", exc_type=(ImportError, RuntimeError))
    for make in (models.raft_small, models.raft_large):
        torch.manual_seed(0)
        network = make(weights=None).eval()
        flow = NetworkFlow(load_raft(network.state_dict()), short_side=None)
        first, second = shifted(130, 141, 3, 2)
        found = flow(first, second)
        assert found.shape == (130, 141, 2) and np.isfinite(found).all()
        padded = [np.pad(each, ((0, 6), (0, 3), (0, 0)), "edge") for each in (first, second)]
        inputs = [torch.from_numpy(each).permute(2, 0, 1)[None] / 127.5 - 1 for each in padded]
        with torch.inference_mode():
            expected = network(*inputs)[-1][0, :, :130, :141].permute(1, 2, 0)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_raft_without_torchvision_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", None)
    with pytest.raises(ImportError, match="RAFT needs torchvision: pip install torchvision; it cannot be imported"):
        load_raft({"feature_encoder.convnormrelu.0.weight": torch.zeros(32, 3, 7, 7)})
    with pytest.raises(ValueError, match="RAFT's first convolution must have 64 or 32 channels, got 48"):
        torchvision_raft(48)


def test_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_flow() == load_flow("dis-fast") == OpenCvFlow("dis-fast", 256)
    with pytest.raises(FileNotFoundError, match=r"brox: expected a file of weights, or one of: dis, .*, raft-large"):
        load_flow("brox")
    fetched: list[str] = []
    monkeypatch.setattr(names, "fetch", lambda published: fetched.append(published.name) or tmp_path / "none")
    for name in FLOW_NAMES:
        if not name.startswith(("dis", "farneback")):
            with pytest.raises(FileNotFoundError, match=f"{name}: expected a file of weights of a FlowNet2-S or"):
                load_flow(name)
    assert fetched == ["flownet2s", "raft-small", "raft-large"]


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    for state, found in (
        ({"conv_redir.0.weight": 0, "predict_flow2.weight": 0}, "a FlowNet2-C"),
        ({"conv1.1.weight": 0, "predict_flow2.weight": 0}, "a FlowNet2-S with batch norms"),
        ({"layer1.0.conv1.weight": 0, "fc.weight": 0}, "a ResNet that names images"),
    ):
        torch.save({name: torch.zeros(1) for name in state}, path)
        with pytest.raises(ValueError, match=f"expected a FlowNet2-S or torchvision's RAFT, found {found}"):
            load_flow(path)


def test_flownet_out_of_safetensors_needs_no_card(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, path = FlowNet2S(FlowNetArchitecture(width=0.03125)).eval(), tmp_path / "weights.safetensors"
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, path)
    pair = texture(64, 64), texture(64, 64, seed=1)
    assert load_flow(path)(*pair).tobytes() == NetworkFlow(model)(*pair).tobytes()
    other = {"layer1.0.conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)}
    short = {name: value for name, value in state.items() if name != "deconv2.0.bias"}
    wrong = {**state, "deconv2.0.bias": torch.zeros(7)}
    for tensors, message in (
        (other, "expected a FlowNet2-S or torchvision's RAFT, found a ResNet that names images"),
        (short, r"must have deconv2\.0\.bias, which is missing"),
        (wrong, r"deconv2\.0\.bias must fit deconv2\.0\.bias of shape \(2,\), got \(7,\)"),
    ):
        save_file(tensors, path)
        with pytest.raises(ValueError, match=rf"weights\.safetensors: .*{message}"):
            load_flow(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"weights\.safetensors: expected safetensors, found"):
        load_flow(path)


def test_opencvs_flow_keeps_nothing_between_calls() -> None:
    first, second = shifted(90, 120, 3, 1)
    flow = OpenCvFlow("dis-fast", short_side=None)
    expected = flow(first, second)
    flow(second, texture(90, 120, seed=5))
    np.testing.assert_array_equal(flow(first, second), expected)
    prepared = SimpleNamespace(first=flow.prepare(first), second=flow.prepare(second))
    np.testing.assert_array_equal(flow.between(prepared.first, prepared.second).full(), expected)
