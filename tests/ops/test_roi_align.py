from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import tube_roi_align
from ptfast.reference import roi_align as reference

SCALE = 0.25
OPTIONS = {"output_size": (3, 4), "spatial_scale": SCALE}
# Every way to lie: inside, over the border, outside, empty, inverted, smaller than a pixel, far larger than the map,
# and with samples exactly a pixel outside.
BOXES = [
    [8, 12, 40, 52], [-30, -9, 20, 31], [50, 60, 90, 120], [300, 300, 400, 400], [-400, -300, -350, -290],
    [20, 20, 20, 20], [40, 44, 8, 12], [10.1, 10.2, 10.9, 12], [-900, -800, 1200, 999], [-4, -4, 84, 68],
    [0, 0, 76, 60], [-5000, 10, 9000, 20],
]  # fmt: skip


def maps(*shape: int, dtype: Any = np.float32, channels_last: bool = False, seed: int = 0) -> np.ndarray:
    """Features (B, C, T, H, W), laid out in memory either way."""
    features = np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)
    return (
        features
        if not channels_last
        else np.ascontiguousarray(features.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)
    )


def boxes(count: int, frames: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    """Tubes (M, T, 4) made of the boxes above, another one in every frame."""
    order = np.random.default_rng([seed, count]).integers(0, len(BOXES), (count, frames))
    return np.asarray(BOXES, dtype)[order]


def indices(count: int, batch: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, batch, count)


def check(result: Any, features: np.ndarray, tubes: np.ndarray, index: np.ndarray, rtol: float, **options: Any) -> None:
    """The sums have at most a few dozen terms of size 1, so that their rounding is a few units of `rtol`."""
    options = {"sampling_ratio": 2, **OPTIONS, **options}
    expected = reference.tube_roi_align(features, tubes, index, **options)
    assert result.shape == expected.shape
    np.testing.assert_allclose(np.asarray(result, np.float64), expected, rtol=rtol, atol=4 * rtol)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_equals_reference(channels_last: bool, sampling_ratio: int, aligned: bool) -> None:
    features = maps(2, 5, 3, 15, 19, channels_last=channels_last)
    tubes, index = boxes(13, 3), indices(13, 2)
    options = {**OPTIONS, "sampling_ratio": sampling_ratio, "aligned": aligned}
    result = tube_roi_align(features, tubes, index, **options)
    assert result.dtype == np.float32
    check(result, features, tubes, index, 1e-6, **options)


@pytest.mark.parametrize("channels", [1, 16, 63, 64, 67, 256, 300])
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_any_number_of_channels(channels_last: bool, memory_format: str, channels: int) -> None:
    features = maps(1, channels, 2, 9, 11, channels_last=channels_last)
    tubes, index = boxes(4, 2) / 2, np.zeros(4, np.int64)
    result = tube_roi_align(features, tubes, index, **OPTIONS, memory_format=memory_format)
    in_memory = result if memory_format == "contiguous" else result.transpose(0, 2, 3, 4, 1)
    assert in_memory.flags.c_contiguous
    check(result, features, tubes, index, 1e-6)


@pytest.mark.parametrize("sampling_ratio", [20, 300])
def test_more_samples_than_pixels(sampling_ratio: int) -> None:
    features, tubes, index = maps(1, 3, 1, 5, 4), boxes(6, 1), np.zeros(6, np.int64)
    options = {**OPTIONS, "sampling_ratio": sampling_ratio, "aligned": True}
    check(tube_roi_align(features, tubes, index, **options), features, tubes, index, 1e-5, **options)


@pytest.mark.parametrize("size", [1, 7, (14, 2), (1, 33)])
def test_any_number_of_bins(size: Any) -> None:
    features, tubes, index = maps(1, 17, 1, 20, 20), boxes(6, 1), np.zeros(6, np.int64)
    rows_columns = size if isinstance(size, tuple) else (size, size)
    result = tube_roi_align(features, tubes, index, output_size=size, spatial_scale=SCALE)
    check(result, features, tubes, index, 1e-6, output_size=rows_columns)


# Half-precision sums are in float32 and rounded once, by half a unit in 11 or 8 bits.
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-14), ("float16", 2**-11), ("bfloat16", 2**-8)])
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_dtypes(channels_last: bool, memory_format: str, dtype: str, rtol: float) -> None:
    real = np.float64 if dtype == "float64" else np.float32
    features = torch.as_tensor(maps(2, 20, 2, 15, 19, dtype=real, channels_last=channels_last)).to(
        getattr(torch, dtype)
    )
    tubes, index = boxes(13, 2, real), indices(13, 2)
    result = tube_roi_align(
        features, torch.as_tensor(tubes), torch.as_tensor(index), **OPTIONS, memory_format=memory_format
    )
    assert result.dtype == features.dtype
    wide = result.to(torch.float64).numpy()
    check(wide, features.to(torch.float64).numpy(), tubes, index, rtol)
    if dtype != "bfloat16":
        arrays = tube_roi_align(features.numpy(), tubes, index, **OPTIONS, memory_format=memory_format)
        np.testing.assert_array_equal(arrays, result.numpy())


