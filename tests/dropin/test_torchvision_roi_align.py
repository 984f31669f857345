"""The drop-ins for torchvision's RoIAlign, beside torchvision where it is installed, and beside the reference."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import pytest
import torch
from peers import find_peer, peer
from torch import Tensor, nn

from ptfast.dropin import torchvision as dropin
from ptfast.dropin._torchvision import common as common
from ptfast.dropin._torchvision import modules as modules
from ptfast.dropin._torchvision import roi_align as functions
from ptfast.reference.roi_align import tube_roi_align as reference

# Samples lie where float32 rounds places up to 24 to 2^-20; four neighbours of values below 5 differ by less than 10.
CLOSE = {torch.float32: {"rtol": 1e-5, "atol": 2e-5}, torch.float64: {"rtol": 1e-12, "atol": 1e-12}}
NAMES = ["0", "1", "2"]
IMAGE = [(64, 96)]


@pytest.fixture
def torchvision() -> ModuleType:
    return peer("torchvision.ops")


@pytest.fixture
def by_ptfast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps calls of little work from going to torchvision."""
    for module in (functions, modules):
        monkeypatch.setattr(module, "suits_torchvision", lambda *arguments: False)


def features(dtype: torch.dtype = torch.float32, scale: int = 1) -> Tensor:
    """(2, 3, 16, 24), or fewer rows and columns by a factor."""
    shape = 2, 3, 16 // scale, 24 // scale
    return torch.randn(shape, generator=torch.Generator().manual_seed(scale), dtype=torch.float64).to(dtype)


def boxes(dtype: torch.dtype = torch.float32) -> Tensor:
    """(K, 5): inside, across the border, on it, far outside, empty, inverted, fractional."""
    corners = [[2, 1, 20, 13], [-3, -2, 9, 30], [0, 0, 24, 16], [40, 40, 50, 60], [5, 5, 5, 5], [9, 8, 3, 4],
               [0.3, 7.1, 0.9, 7.2], [-1, -1, 0, 0], [23, 15, 23.5, 15.5], [1, 1, 90, 90]]  # fmt: skip
    return torch.tensor([[i % 2, *corner] for i, corner in enumerate(corners)], dtype=dtype)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 0, 1, 3])
@pytest.mark.parametrize("size", [1, (3, 5)])
def test_roi_align_equals_torchvisions(
    torchvision: ModuleType, by_ptfast: None, size: Any, ratio: int, aligned: bool, dtype: torch.dtype
) -> None:
    x, rois = features(dtype).requires_grad_(), boxes(dtype)
    for scale in (1.0, 0.37):
        expected = torchvision.roi_align(x, rois, size, scale, ratio, aligned)
        result = dropin.roi_align(x, rois, size, scale, ratio, aligned)
        torch.testing.assert_close(result, expected, **CLOSE[dtype])
        assert result.is_contiguous()
        incoming = torch.randn_like(expected)
        gradients = [torch.autograd.grad(pooled, x, incoming)[0] for pooled in (result, expected)]
        torch.testing.assert_close(*gradients, rtol=CLOSE[dtype]["rtol"], atol=10 * CLOSE[dtype]["atol"])


@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align_equals_the_reference(by_ptfast: None, aligned: bool) -> None:
    x, rois = features(), boxes()
    result = dropin.roi_align(x, rois, (2, 3), 0.5, 2, aligned)
    arrays = x[:, :, None].numpy(), rois[:, None, 1:].numpy(), rois[:, 0].long().numpy()
    expected = reference(*arrays, output_size=(2, 3), spatial_scale=0.5, sampling_ratio=2, aligned=aligned)
    torch.testing.assert_close(result, torch.as_tensor(expected[:, :, 0], dtype=torch.float32), **CLOSE[torch.float32])


