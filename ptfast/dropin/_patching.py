"""Swaps other packages' functions for ptfast's in a running program, and puts them back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec
from inspect import isasyncgenfunction, isclass, iscoroutinefunction, isgeneratorfunction
from types import ModuleType
from typing import Any, TypeVar

# package: what is replaced, as (module, attribute), by the attribute of that name in ptfast.dropin.<package>.
SWAPPED: dict[str, tuple[tuple[str, str], ...]] = {
    "torchvision": tuple(
        ("torchvision.ops", name)
        for name in ("roi_align", "RoIAlign", "MultiScaleRoIAlign", "nms", "batched_nms", "box_iou")
    ),
    "scipy": (("scipy.optimize", "linear_sum_assignment"),),
    "lap": (("lap", "lapjv"),),
    "pycocotools": (("pycocotools.coco", "COCO"), *(("pycocotools.cocoeval", name) for name in ("COCOeval", "Params"))),
    "hrnet": (
        *(("nms.nms", name) for name in ("oks_iou", "oks_nms", "soft_oks_nms")),
        *(("core.inference", name) for name in ("get_max_preds", "get_final_preds")),
    ),
    "mmpose": (
        *(("mmpose.evaluation.functional.nms", name) for name in ("oks_iou", "oks_nms")),
        *(("mmpose.codecs.utils", n) for n in ("get_heatmap_maximum", "refine_keypoints", "refine_keypoints_dark")),
    ),
    "ultralytics": (("ultralytics.utils.metrics", "kpt_iou"),),
    "sklearn": (("sklearn.cluster", "MeanShift"),),
}
_INSTALL = {"sklearn": "pip install scikit-learn", "hrnet": "put the folder lib of HRNet's repository on sys.path"}

Function = TypeVar("Function", bound=Callable[..., Any])
Pair = tuple[Any, Any]  # an original and what stands in for it
Names = set[tuple[int, str]]  # a name in the namespace of this id


@dataclass
class _Patch:
    """A package whose functions are swapped.

    Attributes:
        pairs: What is swapped for what.
        own: Names of stand-ins from before, which the program imported itself; they stay.
        users: How many open `patched` blocks name the package.
    """

    pairs: list[Pair]
    own: Names
    users: int = 1


_LOCK = threading.RLock()
_PATCHES: dict[str, _Patch] = {}  # every package that is swapped now


def patched(*packages: str) -> Swap:
    """Replaces functions and classes of other packages by ptfast's, in the whole process, until the block ends.

    Every module that holds the original under any name gets ptfast's, also those that imported it before:
    `torchvision.ops.poolers` its `roi_align`, a script its `from pycocotools.cocoeval import COCOeval`. At the end,
    also after an exception, the originals are back, in modules that were imported within the block, too; names that
    the program itself gave ptfast's functions before the block keep them. Blocks may be nested and overlap in several
    threads: a package is put back when the last block that names it ends.

    All threads see the swap, not only the one that asks for it. What is not in a module's namespace stays as it is:
    default arguments, closures, attributes of objects, subclasses and instances made before, code that
    TorchScript has compiled; and what such a place takes up within the block, it keeps after it. Going through all
    loaded modules takes some milliseconds to tens of them, so put the block around a program, not around a call. It
    also works as a decorator of functions, but not of generators, coroutines and classes.

    Original functions, instances of original classes and what holds them, such as a model made before, can be pickled
    only outside the block: within, their names stand for something else. Ptfast's can be pickled anywhere. Classes that
    stand in for torchvision's and pycocotools', within the block, count original instances as theirs in isinstance.
    TorchScript compiles torchvision's functions and modules, within the block, too.

    Args:
        *packages: "torchvision", "scipy", "lap", "pycocotools", "hrnet", "mmpose", "ultralytics" or "sklearn"; each
            module of ptfast.dropin says what it holds. Nothing is swapped unless all of them can be.

    Raises:
        ValueError: No package is named, or one that ptfast has nothing for.
        TypeError: What is decorated is a generator function, a coroutine function or a class.
        ImportError: On entering: a package is not installed, cannot be imported, or is a version that lacks a function.

    Example:
        >>> with ptfast.dropin.patched("pycocotools"):
        ...     evaluate_as_ever()
    """
    for name in packages:
        if not isinstance(name, str) or name not in SWAPPED:
            raise ValueError(f"packages must be among {', '.join(SWAPPED)}, got {name!r}")
    if not packages:
        raise ValueError(f"packages must name at least one of {', '.join(SWAPPED)}, got none")
    return Swap(list(dict.fromkeys(packages)))


class Swap(ContextDecorator):
    """The block that patched makes. It may be entered again, also before it has been left."""

    def __init__(self, packages: list[str]) -> None:
        self._packages = packages

    def __enter__(self) -> None:
        for name in self._packages:
            _load(name)  # before the lock is taken: an import may wait for another thread that wants to patch
        _swap(self._packages)

    def __exit__(self, *error: object) -> None:
        _restore(self._packages)

    def __call__(self, function: Function) -> Function:
        if isclass(function) or any(kind(function) for kind in _SUSPENDED):
            raise TypeError(
                "patched wraps functions, not generator functions, coroutine functions or classes, got "
                f"{getattr(function, '__qualname__', function)}; use `with patched(...)` inside"
            )
        return super().__call__(function)


# A call of these returns at once, and their bodies run when the block has ended.
_SUSPENDED: tuple[Callable[[Any], bool], ...] = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)


class StandIn(type):
    """Of a class that is swapped for another one: while it is, the other's instances count as its own."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        pairs = [pair for patch in list(_PATCHES.values()) for pair in patch.pairs]
        return any(isinstance(instance, first) for first, stand_in in pairs if stand_in is cls is not first)