@pytest.mark.parametrize("shape", [(0, 2, 1), (3, 0, 1), (3, 2, 0)])
def test_empty_inputs_give_empty_outputs(shape: tuple[int, int, int]) -> None:
    m, c, t = shape
    result = tube_roi_align(maps(1, c, t, 5, 5), np.zeros((m, t, 4)), np.zeros(m, np.int64), **OPTIONS)
    assert result.shape == (m, c, t, 3, 4)


def test_a_map_without_pixels_gives_zeros() -> None:
    result = tube_roi_align(maps(1, 2, 1, 0, 5), boxes(3, 1), np.zeros(3, np.int64), **OPTIONS)
    assert result.shape == (3, 2, 1, 3, 4) and not result.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_a_box_that_is_not_finite_gives_zeros(sampling_ratio: int, bad: float) -> None:
    for corner in range(4):
        tubes = np.array([[[8, 8, 40, 40]], [[8, 8, 40, 40]]], np.float32)
        tubes[1, 0, corner] = bad
        result = tube_roi_align(
            maps(1, 3, 1, 15, 15), tubes, np.zeros(2, np.int64), **OPTIONS, sampling_ratio=sampling_ratio
        )
        assert result[0].any() and not result[1].any()


def test_a_box_without_end_takes_no_time() -> None:
    tubes = np.array([[[-3e38, -1e30, 3e37, 1e30]], [[0, 0, 1e9, 1e12]]], np.float32)
    result = tube_roi_align(maps(1, 3, 1, 15, 15), tubes, np.zeros(2, np.int64), **OPTIONS, sampling_ratio=0)
    assert np.isfinite(result).all() and np.abs(result).max() < 1


def test_takes_features_of_any_strides() -> None:
    features = maps(2, 6, 4, 30, 20, seed=1)[:, ::2, ::-1, 4:, ::2].transpose(0, 1, 2, 4, 3)
    tubes, index = boxes(7, 4), indices(7, 2)
    check(tube_roi_align(features, tubes, index, **OPTIONS), features, tubes, index, 1e-6)


def test_threads_and_neighbours_do_not_change_a_bit() -> None:
    features, tubes, index = maps(2, 64, 3, 40, 40, channels_last=True), boxes(150, 3), indices(150, 2)
    results = []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(tube_roi_align(features, tubes, index, output_size=14, spatial_scale=SCALE))
    ptfast.set_num_threads(0)
    results.append(tube_roi_align(np.ascontiguousarray(features), tubes, index, output_size=14, spatial_scale=SCALE))
    alone = tube_roi_align(features, tubes[7:8], index[7:8], output_size=14, spatial_scale=SCALE)
    assert all(np.array_equal(results[0], other) for other in results[1:])
    np.testing.assert_array_equal(results[0][7], alone[0])


def test_large_results_go_past_the_caches_unchanged() -> None:
    features, index = maps(1, 256, 1, 40, 40, channels_last=True), np.zeros(400, np.int64)
    tubes = np.random.default_rng(0).uniform(0, 150, (400, 1, 4)).astype(np.float32)
    options = {"output_size": 14, "spatial_scale": SCALE, "aligned": True}
    streamed = tube_roi_align(features, tubes, index, **options)  # 80 MB
    parts = [tube_roi_align(features, tubes[i : i + 100], index[:100], **options) for i in range(0, 400, 100)]
    np.testing.assert_array_equal(streamed, np.concatenate(parts))