def forms() -> dict[str, tuple[Tensor, Any]]:
    """Features and boxes that stand in memory, or are given, in other ways."""
    x, rois = features(), boxes()
    of_image = [rois[rois[:, 0] == image, 1:] for image in (0, 1)]
    return {
        "list": (x, of_image),
        "tuple": (x, tuple(of_image)),
        "list for the first image alone": (x, of_image[:1]),
        "empty lists": (x, [of_image[0][:0], of_image[1][:0]]),
        "no boxes": (x, rois[:0]),
        "no images": (x[:0], rois[:0]),
        "no channels": (x[:, :0], rois),
        "channels last": (x.contiguous(memory_format=torch.channels_last), rois),
        "strided": (x.repeat(1, 2, 1, 2)[:, ::2, :, 24:], torch.stack([rois, rois], -1)[..., 1]),
        "fractional index": (x, rois + torch.tensor([0.7, 0, 0, 0, 0])),
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_input(torchvision: ModuleType, by_ptfast: None, form: str) -> None:
    x, rois = forms()[form]
    expected = torchvision.roi_align(x, rois, [2, 3], 0.5, 2)
    result = dropin.roi_align(x, rois, [2, 3], 0.5, 2)
    torch.testing.assert_close(result, expected, **CLOSE[torch.float32])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(by_ptfast: None, dtype: torch.dtype) -> None:
    x, rois = features(dtype), boxes(dtype)
    expected = dropin.roi_align(x.float(), rois.float(), 3, 0.5, 2)
    result = dropin.roi_align(x, rois, 3, 0.5, 2)
    assert result.dtype == dtype
    unit = torch.finfo(dtype).eps / 2  # one rounding, at the end
    torch.testing.assert_close(result.float(), expected, rtol=unit * 1.01, atol=1e-6)


def test_half_precision_is_near_torchvisions(torchvision: ModuleType) -> None:
    """Which places samples in half precision, too: 2^-7 pixels off at 24, where values differ by up to 10."""
    x, rois = features(torch.float16), boxes(torch.float16)[:3]
    result, expected = (library.roi_align(x, rois, 3, 1.0, 2) for library in (dropin, torchvision))
    torch.testing.assert_close(result, expected, rtol=0, atol=0.1)


def test_boxes_that_are_not_finite_give_zeros(by_ptfast: None) -> None:
    rois = torch.tensor([[0, torch.nan, 1, 9, 9], [0, 1, 1, torch.inf, 9], [1, 2, 2, 5, 5]])
    pooled = dropin.roi_align(features(), rois, 2)
    assert not pooled[:2].any()
    assert pooled[2].any()


def test_features_without_rows_give_zeros(by_ptfast: None) -> None:
    """Torchvision reads what is not there."""
    assert dropin.roi_align(X[:, :, :0], ROIS, 2, 0.5, 2).abs().max() == 0


def test_boxes_of_no_image_are_errors(by_ptfast: None) -> None:
    with pytest.raises(ValueError, match=r"boxes must be of the input's 2 images, .* got image 2 in row 1"):
        dropin.roi_align(features(), torch.tensor([[0, 1, 1, 9, 9], [2.0, 1, 1, 9, 9]]), 2)


X, ROIS = features(), boxes()
ERRORS = {
    "four columns": ((X, ROIS[:, 1:], 2), AssertionError, "The boxes tensor shape is not correct as Tensor[K, 5]"),
    "five in a list": (
        (X, [ROIS], 2),
        AssertionError,
        "The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]",
    ),
    "arrays": ((X, ROIS.numpy(), 2), AssertionError, "boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]]"),
    "empty list": ((X, [], 2), ValueError, "torch.cat(): expected a non-empty list of Tensors"),
    "one box": ((X, ROIS[0], 2), IndexError, "Dimension out of range"),
    "two dtypes": ((X, ROIS.double(), 2), RuntimeError, "the same type as"),
    "half": ((X.half(), ROIS, 2), RuntimeError, "the same type as"),
    "integers": (
        (X.int(), ROIS.int(), 2),
        RuntimeError,
        "\"roi_align_forward_kernel\" not implemented for 'Int'",
    ),
    "short size": ((X, ROIS, (3,)), IndexError, "tuple index out of range"),
    "negative size": ((X, ROIS, -1), RuntimeError, ""),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_torchvisions(by_ptfast: None, case: str) -> None:
    arguments, kind, text = ERRORS[case]
    theirs, _ = find_peer("torchvision.ops")
    for roi_align in [dropin.roi_align, *([theirs.roi_align] if theirs else [])]:
        with pytest.raises(kind) as error:
            roi_align(*arguments)
        assert text in str(error.value)


def test_without_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "original", lambda module, attribute: None)
    assert dropin.roi_align(X, ROIS, 0).shape == (len(ROIS), 3, 0, 0)
    assert dropin.roi_align(X, ROIS, 2, sampling_ratio=2).shape == (len(ROIS), 3, 2, 2)
    with pytest.raises(ValueError, match=r"input must have shape \(B, C, H, W\), got \(3, 16, 24\)"):
        dropin.roi_align(X[0], ROIS, 2)
    with pytest.raises(ValueError, match=r"spatial_scale must be at least 0, got nan"):
        dropin.roi_align(X, ROIS, 2, torch.nan)
    with pytest.raises(ValueError, match=r"sampling_ratio must be between 0 and 4096, got 5000"):
        dropin.roi_align(X, ROIS, 2, sampling_ratio=5000)


def test_what_goes_to_torchvision(by_ptfast: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stand-in for torchvision, as it need not be installed."""
    theirs = torch.zeros(0)
    monkeypatch.setattr(common, "original", lambda module, attribute: lambda *arguments: theirs)
    boxes, trained = ROIS.clone().requires_grad_(), X.clone().requires_grad_()
    assert dropin.roi_align(X, ROIS, 2) is not theirs
    assert dropin.roi_align(X, boxes, 2) is theirs
    pooled = dropin.roi_align(trained, boxes, 2)
    assert pooled is not theirs
    assert torch.autograd.grad(pooled.sum(), [trained, boxes], allow_unused=True)[1] is None
    assert dropin.roi_align(X, ROIS, 2, sampling_ratio=5000) is theirs


def test_negative_scales_equal_torchvisions(torchvision: ModuleType, by_ptfast: None) -> None:
    for rois in (ROIS, ROIS * torch.tensor([1, -1, -1, -1, -1])):
        result, expected = (library.roi_align(X, rois, 2, -0.5, 2) for library in (dropin, torchvision))
        torch.testing.assert_close(result, expected, **CLOSE[torch.float32])


def test_what_is_left_to_torchvision(torchvision: ModuleType, by_ptfast: None) -> None:
    arguments = X, ROIS.clone().requires_grad_(), 2
    result, expected = (library.roi_align(*arguments) for library in (dropin, torchvision))
    assert result.equal(expected)  # to the bit: the same code
    assert result.requires_grad == expected.requires_grad


def test_little_work_is_left_to_torchvision(torchvision: ModuleType) -> None:
    assert dropin.roi_align(X, ROIS, 2).equal(torchvision.roi_align(X, ROIS, 2))
    pools = [library.MultiScaleRoIAlign(NAMES, 2, 2) for library in (dropin, torchvision)]
    result, expected = (pool(pyramid(), image_boxes(), IMAGE) for pool in pools)
    assert result.equal(expected)


def test_what_counts_as_little_work() -> None:
    small, large = torch.empty(1, 256, 16, 16), torch.empty(1, 256, 100, 100)
    suits = functions.suits_torchvision
    assert suits([small], 0, (7, 7), 2)
    assert not suits([small], 2, (7, 7), 2)
    assert suits([large], 2, (7, 7), 2)  # which ptfast would put in order, channels last, first
    assert not suits([large.contiguous(memory_format=torch.channels_last)], 2, (7, 7), 2)
    assert not suits([large], 100, (7, 7), 2)
    assert not suits([large], 100, (7, 7), -1)
    assert not suits([small.half()], 0, (7, 7), 2)


def test_autocast_takes_half_precision(torchvision: ModuleType, by_ptfast: None) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        result = dropin.roi_align(X.bfloat16(), ROIS, 3, 0.5, 2)
        expected = torchvision.roi_align(X.bfloat16(), ROIS, 3, 0.5, 2)
        with pytest.raises(RuntimeError, match=r"DoubleTensor does not equal torch\.FloatTensor"):
            dropin.roi_align(X.double(), ROIS, 3)
    torch.testing.assert_close(result, expected, rtol=2**-7, atol=1e-3)


def test_compiled_in_one_graph() -> None:
    pool = torch.compile(lambda x, rois: dropin.roi_align(x, rois, 3, 0.5, 2), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(pool(X, ROIS), dropin.roi_align(X, ROIS, 3, 0.5, 2), **CLOSE[torch.float32])


def pyramid(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    return {name: features(dtype, 2**level) for level, name in enumerate(NAMES)} | {"pool": torch.empty(0)}


def image_boxes(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Boxes of 8 to 90 pixels for each of two images, one of them empty."""
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand(40, 2, generator=generator) * 60
    side = 8 * 2 ** (3.5 * torch.rand(40, 2, generator=generator))
    side[7] = 0
    return list(torch.cat([corner, corner + side], 1).to(dtype).split([25, 15]))


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize("names", [NAMES, NAMES[:1], NAMES[1:], ["0", "2"]], ids=str)
def test_multi_scale_equals_torchvisions(
    torchvision: ModuleType, by_ptfast: None, names: list[str], ratio: int, dtype: torch.dtype
) -> None:
    maps = {name: x.requires_grad_() for name, x in pyramid(dtype).items()}
    settings = {"canonical_scale": 32, "canonical_level": 3}
    kinds = dropin.MultiScaleRoIAlign, torchvision.MultiScaleRoIAlign
    ours, theirs = (kind(names, (3, 2), ratio, **settings) for kind in kinds)
    result, expected = (pool(maps, image_boxes(dtype), IMAGE) for pool in (ours, theirs))
    torch.testing.assert_close(result, expected, **CLOSE[dtype])
    assert result.is_contiguous()
    assert ours.scales == theirs.scales
    incoming = torch.randn_like(expected)
    inputs = [maps[name] for name in names]
    gradients = [torch.autograd.grad(pooled, inputs, incoming) for pooled in (result, expected)]
    torch.testing.assert_close(*gradients, rtol=CLOSE[dtype]["rtol"], atol=30 * CLOSE[dtype]["atol"])


@pytest.mark.parametrize("change", ["no boxes", "negative area", "NaN", "half", "two dtypes"])
def test_multi_scale_of_odd_input(torchvision: ModuleType, by_ptfast: None, change: str) -> None:
    maps, found = pyramid(), image_boxes()
    if change == "no boxes":
        found = [x[:0] for x in found]
    elif change == "negative area":
        found[0][3:9] = found[0][3:9, [2, 1, 0, 3]]
    elif change == "NaN":
        found[0][4] = torch.nan
    elif change == "half":
        maps, found = pyramid(torch.float16), [x.half() for x in found]
    elif change == "two dtypes":
        maps["1"] = maps["1"].bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=change == "two dtypes"):
        result, expected = (
            kind(NAMES, 2, 2, canonical_scale=32, canonical_level=3)(maps, found, IMAGE)
            for kind in (dropin.MultiScaleRoIAlign, torchvision.MultiScaleRoIAlign)
        )
    tolerance = {"half": 0.1, "two dtypes": 0.04}.get(change, 2e-5)  # of half precision see above
    torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


def test_multi_scale_takes_each_box_from_its_level(by_ptfast: None) -> None:
    maps = {name: torch.full((1, 1, 16 >> i, 24 >> i), float(i)) for i, name in enumerate(NAMES)}
    sides = torch.tensor([1.0, 31, 32, 63, 64])
    found = torch.stack([sides * 0, sides * 0, sides, sides], 1)
    pool = dropin.MultiScaleRoIAlign(NAMES, 1, 2, canonical_scale=32, canonical_level=3)
    assert pool(maps, [found], IMAGE).flatten().tolist() == [0, 0, 1, 1, 2]
    assert pool.scales == [1 / 4, 1 / 8, 1 / 16]
    assert pool.map_levels([found]).tolist() == [0, 0, 1, 1, 2]
    assert pool.map_levels([found[:, [2, 1, 0, 3]]]).tolist() == [-1] * 5  # no level has negative areas
    assert pool(maps, [found[:2]], [(640, 960)]).flatten().tolist() == [0, 0]  # the first call's scales stand
    with pytest.raises(ValueError, match="images list should not be empty"):
        dropin.MultiScaleRoIAlign(NAMES, 1, 2)(maps, [found], [])


def test_the_tallest_image_gives_the_scales(by_ptfast: None) -> None:
    pool = dropin.MultiScaleRoIAlign(NAMES, 1, 2)
    pool(pyramid(), image_boxes(), [(33, 96), (64, 80), (20, 50)])
    assert pool.scales == [1 / 4, 1 / 8, 1 / 16]


def test_boxes_without_an_area_are_pooled_and_those_with_a_negative_one_not(by_ptfast: None) -> None:
    maps = {name: torch.ones(1, 1, 16 >> i, 24 >> i) for i, name in enumerate(NAMES)}
    found = torch.tensor([[9.0, 9, 9, 9], [9, 9, 20, 9], [20, 9, 9, 20], [20, 20, 9, 9]])  # the last's area is positive
    pool = dropin.MultiScaleRoIAlign(NAMES, 1, 2)
    assert pool(maps, [found], IMAGE).flatten().tolist() == [1, 1, 0, 1]


def test_modules_are_torchvisions(torchvision: ModuleType, by_ptfast: None) -> None:
    for name, arguments in {"RoIAlign": ((3, 2), 0.5, -1), "MultiScaleRoIAlign": (NAMES, 3, 2)}.items():
        ours, theirs = (getattr(library, name)(*arguments) for library in (dropin, torchvision))
        assert isinstance(ours, type(theirs))
        assert repr(ours) == repr(theirs)
        assert vars(ours).keys() == vars(theirs).keys()
    result, expected = (library.RoIAlign((3, 2), 0.5, -1)(X, ROIS) for library in (dropin, torchvision))
    torch.testing.assert_close(result, expected, **CLOSE[torch.float32])


def test_modules_are_copied_and_pickled(by_ptfast: None) -> None:
    pool = dropin.MultiScaleRoIAlign(NAMES, 2, 2, canonical_scale=32, canonical_level=3)
    assert isinstance(pool, nn.Module)
    expected = pool(pyramid(), image_boxes(), IMAGE)
    for other in (copy.deepcopy(pool), pickle.loads(pickle.dumps(pool))):
        assert other(pyramid(), image_boxes(), IMAGE).equal(expected)


def test_a_detector_of_torchvision_takes_the_module(torchvision: ModuleType, by_ptfast: None) -> None:
    detection, anchors = peer("torchvision.models.detection"), peer("torchvision.models.detection.anchor_utils")
    backbone = nn.Conv2d(3, 4, 16, 16)
    backbone.out_channels = 4
    generator = anchors.AnchorGenerator(((32,),), ((1.0,),))
    images = [torch.rand(3, 64, 80)]
    detected = []
    for library in (dropin, torchvision):
        torch.manual_seed(0)
        pool = library.MultiScaleRoIAlign(["0"], 3, 2)
        model = detection.FasterRCNN(backbone, 2, 64, 80, rpn_anchor_generator=generator, box_roi_pool=pool,
                                     box_score_thresh=0)  # fmt: skip
        with torch.no_grad():
            detected.append(model.eval()(images)[0]["scores"])
    torch.testing.assert_close(*detected, rtol=1e-4, atol=0)
    assert len(detected[0])


@pytest.mark.cuda
def test_on_a_gpu() -> None:
    result = dropin.roi_align(X.cuda(), ROIS.cuda(), 3, 0.5, 2)
    torch.testing.assert_close(result.cpu(), dropin.roi_align(X, ROIS, 3, 0.5, 2), rtol=1e-4, atol=1e-4)
    pool = dropin.MultiScaleRoIAlign(NAMES, 2, 2, canonical_scale=32, canonical_level=3)
    on_gpu = {name: x.cuda() for name, x in pyramid().items()}
    result = pool(on_gpu, [x.cuda() for x in image_boxes()], IMAGE).cpu()
    torch.testing.assert_close(result, pool(pyramid(), image_boxes(), IMAGE), rtol=1e-4, atol=1e-4)
