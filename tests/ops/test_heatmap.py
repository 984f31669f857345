from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from peers import peer

import ptfast
from ptfast.ops import flip_average, heatmap_peaks, heatmap_to_image
from ptfast.reference import heatmap as reference
from ptfast.skeletons import COCO_17

# The last two have full blocks of columns, and a block that overlaps the one before.
FLIPPED_SHAPES = [(0, 17, 5, 7), (17, 1, 1), (2, 17, 3, 2), (3, 17, 5, 16), (2, 17, 4, 17), (17, 9, 40)]
REFINEMENTS = ["none", "quarter", "taylor"]
# Maps of one pixel, of one row, too small to refine, with a width that fills no vector, and of more than a piece.
SHAPES = [(0, 5, 7), (3, 0, 5, 7), (1, 1), (5, 1, 9), (3, 2, 4, 4), (2, 3, 7, 13), (9, 64, 48), (2, 3, 37, 41)]
TOLERANCE = {np.float32: 4e-6, np.float64: 1e-10}  # pixels: coordinates are rounded to so much near 50


def bumps(*shape: int, dtype: type = np.float32, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """Heatmaps as a network makes them: a bump a map, in places outside it, and noise."""
    random = np.random.default_rng([seed, *shape])
    *maps, height, width = shape
    x, y = (random.uniform(-1, size, (*maps, 1, 1)) for size in (width, height))
    rows, columns = np.mgrid[:height, :width]
    bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) * random.uniform(0.1, 1, (*maps, 1, 1))
    return (bump + random.normal(0, noise, shape)).astype(dtype)


def check(maps: np.ndarray, tolerance: float, **options: object) -> None:
    coordinates, scores = heatmap_peaks(maps, **options)
    expected, expected_scores = reference.heatmap_peaks(maps, **options)
    np.testing.assert_array_equal(scores, expected_scores)
    # The way that a nearly singular Hessian sends a peak is as uncertain as it is far.
    way = np.abs(expected - reference.heatmap_peaks(maps)[0]).max(initial=1)
    np.testing.assert_allclose(coordinates, expected, rtol=0, atol=tolerance * way)