def test_a_map_of_more_than_2_to_the_31_elements() -> None:
    frames = 33
    try:  # untouched pages of zeros take no memory
        features = np.zeros((1, frames, 1024, 1024, 64), np.float32).transpose(0, 4, 1, 2, 3)
    except MemoryError:
        pytest.skip("needs 9 GB of address space")
    last = np.random.default_rng(0).standard_normal((64, 8, 8)).astype(np.float32)
    features[0, :, -1, -8:, -8:] = last
    tubes = np.tile(np.float32([1017, 1016, 1023, 1022]), (1, frames, 1))
    result = tube_roi_align(features, tubes, np.zeros(1, np.int64), output_size=3, spatial_scale=1)
    assert not result[:, :, :-1].any()
    small = tube_roi_align(
        last[None, :, None], tubes[:, :1] - 1016, np.zeros(1, np.int64), output_size=3, spatial_scale=1
    )
    np.testing.assert_array_equal(result[:, :, -1:], small)  # the samples lie at halves


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"features": maps(2, 3, 4, 5)}, ValueError, r"features must have shape \(B, C, T, H, W\), got \(2, 3, 4, 5\)"),
        ({"features": maps(2, 3, 2, 9, 9).astype(int)}, TypeError, "features must have dtype float32 or .*, got int64"),
        ({"tubes": boxes(5, 3)}, ValueError, r"tubes must have shape \(M, 2, 4\), got \(5, 3, 4\)"),
        ({"batch_index": np.zeros(4, int)}, ValueError, r"batch_index must have shape \(5,\), got \(4,\)"),
        (
            {"batch_index": np.array([0, 1, 2, 0, 0])},
            ValueError,
            r"batch_index must be at least 0 and below 2, .*, got 2 at \(2,\)",
        ),
        ({"batch_index": np.zeros(5)}, TypeError, "batch_index must have an integer dtype, got float64"),
        ({"output_size": 0}, ValueError, "output_size must be between 1 and .*, got 0"),
        ({"tubes": [[0, 0, 1, 1]]}, TypeError, "tubes must be a NumPy array or torch tensor, got list"),
        ({"spatial_scale": "1"}, TypeError, "spatial_scale must be a number, got '1'"),
        ({"sampling_ratio": -1}, ValueError, "sampling_ratio must be between 0 and .*, got -1"),
        ({"spatial_scale": -1.0}, ValueError, "spatial_scale must be at least 0, got -1.0"),
        ({"memory_format": "nchw"}, ValueError, "memory_format must be 'channels_last' or 'contiguous', got 'nchw'"),
    ],
)
@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_bad_arguments_are_named(convert: Any, change: dict, error: type, message: str) -> None:
    arguments = {
        "features": maps(2, 3, 2, 9, 9),
        "tubes": boxes(5, 2),
        "batch_index": np.zeros(5, int),
        **OPTIONS,
    } | change
    arrays = {name: convert(x) if isinstance(x, np.ndarray) else x for name, x in arguments.items()}
    with pytest.raises(error, match=message):
        tube_roi_align(**arrays)


def tensors(channels_last: bool, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    features = torch.as_tensor(maps(2, 3, 2, 7, 6, dtype=np.float64, channels_last=channels_last)).to(dtype)
    return features.requires_grad_(), torch.as_tensor(boxes(6, 2, np.float64)) / 3, torch.as_tensor(indices(6, 2))


@pytest.mark.parametrize("sampling_ratio", [0, 2])
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_are_those_of_finite_differences(
    channels_last: bool, memory_format: str, sampling_ratio: int
) -> None:
    features, tubes, index = tensors(channels_last)
    options = {**OPTIONS, "memory_format": memory_format, "sampling_ratio": sampling_ratio}
    assert torch.autograd.gradcheck(lambda x: tube_roi_align(x, tubes, index, **options), features)
    grad = torch.autograd.grad(tube_roi_align(features, tubes, index, **options).sum(), features)[0]
    assert grad.stride() == features.stride()


def test_gradients_come_in_any_layout() -> None:
    features, tubes, index = tensors(True)
    result = tube_roi_align(features, tubes, index, **OPTIONS)
    weights = torch.rand(*reversed(result.shape), dtype=torch.float64).permute(4, 3, 2, 1, 0)
    strided, plain = (
        torch.autograd.grad(result, features, w, retain_graph=True)[0] for w in (weights, weights.contiguous())
    )
    torch.testing.assert_close(strided, plain, rtol=0, atol=0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_are_the_same_for_any_number_of_threads(channels_last: bool) -> None:
    features = torch.as_tensor(maps(1, 70, 2, 20, 20, channels_last=channels_last)).requires_grad_()
    tubes, index = torch.as_tensor(boxes(50, 2)), torch.zeros(50, dtype=torch.int64)
    grads = []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        result = tube_roi_align(features, tubes, index, **OPTIONS)
        grads.append(torch.autograd.grad(result, features, torch.ones_like(result))[0])
    ptfast.set_num_threads(0)
    torch.testing.assert_close(*grads, rtol=0, atol=0)


# The gradient of a pixel sums many tubes' shares in float32 and is rounded once.
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float16, 2**-10), (torch.bfloat16, 2**-7)])
def test_gradients_of_half_precision(dtype: torch.dtype, rtol: float) -> None:
    grads = []
    for real in (dtype, torch.float64):
        features, tubes, index = tensors(True, dtype)
        features = features.detach().to(real).requires_grad_()
        result = tube_roi_align(features, tubes.float(), index, **OPTIONS)
        grads.append(torch.autograd.grad(result, features, torch.ones_like(result))[0])
    assert grads[0].dtype == dtype
    torch.testing.assert_close(grads[0].double(), grads[1], rtol=rtol, atol=1e-4)


