"""Swapping: tried on small packages that the tests write, and on those that are installed."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from peers import find_peer, peer

import ptfast.dropin
from ptfast.dropin import _patching, patched
from ptfast.dropin._patching import SWAPPED, original

FILES = {
    "fake_peer/__init__.py": "from .inner import add, Counter",
    "fake_peer/inner.py": "def add(a, b): return 'fake_peer', a + b\nclass Counter: origin = 'fake_peer'",
    "fake_peer/user.py": "from .inner import add as plus\ndef total(): return plus(1, 2)",
    "fake_other.py": "def double(a): return 'fake_other', 2 * a",
    "fake_old.py": "def something_else(): pass",
    "fake_broken.py": "raise RuntimeError('built for another version')",
    "fake_late.py": "from fake_peer import add\nfrom fake_peer.inner import Counter as Late",
}
TABLE = {
    "fake_peer": (("fake_peer.inner", "add"), ("fake_peer", "Counter")),
    "fake_other": (("fake_other", "double"),),
    "fake_old": (("fake_old", "double"),),
    "fake_broken": (("fake_broken", "double"),),
    "fake_absent": (("fake_absent.inner", "double"),),
}


def add(a: int, b: int) -> tuple[str, int]:
    before = original("fake_peer.inner", "add")
    return "ptfast", before(a, b)[1]


def double(a: int) -> tuple[str, int]:
    return "ptfast", 2 * a


class Counter:
    origin = "ptfast"


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Packages to patch and drop-ins for them; gives the import of one, and forgets them all afterwards."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for package, swaps in TABLE.items():
        monkeypatch.setitem(SWAPPED, package, swaps)
        stand_ins = ModuleType(f"ptfast.dropin.{package}")
        vars(stand_ins).update({name: globals()[name] for _, name in swaps})
        monkeypatch.setitem(sys.modules, stand_ins.__name__, stand_ins)
    # This file's own names for the stand-ins count as the program's: they must stay.
    original.cache_clear()
    yield importlib.import_module
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]
    original.cache_clear()
    assert _patching._PATCHES == {}


def test_functions_and_classes_are_swapped_and_put_back(fakes: Any) -> None:
    inner, package = fakes("fake_peer.inner"), fakes("fake_peer")
    before = inner.add, inner.Counter
    with patched("fake_peer"):
        assert inner.add is package.add is add
        assert inner.Counter is package.Counter is Counter
    assert (inner.add, inner.Counter) == (package.add, package.Counter) == before


def test_earlier_importers_are_swapped_under_whatever_name(fakes: Any) -> None:
    user = fakes("fake_peer.user")
    with patched("fake_peer"):
        assert user.total() == ("ptfast", 3)
    assert user.total() == ("fake_peer", 3)


def test_what_is_imported_within_is_put_back_too(fakes: Any) -> None:
    with patched("fake_peer"):
        late = fakes("fake_late")
        assert late.add is add and late.Late is Counter
    assert late.add(1, 2) == ("fake_peer", 3)
    assert late.Late.origin == "fake_peer"


def test_the_program_s_own_imports_of_ptfast_stay(fakes: Any) -> None:
    with patched("fake_peer"):
        pass
    assert add(1, 2) == ("ptfast", 3)
    assert Counter.origin == "ptfast"


def test_a_name_that_the_program_rebinds_within_stays(fakes: Any) -> None:
    inner = fakes("fake_peer.inner")
    with patched("fake_peer"):
        inner.add = max
    assert inner.add is max


def test_ptfast_s_own_modules_keep_the_original(fakes: Any) -> None:
    stand_ins: Any = sys.modules["ptfast.dropin.fake_peer"]
    stand_ins.held = held = fakes("fake_peer").add
    with patched("fake_peer"):
        assert stand_ins.held is held


def test_an_exception_puts_back(fakes: Any) -> None:
    inner = fakes("fake_peer.inner")
    with pytest.raises(KeyError, match="from within"), patched("fake_peer"):
        assert inner.add is add
        raise KeyError("from within")
    assert inner.add(1, 2) == ("fake_peer", 3)


def test_nested_blocks_are_counted_for_each_package(fakes: Any) -> None:
    inner, other = fakes("fake_peer.inner"), fakes("fake_other")
    with patched("fake_peer", "fake_peer"):
        with patched("fake_other", "fake_peer"):
            assert (inner.add, other.double) == (add, double)
        assert inner.add is add
        assert other.double(2) == ("fake_other", 4)
    assert inner.add(1, 2) == ("fake_peer", 3)


def test_as_a_decorator(fakes: Any) -> None:
    inner = fakes("fake_peer.inner")

    @patched("fake_peer")
    def program() -> object:
        return inner.add(1, 2)

    assert program() == program() == ("ptfast", 3)
    assert inner.add(1, 2) == ("fake_peer", 3)


def test_the_original_is_to_be_had_within(fakes: Any) -> None:
    before = fakes("fake_peer").add
    with patched("fake_peer"):
        assert original("fake_peer.inner", "add") is before
        assert original("fake_peer", "add") is before
        assert original("fake_other", "double")(1) == ("fake_other", 2)
    assert original("fake_absent", "double") is None
    assert original("fake_broken", "double") is None


def test_blocks_that_overlap_in_threads(fakes: Any) -> None:
    """The first to enter leaves first; the swap lasts until the second leaves."""
    inner = fakes("fake_peer.inner")
    both_in, first_out = threading.Barrier(2, timeout=30), threading.Event()
    seen: list[object] = []

    def second() -> None:
        with patched("fake_peer"):
            both_in.wait()
            first_out.wait(30)
            seen.append(inner.add)

    thread = threading.Thread(target=second)
    thread.start()
    with patched("fake_peer"):
        both_in.wait()
    seen.append(inner.add)
    first_out.set()
    thread.join()
    assert seen == [add, add]
    assert inner.add(1, 2) == ("fake_peer", 3)


def test_many_threads_leave_things_as_they_were(fakes: Any) -> None:
    inner, other = fakes("fake_peer.inner"), fakes("fake_other")
    wrong: list[object] = []

    def work(names: tuple[str, ...]) -> None:
        for _ in range(10):
            with patched(*names):
                if "fake_peer" in names and inner.add is not add:
                    wrong.append(inner.add)

    groups = [("fake_peer",), ("fake_other", "fake_peer"), ("fake_other",)]
    threads = [threading.Thread(target=work, args=(names,)) for names in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert (inner.add(1, 2), other.double(2)) == (("fake_peer", 3), ("fake_other", 4))


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ((), ValueError, r"packages must name at least one of torchvision, .*, got none"),
        (("torchvison",), ValueError, r"packages must be among torchvision, scipy, .*, got 'torchvison'"),
        (("fake_absent",), ModuleNotFoundError,
         r"patched\('fake_absent'\) needs fake_absent, which is not installed: pip install fake_absent"),
        (("fake_broken",), ImportError,
         r"patched\('fake_broken'\) needs fake_broken, which cannot be imported: built for another version"),
        (("fake_old",), ImportError,
         r"patched\('fake_old'\) needs a version of fake_old that has fake_old.double"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong_and_swap_nothing(
    fakes: Any, names: tuple[str, ...], error: type[Exception], message: str
) -> None:
    inner = fakes("fake_peer.inner")
    held = ("fake_peer", *names) if names else ()
    with pytest.raises(error, match=message), patched(*held):
        pass
    assert inner.add(1, 2) == ("fake_peer", 3)


def test_a_package_named_otherwise_than_its_module_says_what_to_install(
    fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_patching._INSTALL, "fake_absent", "pip install fake-package")
    with pytest.raises(ImportError, match=r"which is not installed: pip install fake-package$"), patched("fake_absent"):
        pass


def test_lazy_modules_stay_unloaded(fakes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("fake_broken")
    assert spec and spec.loader
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fake_broken", lazy)
    spec.loader.exec_module(lazy)
    with patched("fake_peer"):
        pass
    with pytest.raises(RuntimeError, match="built for another version"):
        lazy.double  # noqa: B018


def test_every_stand_in_exists_and_stands_for_one_thing() -> None:
    found: dict[int, str] = {}
    for package, swaps in SWAPPED.items():
        stand_ins = importlib.import_module(f"ptfast.dropin.{package}")
        for _, name in swaps:
            stand_in = getattr(stand_ins, name)
            assert id(stand_in) not in found, f"{package}.{name} is {found[id(stand_in)]}: the way back is unclear"
            found[id(stand_in)] = f"{package}.{name}"


@pytest.mark.parametrize("package", SWAPPED)
def test_real_packages_are_swapped_and_put_back(package: str) -> None:
    swaps = SWAPPED[package]
    modules: list[Any] = []
    for name, _ in swaps:
        module, reason = find_peer(name)
        if module is None:
            pytest.skip(reason)
        modules.append(module)
    before = [getattr(module, name) for module, (_, name) in zip(modules, swaps, strict=True)]
    stand_ins = importlib.import_module(f"ptfast.dropin.{package}")
    with patched(package):
        for module, (_, name), first in zip(modules, swaps, before, strict=True):
            assert getattr(module, name) is getattr(stand_ins, name) is not first
            assert original(module.__name__, name) is first
    assert [getattr(module, name) for module, (_, name) in zip(modules, swaps, strict=True)] == before


def assignments() -> list[Any]:
    solve = peer("scipy.optimize").linear_sum_assignment
    return [solve(np.random.default_rng(n).random((n, n)))[1] for n in (3, 60)]


def lap_assignments() -> list[Any]:
    solve = peer("lap").lapjv
    return [solve(np.random.default_rng(n).random((n, n)))[1] for n in (3, 200)]


def suppressions() -> list[Any]:
    torch, ops = peer("torch"), peer("torchvision.ops")
    corners = torch.rand(400, 2, generator=torch.Generator().manual_seed(0))
    boxes = torch.cat([corners, corners + 0.2], 1)
    return [ops.nms(boxes[:n], boxes[:n, 0], 0.5) for n in (2, 400)] + [ops.box_iou(boxes[:n], boxes) for n in (2, 400)]


def pooled() -> list[Any]:
    torch, ops = peer("torch"), peer("torchvision.ops")
    pool = ops.MultiScaleRoIAlign(["0"], 2, 2)
    boxes = [torch.tensor([[1.0, 1.0, 9.0, 9.0]])]
    return [pool({"0": torch.arange(64.0).reshape(1, 1, 8, 8)}, boxes, [(16, 16)])]


def clusters() -> list[Any]:
    found = peer("sklearn.cluster").MeanShift(bandwidth=1).fit(np.random.default_rng(0).normal(size=(50, 2)) * 3)
    return [found.cluster_centers_]


def similarities() -> list[Any]:
    torch, metrics = peer("torch"), peer("ultralytics.utils.metrics")
    poses = torch.rand(30, 17, 3, generator=torch.Generator().manual_seed(0))
    return [metrics.kpt_iou(poses[:n], poses, torch.ones(n), [0.1] * 17) for n in (1, 30)]


@pytest.mark.parametrize(
    ("package", "results"),
    [
        ("scipy", assignments), ("lap", lap_assignments), ("torchvision", suppressions), ("torchvision", pooled),
        ("sklearn", clusters), ("ultralytics", similarities),
    ],
)  # fmt: skip
def test_results_stay_the_same_within(package: str, results: Callable[[], list[Any]]) -> None:
    """Also of calls that a stand-in leaves to the original: it must not find itself in its place."""
    before = results()
    with patched(package):
        within = results()
    for found, expected in zip(within, before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_torchvision_s_poolers_use_the_stand_in() -> None:
    poolers, reason = find_peer("torchvision.ops.poolers")
    if poolers is None:
        pytest.skip(reason)
    from torchvision.models.detection import roi_heads

    before = poolers.roi_align
    with patched("torchvision"):
        from ptfast.dropin.torchvision import nms, roi_align

        assert poolers.roi_align is roi_heads.roi_align is roi_align
        assert roi_heads.box_ops.nms is nms
    assert poolers.roi_align is roi_heads.roi_align is before


def test_importing_drop_ins_loads_neither_torch_nor_a_peer() -> None:
    """But for torchvision's, whose modules are torch's."""
    heavy = {"torch", "cv2", "numba"} | {module.split(".")[0] for swaps in SWAPPED.values() for module, _ in swaps}
    names = ", ".join(["ptfast.dropin", *(f"ptfast.dropin.{name}" for name in SWAPPED if name != "torchvision")])
    then = "import ptfast.dropin.torchvision; print('torchvision' in sys.modules)"
    script = f"import sys, {names}; print({heavy!r} & set(sys.modules)); {then}"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.splitlines() == ["set()", "False"]


def test_public_names() -> None:
    assert ptfast.dropin.__all__ == ["patched"]
