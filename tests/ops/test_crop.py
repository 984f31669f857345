from __future__ import annotations

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import box_to_crop, crop_tubes
from ptfast.reference import crop as reference

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COLOURS = {"mean": MEAN, "std": STD}
# An output is a sum of five products of at most 255 / 255 / std = 4.5, each rounded.
TOLERANCE = {np.uint8: 3e-6, np.float32: 3e-6, np.float64: 1e-13}


def video(frames: int, height: int, width: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng([seed, frames, height, width]).integers(0, 256, (frames, height, width, 3))
    return (values if dtype == np.uint8 else values - 0.37).astype(dtype)


def boxes(m: int, t: int, height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    """Boxes (m, t, 4) inside the frame, over its edges and, a few, outside it; from small to larger than the frame."""
    rng = np.random.default_rng([m, t, height, width])
    centre = rng.uniform(-0.2, 1.2, (m, t, 2)) * (width, height)
    half = 10 ** rng.uniform(-1, 0.2, (m, t, 2)) * (width, height) / 2
    return np.concatenate([centre - half, centre + half], -1).astype(dtype)


def indices(m: int, t: int, frames: int) -> np.ndarray:
    return np.random.default_rng([m, t]).integers(0, frames, (m, t))


def real(dtype: type) -> type:
    return np.float64 if dtype == np.float64 else np.float32


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    ("m", "t", "frame", "size"),
    [
        (0, 3, (2, 5, 7), (4, 3)),
        (3, 0, (2, 5, 7), (4, 3)),
        (11, 1, (1, 1, 1), (5, 3)),
        (11, 1, (3, 2, 1), (5, 3)),
        (11, 1, (2, 1, 2), (1, 1)),
        (23, 3, (4, 37, 53), (67, 41)),
        (5, 2, (2, 61, 31), (1, 33)),
    ],
)
def test_equals_reference(m: int, t: int, frame: tuple, size: tuple, dtype: type, unbiased: bool) -> None:
    frames, tubes = video(*frame, dtype=dtype), boxes(m, t, *frame[1:], dtype=real(dtype))
    options = {"size": size, "unbiased": unbiased, **COLOURS}
    result = crop_tubes(frames, tubes, indices(m, t, frame[0]), **options)
    assert result.shape == (m, 3, t, *size) and result.dtype == real(dtype) and result.flags.c_contiguous
    expected = reference.crop_tubes(frames, tubes, indices(m, t, frame[0]), **options)
    np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE[dtype])


def test_a_box_of_the_crops_size_is_copied() -> None:
    frames = video(2, 30, 40)
    tubes = np.array([[[5, 7, 25, 19]], [[-4, -3, 16, 9]]], np.float32)
    result = crop_tubes(frames, tubes, np.array([[0], [1]]), size=(12, 20), mean=(0, 0, 0), std=(1 / 255,) * 3)
    np.testing.assert_allclose(result[0, :, 0], frames[0, 7:19, 5:25].transpose(2, 0, 1), rtol=1e-6)
    np.testing.assert_allclose(result[1, :, 0, 3:, 4:], frames[1, :9, :16].transpose(2, 0, 1), rtol=1e-6)
    assert (result[1, :, 0, :3] == 0).all() and (result[1, :, 0, :, :4] == 0).all()


