"""torchvision's drop-ins under what transforms, records or compiles programs: most is left to torchvision there."""

from __future__ import annotations

import io
from types import ModuleType

import pytest
import torch
from peers import peer
from torch import Tensor
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from ptfast.dropin import patched
from ptfast.dropin import torchvision as dropin
from ptfast.dropin._torchvision import common as common
from ptfast.dropin._torchvision import modules as modules
from ptfast.dropin._torchvision import roi_align as functions

pytestmark = [
    pytest.mark.filterwarnings("ignore:There is a performance drop"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

BOXES = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]])
SCORES = torch.tensor([0.9, 0.8, 0.7])
FEATURES = torch.arange(2 * 3 * 16 * 16.0).reshape(2, 3, 16, 16).sin()
ROIS = torch.cat([torch.tensor([[0.0], [1], [0]]), BOXES / 4], 1)
PYRAMID = {"0": FEATURES, "1": FEATURES[:, :, ::2, ::2]}
ONE = (3, 2), 0.5, 2, True
MANY = ["0", "1"], (3, 2), 2


@pytest.fixture
def torchvision() -> ModuleType:
    return peer("torchvision.ops")


@pytest.fixture(autouse=True)
def by_ptfast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps calls of little work from going to torchvision."""
    for module in (functions, modules):
        monkeypatch.setattr(module, "suits_torchvision", lambda *arguments: False)


FUNCTIONS = {
    "nms": (lambda library, boxes: library.nms(boxes, SCORES, 0.5), BOXES),
    "batched_nms": (lambda library, boxes: library.batched_nms(boxes, SCORES, torch.tensor([0, 1, 0]), 0.5), BOXES),
    "box_iou": (lambda library, boxes: library.box_iou(boxes, BOXES), BOXES),
    "roi_align": (lambda library, x: library.roi_align(x, ROIS, 2, 0.5, 2), FEATURES),
}
TRANSFORMS = {
    "vmap": lambda function, x: torch.vmap(function)(torch.stack([x, x.flip(0)])),
    "grad": lambda function, x: torch.func.grad(lambda x: (x.sum() * function(x)).sum())(x),
    "jvp": lambda function, x: torch.func.jvp(function, (x,), (x.flip(0),)),
    "make_fx": lambda function, x: make_fx(function)(x.flip(0))(x),
    "jit.trace": lambda function, x: torch.jit.trace(function, x.flip(0), check_trace=False)(x),
    "compile": lambda function, x: torch.compile(function, backend="eager", fullgraph=True)(x),
    "dynamic": lambda function, x: torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=True)(x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_transforms_are_torchvisions(torchvision: ModuleType, name: str, transform: str) -> None:
    if (name, transform) == ("roi_align", "grad"):
        pytest.skip("torchvision 0.28's own roi_align has no torch.func.grad")
    function, x = FUNCTIONS[name]
    torch._dynamo.reset()
    result = TRANSFORMS[transform](lambda x: function(dropin, x), x)
    expected = TRANSFORMS[transform](lambda x: function(torchvision, x), x)
    own = name == "roi_align" and transform in ("compile", "dynamic")  # graphs take ptfast's
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6 if own else 0)


def test_forward_mode_is_torchvisions(torchvision: ModuleType) -> None:
    """And its roi_align passes no tangent on."""
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(FEATURES, torch.ones_like(FEATURES))
        assert forward_ad.unpack_dual(dropin.roi_align(dual, ROIS, 2)).tangent is None
        kinds = dropin.MultiScaleRoIAlign, torchvision.MultiScaleRoIAlign
        pools = [kind(*MANY)(PYRAMID | {"0": dual}, [BOXES, BOXES], [(64, 64)]) for kind in kinds]
        assert pools[0].equal(pools[1])


def test_box_iou_needs_no_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "original", lambda module, attribute: None)
    boxes = BOXES.double()
    with forward_ad.dual_level():
        moved = forward_ad.make_dual(boxes, torch.ones_like(boxes))
        tangent = forward_ad.unpack_dual(dropin.box_iou(moved, boxes)).tangent
    assert tangent is not None
    # The second box lies one pixel to the right of and below the first: (9 - d)^2 / (200 - (9 - d)^2) at d = 0.
    assert tangent[1, 0].item() == pytest.approx(-3600 / 119**2)
    stacked = torch.stack([BOXES, BOXES.flip(0)])
    assert torch.vmap(dropin.box_iou)(stacked, stacked).equal(dropin.box_iou(stacked, stacked))


def test_graphs_and_traces_hold_torchvisions_operation(torchvision: ModuleType) -> None:
    def suppress(boxes: Tensor, scores: Tensor) -> Tensor:
        return dropin.nms(boxes, scores, 0.5)

    assert torch.compile(suppress, backend="eager")(BOXES, SCORES).tolist() == [0, 2]
    traced = torch.jit.trace(suppress, (BOXES, SCORES), check_trace=False)
    assert traced(BOXES[[0, 2, 1]], SCORES).tolist() == [0, 1]
    assert "torchvision::nms" in str(traced.graph)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_torchscript_compiles_torchvisions_functions(torchvision: ModuleType, name: str) -> None:
    ours, theirs = (torch.jit.script(getattr(library, name)) for library in (dropin, torchvision))
    assert str(ours.graph) == str(theirs.graph)


def test_torchscript_of_a_program_within_patched(torchvision: ModuleType) -> None:
    def suppress(boxes: Tensor, scores: Tensor) -> Tensor:
        return torchvision.nms(boxes, scores, 0.5)

    with patched("torchvision"):
        assert torchvision.nms is dropin.nms
        scripted = torch.jit.script(suppress)
    assert scripted(BOXES, SCORES).tolist() == [0, 2]
    assert "torchvision::nms" in str(scripted.inlined_graph)


@pytest.mark.parametrize("made", ["outside", "before", "within"])
def test_torchscript_compiles_torchvisions_modules(torchvision: ModuleType, made: str) -> None:
    expected = torchvision.RoIAlign(*ONE)(FEATURES, ROIS)
    expected_of_many = torchvision.MultiScaleRoIAlign(*MANY)(PYRAMID, [BOXES, BOXES], [(64, 64)])
    if made == "outside":
        one, many = (
            torch.jit.script(pool.eval()) for pool in (dropin.RoIAlign(*ONE), dropin.MultiScaleRoIAlign(*MANY))
        )
        assert not many.training
    else:
        pools = torchvision.RoIAlign(*ONE), torchvision.MultiScaleRoIAlign(*MANY)
        with patched("torchvision"):
            if made == "within":
                pools = torchvision.RoIAlign(*ONE), torchvision.MultiScaleRoIAlign(*MANY)
            one, many = (torch.jit.script(pool) for pool in pools)
    assert one(FEATURES, ROIS).equal(expected)
    assert many(PYRAMID, [BOXES, BOXES], [(64, 64)]).equal(expected_of_many)
    torch.jit.save(many, io.BytesIO())


def test_torchscript_leaves_what_is_derived_from_ptfasts_modules() -> None:
    """Its methods may be others."""
    for kind, settings in ((dropin.RoIAlign, ONE), (dropin.MultiScaleRoIAlign, MANY)):
        derived = type("Derived", (kind,), {})(*settings)
        assert derived.__prepare_scriptable__() is derived


def test_torchscript_without_torchvision_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "original", lambda module, attribute: None)
    for name, value in {"nms": dropin.nms, "RoIAlign": dropin.RoIAlign(*ONE)}.items():
        message = f"TorchScript compiles torchvision's {name}, which is not there: pip install torchvision"
        with pytest.raises(RuntimeError, match=message):
            torch.jit.script(value)


def test_pools_made_before_count_within(torchvision: ModuleType) -> None:
    before = [torchvision.RoIAlign(*ONE), torchvision.MultiScaleRoIAlign(*MANY)]
    with patched("torchvision"):
        kinds = torchvision.RoIAlign, torchvision.MultiScaleRoIAlign
        assert kinds == (dropin.RoIAlign, dropin.MultiScaleRoIAlign)
        assert [isinstance(pool, kind) for pool in before for kind in kinds] == [True, False, False, True]
    assert not isinstance(before[0], dropin.RoIAlign)