@pytest.mark.parametrize("refine", REFINEMENTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_reference(shape: tuple[int, ...], dtype: type, refine: str) -> None:
    maps = bumps(*shape, dtype=dtype)
    coordinates, scores = heatmap_peaks(maps, refine=refine)
    assert coordinates.shape == (*shape[:-2], 2) and scores.shape == shape[:-2]
    assert coordinates.dtype == scores.dtype == dtype
    check(maps, TOLERANCE[dtype], refine=refine)


@pytest.mark.parametrize("blur_kernel", [3, 5, 7, 9, 11, 17, 31])
@pytest.mark.parametrize("noise", [0, 0.01, 1])
def test_taylor_is_darks_for_any_blur(noise: float, blur_kernel: int) -> None:
    """Without noise, and with much of it, blurred pixels lie below the logarithm's floor, and the scale counts."""
    maps = bumps(40, 33, 29, dtype=np.float64, noise=noise, seed=blur_kernel)
    maps[0] = 0
    maps[0, 16, 14] = 1e-12
    maps[1] = -3
    maps[1, 16, 14] = 1  # the blurred map is negative everywhere
    check(maps, TOLERANCE[np.float64], refine="taylor", blur_kernel=blur_kernel)


@pytest.mark.parametrize("size", [3, 5, 7, 11, 17, 31])
def test_the_reference_blurs_as_opencv_does(size: int) -> None:
    heatmap = np.random.default_rng(0).normal(size=(40, 23))
    expected = cv2.GaussianBlur(np.pad(heatmap, size), (size, size), 0)[size:-size, size:-size]
    np.testing.assert_allclose(reference.blur(heatmap, size), expected, rtol=0, atol=1e-14)


def test_quarter_of_known_maps() -> None:
    heatmap = np.zeros((8, 8))
    heatmap[4, 3], heatmap[4, 4], heatmap[3, 3] = 1, 0.5, 0.5
    maps = np.stack([heatmap, heatmap - 2, np.roll(heatmap, (2, -2), (0, 1)), np.roll(heatmap, (3, 3), (0, 1))])
    coordinates, scores = heatmap_peaks(maps, refine="quarter")
    # Refined; not positive; x is 1; y is the last row.
    np.testing.assert_array_equal(coordinates, [[3.25, 3.75], [3, 4], [1, 6], [6, 7]])
    np.testing.assert_array_equal(scores, [1, -1, 1, 1])
    far = np.roll(heatmap, (2, 3), (0, 1))  # x and y are 6 = width - 2, the last to be refined
    np.testing.assert_array_equal(heatmap_peaks(far, refine="quarter")[0], [6.25, 5.75])


def test_taylor_finds_the_centre_of_a_gaussian() -> None:
    rows, columns = np.mgrid[:64, :48]
    heatmap = np.exp(-((columns - 20.3) ** 2 + (rows - 31.6) ** 2) / 8)
    np.testing.assert_allclose(heatmap_peaks(heatmap, refine="taylor")[0], [20.3, 31.6], rtol=0, atol=1e-3)


@pytest.mark.parametrize("refine", REFINEMENTS)
@pytest.mark.parametrize("value", [1.0, 0.0, -1.0, np.inf, -np.inf])
def test_the_first_of_equals_wins_and_nan_never(value: float, refine: str) -> None:
    maps = np.full((3, 40, 37), -np.inf, np.float32)
    maps[0, 30, 20], maps[0, 30, 21], maps[0, 31, 0] = value, value, value
    maps[1] = np.nan
    maps[1, 39, 36] = value
    maps[2] = np.nan
    coordinates, scores = heatmap_peaks(maps, refine=refine)
    first = [0, 0] if value == -np.inf else [20, 30]
    np.testing.assert_array_equal(scores, [value, value, np.nan])
    np.testing.assert_array_equal(coordinates[1:], [[36, 39], [0, 0]])
    np.testing.assert_array_equal(np.floor(coordinates[0]), first)  # the next column's value may draw by a quarter


def test_zeros_are_equal_whatever_their_sign() -> None:
    maps = np.full((2, 3, 50), -1, np.float32)
    maps[0, 1, 4:6], maps[1, 1, 4:6] = (-0.0, 0.0), (0.0, -0.0)
    coordinates, scores = heatmap_peaks(maps)
    np.testing.assert_array_equal(coordinates, [[4, 1], [4, 1]])
    np.testing.assert_array_equal(np.signbit(scores), [True, False])


@pytest.mark.parametrize("refine", REFINEMENTS)
def test_nan_beside_the_peak_leaves_it_in_place(refine: str) -> None:
    heatmap = bumps(30, 30) * 0.1
    heatmap[12, 17], heatmap[12, 18], heatmap[13, 17] = 1, np.nan, np.nan
    np.testing.assert_array_equal(heatmap_peaks(heatmap, refine=refine)[0], [17, 12])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("refine", REFINEMENTS)
def test_halves_give_what_their_values_give_in_float(refine: str, dtype: str) -> None:
    maps = torch.from_numpy(bumps(6, 33, 29)).to(getattr(torch, dtype))
    maps[1, 3, 3], maps[2] = torch.nan, torch.nan
    expected = heatmap_peaks(maps.float(), refine=refine)
    result = heatmap_peaks(maps, refine=refine)
    torch.testing.assert_close(result, expected, rtol=0, atol=0, equal_nan=True)
    if dtype == "float16":
        for found, wanted in zip(heatmap_peaks(maps.numpy(), refine=refine), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(0, 17, 5, 7), (17, 1, 1), (2, 17, 3, 2), (3, 17, 5, 16), (2, 17, 4, 17), (17, 9, 48)]
)
def test_flip_average_equals_reference_and_decodes_alike(shape: tuple[int, ...], dtype: type, shift: bool) -> None:
    maps, flipped = (bumps(*shape, dtype=dtype, noise=0.3, seed=seed) for seed in (0, 1))
    average = flip_average(maps, flipped, COCO_17.flip_pairs, shift)
    assert average.dtype == dtype
    np.testing.assert_array_equal(average, reference.flip_average(maps, flipped, COCO_17.flip_pairs, shift))
    for refine in REFINEMENTS:
        fused = heatmap_peaks(maps, refine=refine, flipped=flipped, flip_pairs=COCO_17.flip_pairs, shift=shift)
        for found, expected in zip(fused, heatmap_peaks(average, refine=refine), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_flip_average_of_a_known_map() -> None:
    maps, flipped = np.zeros((2, 1, 4)), np.array([[[1.0, 2, 4, 8]], [[16, 32, 64, 128]]])
    result = flip_average(maps, flipped, [(0, 1)], shift=False)
    np.testing.assert_array_equal(result[:, 0], [[64, 32, 16, 8], [4, 2, 1, 0.5]])
    result = flip_average(maps, flipped, [], shift=True)
    np.testing.assert_array_equal(result[:, 0], [[4, 4, 2, 1], [64, 64, 32, 16]])


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("convention", ["hrnet", "roi"])
@pytest.mark.parametrize("batch", [(), (0,), (3,), (2, 5)])
def test_heatmap_to_image_equals_reference(batch: tuple[int, ...], convention: str, convert: Callable) -> None:
    random = np.random.default_rng(0)
    coordinates, corner = random.uniform(0, 60, (*batch, 17, 2)), random.uniform(0, 500, (*batch, 2))
    boxes = np.concatenate([corner, corner + random.uniform(50, 300, (*batch, 2))], -1)
    options = {"heatmap_size": (64, 48), "convention": convention}
    result = heatmap_to_image(convert(coordinates), convert(boxes), **options)
    np.testing.assert_allclose(result, reference.heatmap_to_image(coordinates, boxes, **options), rtol=1e-13)
    single = heatmap_to_image(convert(coordinates.astype(np.float32)), convert(boxes), **options)
    np.testing.assert_allclose(single, result, rtol=1e-5)
    assert single.dtype == convert(np.empty(0, np.float32)).dtype


def test_heatmap_to_image_of_known_points() -> None:
    points, box = np.array([[24.0, 32.0], [0.0, 0.0]]), np.array([100.0, 200.0, 196.0, 328.0])
    hrnet = heatmap_to_image(points, box, heatmap_size=(64, 48))
    np.testing.assert_array_equal(hrnet, [[148, 264], [100, 200]])  # the middle, and the corner of pixel (0, 0)
    roi = heatmap_to_image(points, box, heatmap_size=(64, 48), convention="roi")
    np.testing.assert_array_equal(roi, [[149, 265], [101, 201]])


def test_roi_convention_is_torchvisions() -> None:
    decode = peer("torchvision.models.detection.roi_heads").heatmaps_to_keypoints
    maps = torch.from_numpy(bumps(4, 17, 56, 56))
    boxes = torch.tensor([[10.0, 20.0, 66.0, 76.0]]).expand(4, 4)  # of the maps' size, so that none is resized
    coordinates, _ = heatmap_peaks(maps)
    result = heatmap_to_image(coordinates, boxes, heatmap_size=(56, 56), convention="roi")
    torch.testing.assert_close(result, decode(maps, boxes)[0][..., :2])


def test_takes_strided_input() -> None:
    maps = bumps(4, 17, 40, 30)
    views = [maps[::2, :, ::-1], maps.transpose(0, 1, 3, 2)]
    for view in views:
        found, expected = heatmap_peaks(view, refine="taylor"), heatmap_peaks(view.copy(), refine="taylor")
        np.testing.assert_array_equal(found[0], expected[0])
    channels_last = torch.from_numpy(maps).to(memory_format=torch.channels_last)
    torch.testing.assert_close(heatmap_peaks(channels_last)[0].numpy(), heatmap_peaks(maps)[0])
    flips = {"flipped": maps[:, :, ::-1], "flip_pairs": COCO_17.flip_pairs}
    copied = flips | {"flipped": flips["flipped"].copy()}
    np.testing.assert_array_equal(heatmap_peaks(views[0][:, :, ::-1], flipped=maps[::2], flip_pairs=())[0],
                                  heatmap_peaks(maps[::2], flipped=maps[::2], flip_pairs=())[0])  # fmt: skip
    np.testing.assert_array_equal(heatmap_peaks(maps, **flips)[0], heatmap_peaks(maps, **copied)[0])


def test_threads_do_not_change_a_bit() -> None:
    maps, results = bumps(1300, 64, 48), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(heatmap_peaks(maps, refine="taylor"))
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


MAPS = np.zeros((2, 3, 8, 8), np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heatmaps": MAPS[0, 0, 0]}, r"heatmaps must have shape \(\.\.\., H, W\), got \(8,\)"),
        ({"heatmaps": MAPS[..., :0]}, r"heatmaps must have pixels, got shape \(2, 3, 8, 0\)"),
        ({"refine": "half"}, 'refine must be "none", "quarter" or "taylor", got \'half\''),
        ({"blur_kernel": 4}, "blur_kernel must be odd, got 4"),
        ({"blur_kernel": 33}, "blur_kernel must be between 3 and 31, got 33"),
        ({"flipped": MAPS}, "flipped and flip_pairs must be given together"),
        ({"flip_pairs": []}, "flipped and flip_pairs must be given together"),
        ({"flipped": MAPS[0], "flip_pairs": []}, r"flipped must have shape \(2, 3, 8, 8\), got \(3, 8, 8\)"),
        ({"flipped": MAPS, "flip_pairs": [(0, 3)]}, "flip_pairs must be between 0 and 2, got 3"),
        ({"flipped": MAPS, "flip_pairs": [(0, 1), (1, 2)]}, r"each joint at most once, got one again in \(1, 2\)"),
        ({"heatmaps": np.zeros((513, 1, 1)), "flipped": np.zeros((513, 1, 1)), "flip_pairs": []}, "at most 512 joints"),
        ({"heatmaps": MAPS[0, 0], "flipped": MAPS[0, 0], "flip_pairs": []}, r"shape \(\.\.\., K, H, W\), got \(8, 8\)"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        heatmap_peaks(**{"heatmaps": MAPS} | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coordinates": np.zeros((4, 3, 3))}, r"coordinates must have shape \(\.\.\., K, 2\), got \(4, 3, 3\)"),
        ({"boxes": np.zeros((3, 4))}, r"boxes must have shape \(4, 4\), got \(3, 4\)"),
        ({"heatmap_size": (0, 5)}, "heatmap_size must be between 1 and .*, got 0"),
        ({"convention": "coco"}, 'convention must be "hrnet" or "roi", got \'coco\''),
    ],
)
def test_wrong_arguments_of_heatmap_to_image_are_named(change: dict, message: str) -> None:
    arguments = {"coordinates": np.zeros((4, 3, 2)), "boxes": np.zeros((4, 4)), "heatmap_size": (8, 8)} | change
    with pytest.raises(ValueError, match=message):
        heatmap_to_image(**arguments)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match="heatmaps must have dtype float32 or float64, got complex64"):
        heatmap_peaks(MAPS.astype(np.complex64))
    with pytest.raises(TypeError, match=r"heatmaps must have dtype float16 or bfloat16 or .*, got int32"):
        heatmap_peaks(torch.zeros(3, 3, dtype=torch.int32))
    with pytest.raises(TypeError, match="coordinates must have dtype float32 or float64, got float16"):
        heatmap_to_image(torch.zeros(1, 2).half(), torch.zeros(4), heatmap_size=(2, 2))


def test_torch_results_are_detached() -> None:
    maps, boxes = torch.rand(2, 3, 8, 8).requires_grad_(), torch.rand(2, 4).requires_grad_()
    coordinates, scores = heatmap_peaks(maps, refine="taylor", flipped=maps, flip_pairs=[])
    assert not coordinates.requires_grad and not scores.requires_grad
    assert not flip_average(maps, maps, []).requires_grad
    image = heatmap_to_image(coordinates.requires_grad_(), boxes, heatmap_size=(8, 8))
    assert not image.requires_grad


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_torch_operations_pass_opcheck(dtype: torch.dtype) -> None:
    maps, flipped = torch.rand(2, 3, 9, 8).to(dtype), torch.rand(2, 3, 9, 8).to(dtype)
    for others in ((None, []), (flipped, [0, 2, 1])):
        torch.library.opcheck(torch.ops.ptfast.heatmap_peaks.default, (maps, *others, True, "taylor", 11))
    torch.library.opcheck(torch.ops.ptfast.flip_average.default, (maps, flipped, [0, 2, 1], True))


def test_compiles_into_one_graph() -> None:
    def decode(maps: torch.Tensor, flipped: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        coordinates, scores = heatmap_peaks(maps, refine="taylor", flipped=flipped, flip_pairs=COCO_17.flip_pairs)
        return heatmap_to_image(coordinates, boxes, heatmap_size=tuple(maps.shape[-2:])), scores

    compiled = torch.compile(decode, fullgraph=True, dynamic=True, backend="aot_eager")
    for n, height in ((3, 30), (5, 40)):
        inputs = torch.rand(n, 17, height, 24), torch.rand(n, 17, height, 24), torch.rand(n, 4)
        torch.testing.assert_close(compiled(*inputs), decode(*inputs), rtol=0, atol=0)


def test_autocast_leaves_the_maps_type() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        coordinates, scores = heatmap_peaks(torch.rand(2, 9, 9).double(), refine="quarter")
    assert coordinates.dtype == scores.dtype == torch.float64