def test_unbiased_brings_corner_pixels_to_the_boxs_corners() -> None:
    frames = video(1, 30, 40)
    tubes = np.array([[[3, 4, 23, 19]]], np.float32)
    crop = crop_tubes(
        frames, tubes, np.zeros((1, 1), np.int64), size=(6, 9), unbiased=True, mean=(0,) * 3, std=(1,) * 3
    )
    corners = crop[0, :, 0][:, [0, 0, -1, -1], [0, -1, 0, -1]] * 255
    np.testing.assert_allclose(corners.T, frames[0, [4, 4, 19, 19], [3, 23, 3, 23]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    "box",
    [(5, 5, 5, 9), (5, 9, 9, 5), (np.nan, 1, 5, 5), (1, 1, 5, np.nan), (-np.inf, 1, 5, 5), (1, 1, np.inf, np.inf),
     (1e30, 0, 2e30, 10), (100, 100, 120, 120), (-9, 2, -1, 8)],
)  # fmt: skip
def test_a_box_that_shows_nothing_is_black(box: tuple, dtype: type) -> None:
    frames = video(1, 10, 12, dtype) + dtype(1) // 2
    tubes = np.array([[(1, 1, 5, 5), box, (2, 2, 7, 7)]], real(dtype))
    result = crop_tubes(frames, tubes, np.zeros((1, 3), np.int64), size=(4, 3), **COLOURS)
    black = (-np.array(MEAN) / STD).astype(real(dtype))
    np.testing.assert_array_equal(result[0, :, 1], np.broadcast_to(black[:, None, None], (3, 4, 3)))
    others = crop_tubes(frames, tubes[:, ::2], np.zeros((1, 2), np.int64), size=(4, 3), **COLOURS)
    np.testing.assert_array_equal(result[:, :, ::2], others)


def test_agrees_with_opencv_to_a_grey_level() -> None:
    cv2 = pytest.importorskip("cv2")
    if int(cv2.__version__.split(".")[0]) < 5:
        pytest.skip("cv2.warpAffine rounds positions to 1/32 pixel before OpenCV 5")
    x, y = np.meshgrid(np.arange(160), np.arange(120))
    frame = (127 + 100 * np.stack([np.sin(x / 9 + c) * np.cos(y / 7) for c in range(3)], -1)).astype(np.uint8)
    tubes = boxes(20, 1, 120, 160)
    result = crop_tubes(frame[None], tubes, np.zeros((20, 1), np.int64), size=(64, 48), **COLOURS)
    for crop, (x1, y1, x2, y2) in zip(result[:, :, 0], tubes[:, 0].astype(float), strict=True):
        scale = 48 / (x2 - x1), 64 / (y2 - y1)
        affine = np.array([[scale[0], 0, -x1 * scale[0]], [0, scale[1], -y1 * scale[1]]])
        warped = cv2.warpAffine(frame, affine, (48, 64), flags=cv2.INTER_LINEAR)
        grey = (crop.transpose(1, 2, 0) * STD + MEAN) * 255
        assert np.abs(grey - warped).max() < 1


def test_reads_strided_input() -> None:
    frames, tubes, index = (
        video(4, 20, 30)[:, ::2, ::-1, ::-1],
        boxes(6, 4, 10, 30)[::2, ::2],
        indices(6, 4, 4)[::2, ::2],
    )
    result = crop_tubes(frames, tubes, index.astype(np.int32), size=(8, 6), **COLOURS)
    expected = reference.crop_tubes(frames, tubes, index, size=(8, 6), **COLOURS)
    np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE[np.uint8])


