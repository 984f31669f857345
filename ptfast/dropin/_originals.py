"""Other packages' own functions and classes, whatever is swapped for them."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

from ptfast.dropin._swaps import LOCK, PATCHES, namespace


class StandIn(type):
    """Metaclass of a stand-in: while it is swapped for an original, the original's instances count as its own."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        pairs = [pair for patch in list(PATCHES.values()) for pair in patch.pairs]
        return any(isinstance(instance, first) for first, stand_in in pairs if stand_in is cls is not first)


@cache
def original(module: str, attribute: str) -> Any:
    """The `attribute` of `module` before any swap, or None where the package is absent or does not load.

    A drop-in that leaves some calls to the original asks for it here. If it imported it in a function, it would,
    within `patched`, get itself. The same if the program has put ptfast's function into the module on its own: then
    this is the one that another of the package's modules holds, or that a fresh copy of the module makes.
    """
    try:
        home = import_module(module)
    except (ImportError, RuntimeError, OSError):
        return None
    with LOCK:
        value = getattr(home, attribute)
        pairs = [pair for patch in PATCHES.values() for pair in patch.pairs]
        value = next((first for first, stand_in in pairs if stand_in is value), value)
    package = module.split(".")[0]
    if _package_of(value) == package:
        return value
    for name, each in list(sys.modules.items()):
        if name.split(".")[0] == package and isinstance(each, ModuleType):
            found = namespace(each).get(attribute)
            if _package_of(found) == package and getattr(found, "__name__", None) == attribute:
                return found
    if "ptfast" not in map(_package_of, getattr(value, "__mro__", [value])) or home.__spec__ is None:
        return value
    copy = module_from_spec(home.__spec__)
    home.__spec__.loader.exec_module(copy)  # type: ignore[union-attr]
    return getattr(copy, attribute)


def _package_of(value: Any) -> str:
    return str(getattr(value, "__module__", None)).split(".")[0]
