"""Originals that are swapped for stand-ins in the namespaces of the running program."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Pair = tuple[Any, Any]  # an original and what stands in for it
Names = set[tuple[int, str]]  # a name in the namespace of this id


@dataclass
class Patch:
    """A package whose functions are swapped.

    Attributes:
        pairs: Originals and their stand-ins.
        own: Names of stand-ins from before, which the program imported itself and which stay.
        users: Number of open `patched` blocks that name the package.
    """

    pairs: list[Pair]
    own: Names
    users: int = 1


LOCK = threading.RLock()
PATCHES: dict[str, Patch] = {}  # every package that is swapped now


def swap(packages: list[str], pairs_of: Callable[[str], list[Pair]]) -> None:
    """Puts stand-ins in the place of originals, in all loaded modules.

    Args:
        packages: Their names. Those that are swapped already have one user more.
        pairs_of: Gives a package's originals and stand-ins.
    """
    with LOCK:
        fresh = {name: pairs_of(name) for name in packages if name not in PATCHES}
        stand_in_of = {id(first): stand_in for pairs in fresh.values() for first, stand_in in pairs}
        holders = _holders([value for pairs in fresh.values() for pair in pairs for value in pair])
        own = {(id(namespace), name) for namespace, name, value in holders if id(value) not in stand_in_of}
        for name in packages:
            if name in fresh:
                PATCHES[name] = Patch(fresh[name], own)
            else:
                PATCHES[name].users += 1
        for namespace, name, value in holders:
            if id(value) in stand_in_of:
                namespace[name] = stand_in_of[id(value)]


def restore(packages: list[str]) -> None:
    """Puts the originals of packages back that nobody uses any longer."""
    with LOCK:
        for name in packages:
            PATCHES[name].users -= 1
        over = [PATCHES.pop(name) for name in packages if PATCHES[name].users == 0]
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
    """Namespaces of all loaded modules but ptfast's, which mean what they hold."""
    found = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.split(".")[0] != "ptfast":
            names = namespace(module)
            found[id(names)] = names
    return list(found.values())


def namespace(module: ModuleType) -> dict[str, Any]:
    """The names of a module, without loading a lazy one as vars() would."""
    return object.__getattribute__(module, "__dict__")
