"""Swaps other packages' functions for ptfast's in a running program, and puts them back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from importlib import import_module
from inspect import isasyncgenfunction, isclass, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar

from ptfast.dropin._originals import original
from ptfast.dropin._swaps import Pair, restore, swap

# For each package the (module, attribute) that are replaced, by the attribute of that name in ptfast.dropin.<package>.
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


def patched(*packages: str) -> Swap:
    """Replaces functions and classes of other packages by ptfast's, in the whole process, until the block ends.

    Every module that holds the original under any name gets ptfast's, also those that imported it before:
    `torchvision.ops.poolers` its `roi_align`, a script its `from pycocotools.cocoeval import COCOeval`. At the end,
    also after an exception, the originals are back, in modules that were imported within the block, too. Names that
    the program itself gave ptfast's functions before the block keep them. Blocks may be nested and overlap in several
    threads: a package is put back when the last block that names it ends.

    All threads see the swap, not only the one that asks for it. What is not in a module's namespace stays as it is:
    default arguments, closures, attributes of objects, subclasses and instances made before, and code that TorchScript
    has compiled. Whatever such a place takes up within the block, it keeps after it. Going through all
    loaded modules takes some milliseconds to tens of them, so put the block around a program, not around a call. It
    also works as a decorator of functions, but not of generators, coroutines and classes.

    Original functions, instances of original classes and what holds them, such as a model made before, can be pickled
    only outside the block: within, their names stand for something else. Ptfast's can be pickled anywhere. Classes that
    stand in for torchvision's and pycocotools', within the block, count original instances as theirs in isinstance.
    TorchScript compiles torchvision's functions and modules, within the block, too.

    Args:
        *packages: "torchvision", "scipy", "lap", "pycocotools", "hrnet", "mmpose", "ultralytics" or "sklearn". Each
            module of ptfast.dropin lists its functions. Nothing is swapped unless all packages can be.

    Raises:
        ValueError: No package is named, or one that ptfast has nothing for.
        TypeError: A generator function, a coroutine function or a class is decorated.
        ImportError: A package is not installed, cannot be imported, or is a version that lacks a function. Raised on
            entering the block.

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
        swap(self._packages, _pairs)

    def __exit__(self, *error: object) -> None:
        restore(self._packages)

    def __call__(self, function: Function) -> Function:
        if isclass(function) or any(kind(function) for kind in _SUSPENDED):
            raise TypeError(
                "patched wraps functions, not generator functions, coroutine functions or classes, got "
                f"{getattr(function, '__qualname__', function)}; use `with patched(...)` inside"
            )
        return super().__call__(function)


# A call of these returns at once, and their bodies run when the block has ended.
_SUSPENDED: tuple[Callable[[Any], bool], ...] = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)


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
    """A package's originals and their stand-ins."""
    stand_ins = import_module(f"{__package__}.{package}")
    pairs = []
    for name, attribute in SWAPPED[package]:
        module = import_module(name)
        if not hasattr(module, attribute):
            raise ImportError(f"patched({package!r}) needs a version of {package} that has {name}.{attribute}")
        first, stand_in = getattr(module, attribute), getattr(stand_ins, attribute)
        pairs.append((original(name, attribute) if first is stand_in else first, stand_in))
    return pairs