def test_threads_do_not_change_a_bit() -> None:
    frames, tubes, results = video(3, 90, 120), boxes(40, 2, 90, 120), []
    image = torch.as_tensor(frames, dtype=torch.float32).requires_grad_()
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append([crop_tubes(frames, tubes, indices(40, 2, 3), size=(96, 72), **COLOURS)])
        crops = crop_tubes(image, *map(torch.as_tensor, (tubes, indices(40, 2, 3))), size=(96, 72), **COLOURS)
        results[-1] += torch.autograd.grad(crops.square().sum(), image)
    ptfast.set_num_threads(0)
    for one, several in zip(*results, strict=True):
        np.testing.assert_array_equal(one, several)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"frames": video(1, 4, 5)[0]}, ValueError, r"frames must have shape \(F, H, W, 3\), got \(4, 5, 3\)"),
        ({"tubes": np.zeros((2, 4))}, ValueError, r"tubes must have shape \(M, T, 4\), got \(2, 4\)"),
        ({"frame_index": np.zeros(2, int)}, ValueError, r"frame_index must have shape \(2, 3\), got \(2,\)"),
        ({"frame_index": np.array([[0, 1, 1], [0, 2, 0]])}, ValueError,
         r"frame_index must be at least 0 and below 2, the number of frames, got 2 at \(1, 1\)"),
        ({"frame_index": np.array([[0, 1, 1], [0, 0, -1]])}, ValueError, r"got -1 at \(1, 2\)"),
        ({"frame_index": np.zeros((2, 3))}, TypeError, "frame_index must have dtype int64 or int32, got float64"),
        ({"frames": np.zeros((2, 4, 5, 3), np.int16)}, TypeError,
         "frames must have dtype uint8 or float32 or float64, got int16"),
        ({"size": (0, 4)}, ValueError, r"size\[0\] must be between 1 and 32767, got 0"),
        ({"size": (4, 2.5)}, TypeError, r"size\[1\] must be an integer, got 2\.5"),
        ({"mean": (0.5,)}, ValueError, r"mean must have 3 numbers, one a channel, got \(0.5,\)"),
        ({"std": (1, float("nan"), 1)}, ValueError, r"std must be positive and finite, got \(1\.0, nan, 1\.0\)"),
        ({"std": (1, 0, 1)}, ValueError, r"std must be positive and finite, got \(1\.0, 0\.0, 1\.0\)"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(change: dict, error: type, message: str, convert) -> None:
    arrays = {"frames": video(2, 4, 5), "tubes": boxes(2, 3, 4, 5), "frame_index": np.zeros((2, 3), np.int64)}
    arguments = arrays | {"size": (4, 3), **COLOURS} | change
    arguments |= {name: convert(arguments[name]) for name in arrays}
    with pytest.raises(error, match=message):
        crop_tubes(**arguments)


def tensors(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Frames, tubes (the last box black) and indices; frame 1 is in no crop."""
    tubes = torch.as_tensor(boxes(2, 2, 3, 4, np.float64))
    tubes[1, 1, 2] = tubes[1, 1, 0]
    return torch.as_tensor(video(3, 3, 4, np.float64), dtype=dtype), tubes, torch.tensor([[0, 2], [0, 2]])


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("size", [(2, 3), (7, 5), (1, 1)])
def test_gradients_are_those_of_finite_differences(size: tuple, unbiased: bool) -> None:
    frames, *rest = tensors()
    options = {"size": size, "unbiased": unbiased, **COLOURS}
    assert torch.autograd.gradcheck(lambda x: crop_tubes(x, *rest, **options), frames.requires_grad_())


def test_the_gradient_of_a_large_video_is_the_transpose() -> None:
    """<crop(x), g> - <crop(0), g> = <x, gradient>, in both dtypes and for strided gradients."""
    for dtype, tolerance in ((torch.float32, 2e-5), (torch.float64, 1e-12)):
        frames = torch.as_tensor(video(5, 67, 129, np.float64), dtype=dtype).requires_grad_()
        tubes, index = torch.as_tensor(boxes(31, 3, 67, 129)), torch.as_tensor(indices(31, 3, 5))
        crops = crop_tubes(frames, tubes, index, size=(37, 23), **COLOURS)
        black = crop_tubes(frames.detach() * 0, tubes, index, size=(37, 23), **COLOURS)
        weights = torch.rand(23, 37, 3, 3, 31, dtype=dtype, generator=torch.Generator().manual_seed(0)).permute(
            4, 2, 3, 1, 0
        )
        (grad,) = torch.autograd.grad((crops * weights).sum(), frames)
        expected = ((crops.double() - black) * weights).sum()
        torch.testing.assert_close((frames.double() * grad).sum(), expected.double(), rtol=tolerance, atol=0)


def test_torch_equals_numpy_and_only_frames_have_a_gradient() -> None:
    frames, tubes, index = video(2, 20, 30), boxes(4, 3, 20, 30), indices(4, 3, 2)
    result = crop_tubes(torch.as_tensor(frames), torch.as_tensor(tubes).requires_grad_(), torch.as_tensor(index),
                        size=(8, 6), **COLOURS)  # fmt: skip
    assert not result.requires_grad and result.is_contiguous()
    np.testing.assert_array_equal(result, crop_tubes(frames, tubes, index, size=(8, 6), **COLOURS))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_torch_operations_pass_opcheck(dtype: torch.dtype) -> None:
    frames, tubes, index = tensors(dtype)
    tubes = tubes.to(torch.float64 if dtype == torch.float64 else torch.float32)
    options = ([*MEAN, *STD], False)
    torch.library.opcheck(torch.ops.ptfast.crop_tubes.default, (frames, tubes, index, 4, 3, *options))
    grad = torch.rand(2, 3, 2, 4, 3, dtype=tubes.dtype)
    torch.library.opcheck(torch.ops.ptfast.crop_tubes_backward.default, (grad, tubes, index, [3, 3, 4], *options))


def test_autocast_changes_nothing() -> None:
    frames, tubes, index = tensors(torch.float32)
    crops = crop_tubes(frames, tubes, index, size=(4, 3), **COLOURS)
    with torch.autocast("cpu", torch.bfloat16):
        also = crop_tubes(frames, tubes, index, size=(4, 3), **COLOURS)
    torch.testing.assert_close(also, crops, rtol=0, atol=0)


def test_compiles_into_one_graph_with_its_gradient() -> None:
    frames, tubes, index = tensors()
    crop = lambda frames, tubes: crop_tubes(frames, tubes, index, size=(4, 3), **COLOURS).square().sum()  # noqa: E731
    compiled = torch.compile(crop, fullgraph=True, dynamic=True, backend="aot_eager")
    frames.requires_grad_()
    grads = torch.autograd.grad(compiled(frames, tubes), frames)
    torch.testing.assert_close(grads, torch.autograd.grad(crop(frames, tubes), frames), rtol=0, atol=0)


@pytest.mark.parametrize("aspect", [0.75, 1.0, 1.6])
def test_boxes_to_crops_equal_reference(aspect: float) -> None:
    tubes = boxes(13, 3, 50, 70, np.float64)
    result = box_to_crop(tubes, aspect=aspect)
    np.testing.assert_allclose(result, reference.box_to_crop(tubes, aspect=aspect), rtol=1e-13)
    tensor = box_to_crop(torch.as_tensor(tubes).requires_grad_(), aspect=aspect)
    assert not tensor.requires_grad
    np.testing.assert_array_equal(tensor, result)


def test_boxes_to_crops_of_known_boxes() -> None:
    wide, tall = (10.0, 20.0, 40.0, 40.0), (10.0, 20.0, 16.0, 40.0)  # 30 x 20 and 6 x 20
    expected = [(6.25, 5.0, 43.75, 55.0), (3.625, 17.5, 22.375, 42.5)]  # 37.5 x 50 and 18.75 x 25
    np.testing.assert_array_equal(box_to_crop(np.array([wide, tall]), aspect=0.75), expected)
    assert box_to_crop(np.array(wide, np.float32), aspect=1.5, scale=1).tolist() == list(wide)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": np.zeros((2, 3))}, r"boxes must have shape \(\.\.\., 4\), got \(2, 3\)"),
        ({"aspect": 0}, "aspect must be positive, got 0"),
        ({"scale": -1.0}, "scale must be positive, got -1"),
        ({"scale": float("nan")}, "scale must be positive, got nan"),
    ],
)
def test_wrong_arguments_of_boxes_to_crops_are_named(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        box_to_crop(**{"boxes": np.zeros((2, 4)), "aspect": 0.75} | change)


@pytest.mark.parametrize("shape", [(1, 0, 30, 3), (1, 20, 0, 3), (0, 20, 30, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_frame_without_pixels_is_black(dtype: type, shape: tuple[int, ...]) -> None:
    frames = np.zeros(shape, dtype)
    tubes = np.array([[[-0.5, -0.5, 0.4, 0.4]]], np.float32)[: len(frames)]
    index = np.zeros((len(tubes), 1), np.int64)
    options = {"size": (8, 6), "mean": (0.5,) * 3, "std": (0.25,) * 3}
    for convert in (np.asarray, torch.as_tensor):
        result = np.asarray(crop_tubes(convert(frames), convert(tubes), convert(index), **options))
        assert result.shape == (len(tubes), 3, 1, 8, 6) and (result == -2).all()