def test_without_tubes_the_gradient_is_zero() -> None:
    features, tubes, index = tensors(True)
    grad = torch.autograd.grad(tube_roi_align(features, tubes[:0], index[:0], **OPTIONS).sum(), features)[0]
    assert grad.shape == features.shape and not grad.any()


@pytest.mark.parametrize("channels_last", [False, True])
def test_torch_operations_pass_opcheck(channels_last: bool) -> None:
    features, tubes, index = (x.detach() for x in tensors(channels_last))
    forward = ([features], tubes, index, None, [SCALE], 3, 4, 2, False, channels_last)
    torch.library.opcheck(torch.ops.ptfast.tube_roi_align.default, forward)
    grad = torch.ops.ptfast.tube_roi_align(*forward)
    backward = (grad, tubes, index, None, [SCALE], 2, [7], [6], 2, False, [channels_last])
    torch.library.opcheck(torch.ops.ptfast.tube_roi_align_backward.default, backward)


@pytest.mark.parametrize("channels_last", [False, True])
def test_compiles_into_one_graph_with_its_gradient(channels_last: bool) -> None:
    compiled = torch.compile(
        lambda x, tubes, index: tube_roi_align(x, tubes, index, **OPTIONS).square().sum(),
        fullgraph=True, dynamic=True, backend="aot_eager",
    )  # fmt: skip
    features, tubes, index = tensors(channels_last)
    for count in (6, 4):
        grads = [
            torch.autograd.grad(f(features, tubes[:count], index[:count]), features)[0]
            for f in (compiled, lambda *x: tube_roi_align(*x, **OPTIONS).square().sum())
        ]
        torch.testing.assert_close(*grads, rtol=0, atol=0)


def test_runs_under_autocast() -> None:
    features, tubes, index = tensors(True, torch.float32)
    kernel = torch.ones(3, 3, 1, 1, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = tube_roi_align(torch.nn.functional.conv3d(features, kernel), tubes, index, **OPTIONS)
        assert result.dtype == torch.bfloat16
    assert torch.isfinite(torch.autograd.grad(result.float().sum(), features)[0]).all()


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 5])
def test_equals_torchvision_frame_by_frame(sampling_ratio: int, aligned: bool) -> None:
    ops = pytest.importorskip("torchvision.ops", exc_type=(ImportError, RuntimeError, OSError))
    features, tubes, index = maps(2, 9, 3, 15, 19), boxes(40, 3), indices(40, 2)
    options = {**OPTIONS, "sampling_ratio": sampling_ratio, "aligned": aligned}
    result = tube_roi_align(features, tubes, index, **options)
    for t in range(3):
        rois = torch.as_tensor(np.concatenate([index[:, None].astype(np.float32), tubes[:, t]], 1))
        expected = ops.roi_align(torch.as_tensor(np.ascontiguousarray(features[:, :, t])), rois, **options)
        np.testing.assert_allclose(result[:, :, t], expected.numpy(), rtol=1e-6, atol=4e-6)