@cache
def original(module: str, attribute: str) -> Any:
    """What `module` had as `attribute` before any swap, or None where the package is absent or does not load.

    A drop-in that leaves some calls to the original asks for it here. If it imported it in a function, it would,
    within `patched`, get itself. The same if the program has put ptfast's function into the module on its own: then
    this is the one that another of the package's modules holds, or that a fresh copy of the module makes.
    """
    try:
        home = import_module(module)
    except (ImportError, RuntimeError, OSError):
        return None
    with _LOCK:
        value = getattr(home, attribute)
        pairs = [pair for patch in _PATCHES.values() for pair in patch.pairs]
        value = next((first for first, stand_in in pairs if stand_in is value), value)
    package = module.split(".")[0]
    if _package_of(value) == package:
        return value
    for name, each in list(sys.modules.items()):
        if name.split(".")[0] == package and isinstance(each, ModuleType):
            found = _namespace(each).get(attribute)
            if _package_of(found) == package and getattr(found, "__name__", None) == attribute:
                return found
    if "ptfast" not in map(_package_of, getattr(value, "__mro__", [value])) or home.__spec__ is None:
        return value
    copy = module_from_spec(home.__spec__)
    home.__spec__.loader.exec_module(copy)  # type: ignore[union-attr]
    return getattr(copy, attribute)


def _package_of(value: Any) -> str:
    return str(getattr(value, "__module__", None)).split(".")[0]


def _load(package: str) -> None:
    """Imports all that a swap needs."""
    import_module(f"{__package__}.{package}")
    for module in dict.fromkeys(module for module, _ in SWAPPED[package]):
        try:
            import_module(module)
        except (ImportError, RuntimeError, OSError) as error:
            install = _INSTALL.get(package, f"pip install {package}")
            if isinstance(error, ModuleNotFoundError) and error.name and module.split(".")[0] == error.name:
                raise ModuleNotFoundError(
                    f"patched({package!r}) needs {package}, which is not installed: {install}", name=error.name
                ) from None
            raise ImportError(f"patched({package!r}) needs {module}, which cannot be imported: {error}") from error


def _pairs(package: str) -> list[Pair]:
    stand_ins = import_module(f"{__package__}.{package}")
    pairs = []
    for name, attribute in SWAPPED[package]:
        module = import_module(name)
        if not hasattr(module, attribute):
            raise ImportError(f"patched({package!r}) needs a version of {package} that has {name}.{attribute}")
        first, stand_in = getattr(module, attribute), getattr(stand_ins, attribute)
        pairs.append((original(name, attribute) if first is stand_in else first, stand_in))
    return pairs


def _swap(packages: list[str]) -> None:
    with _LOCK:
        fresh = {name: _pairs(name) for name in packages if name not in _PATCHES}
        stand_in_of = {id(first): stand_in for pairs in fresh.values() for first, stand_in in pairs}
        holders = _holders([value for pairs in fresh.values() for pair in pairs for value in pair])
        own = {(id(namespace), name) for namespace, name, value in holders if id(value) not in stand_in_of}
        for name in packages:
            if name in fresh:
                _PATCHES[name] = _Patch(fresh[name], own)
            else:
                _PATCHES[name].users += 1
        for namespace, name, value in holders:
            if id(value) in stand_in_of:
                namespace[name] = stand_in_of[id(value)]


def _restore(packages: list[str]) -> None:
    with _LOCK:
        for name in packages:
            _PATCHES[name].users -= 1
        over = [_PATCHES.pop(name) for name in packages if _PATCHES[name].users == 0]
        first_of = {id(stand_in): (first, patch.own) for patch in over for first, stand_in in patch.pairs}
        for namespace, name, value in _holders([stand_in for patch in over for _, stand_in in patch.pairs]):
            first, own = first_of[id(value)]
            if (id(namespace), name) not in own:
                namespace[name] = first


def _holders(values: list[Any]) -> list[tuple[dict[str, Any], str, Any]]:
    """Every namespace and name there that stands for one of the values, in loaded modules."""
    wanted = {id(value) for value in values}
    if not wanted:
        return []
    return [
        (namespace, name, value)
        for namespace in _namespaces()
        for name, value in list(namespace.items())
        if id(value) in wanted
    ]


def _namespaces() -> list[dict[str, Any]]:
    """Of all loaded modules but ptfast's, which mean what they hold."""
    found = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.split(".")[0] != "ptfast":
            namespace = _namespace(module)
            found[id(namespace)] = namespace
    return list(found.values())


def _namespace(module: ModuleType) -> dict[str, Any]:
    return object.__getattribute__(module, "__dict__")  # vars() would load a lazy module
