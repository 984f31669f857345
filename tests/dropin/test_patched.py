"""Swapping, tried on small packages that the tests write."""

from __future__ import annotations

import importlib
import importlib.util
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ptfast.dropin
from ptfast.dropin import _patching, _swaps, patched
from ptfast.dropin._originals import StandIn, original
from ptfast.dropin._patching import SWAPPED

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


class Counter(metaclass=StandIn):
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
    assert _swaps.PATCHES == {}


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


def test_a_decorated_function_may_call_itself(fakes: Any) -> None:
    inner = fakes("fake_peer.inner")

    @patched("fake_peer")
    def sums(n: int) -> list[Any]:
        return [inner.add(n, 0), *(sums(n - 1) if n else []), inner.add(n, 0)]

    assert sums(2) == [("ptfast", n) for n in (2, 1, 0, 0, 1, 2)]
    assert inner.add(1, 2) == ("fake_peer", 3)


async def coroutine() -> None: ...


async def stream() -> Any:
    yield 0


def generator() -> Any:
    yield 0


@pytest.mark.parametrize("decorated", [coroutine, stream, generator, Counter], ids=lambda value: value.__name__)
def test_decorating_what_runs_later_is_an_error(fakes: Any, decorated: Any) -> None:
    message = rf"^patched wraps functions, not .* got {decorated.__name__}; use `with patched\(\.\.\.\)` inside$"
    with pytest.raises(TypeError, match=message):
        patched("fake_peer")(decorated)


def test_original_instances_count_within(fakes: Any) -> None:
    """But not as instances of what is derived from ptfast's class."""
    package = fakes("fake_peer")
    before, derived = package.Counter(), type("Derived", (Counter,), {})
    with patched("fake_peer"):
        assert package.Counter is Counter
        assert isinstance(before, package.Counter) and isinstance(Counter(), package.Counter)
        assert not isinstance(before, derived) and not isinstance(0, package.Counter)
    assert not isinstance(before, Counter)


def test_pickling_is_as_described(fakes: Any) -> None:
    before = fakes("fake_peer").Counter()
    with patched("fake_peer"), pytest.raises(pickle.PicklingError, match="not the same object"):
        pickle.dumps(before)
    pickle.dumps(before)


def test_what_is_taken_within_and_is_in_no_module_stays(fakes: Any) -> None:
    inner, held = fakes("fake_peer.inner"), []
    with patched("fake_peer"):
        held.append(inner.add)
    assert held == [add]


def test_the_original_is_found_where_a_program_swaps_by_itself(fakes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inner, package, other = fakes("fake_peer.inner"), fakes("fake_peer"), fakes("fake_other")
    before = inner.add
    inner.add = add
    assert original("fake_peer.inner", "add") is before
    with patched("fake_peer"):
        assert package.add is inner.add is add
    assert package.add is before and inner.add is add  # which the program gave it
    original.cache_clear()
    inner.add = lambda a, b: add(a, b)
    assert original("fake_peer.inner", "add") is before
    monkeypatch.setattr(double, "__module__", "ptfast.dropin.fake_other")
    other.double = double
    assert original("fake_other", "double")(1) == ("fake_other", 2)  # of a fresh copy: no other module has it
    assert other.double is double


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
        ((["fake_old"],), ValueError, r"packages must be among torchvision, scipy, .*, got \['fake_old'\]"),
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


def test_public_names() -> None:
    assert ptfast.dropin.__all__ == ["patched"]
