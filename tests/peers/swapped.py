"""A pytest plugin that swaps ptfast into the libraries named by PTFAST_PEERS, before their tests are imported.

The report's property `calls` counts calls of what was swapped in: of functions, and of classes to make an instance.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import isclass
from types import ModuleType
from typing import Any

import pytest

import ptfast.dropin
from ptfast.dropin import motmetrics as dropin
from ptfast.dropin._patching import SWAPPED

_called: list[str] = []


def pytest_configure() -> None:
    names = os.environ["PTFAST_PEERS"].split(",")
    patched = [name for name in names if name != "motmetrics"]
    for package in patched:
        for _, name in SWAPPED[package]:
            _count(import_module(f"ptfast.dropin.{package}"), name)
    if patched:
        ptfast.dropin.patched(*patched).__enter__()  # to the end of the process
    if "motmetrics" in names:
        import motmetrics

        _count(dropin, "MOTAccumulator")
        _count(dropin.metrics, "create")
        motmetrics.MOTAccumulator = dropin.MOTAccumulator
        motmetrics.metrics.create = dropin.metrics.create


@pytest.fixture(scope="session", autouse=True)
def _reported_calls(record_testsuite_property: Callable[[str, object], None]) -> Iterator[None]:
    yield
    record_testsuite_property("calls", len(_called))


def _count(module: ModuleType, name: str) -> None:
    """Counts calls of a function of a drop-in, or of a class."""
    value = getattr(module, name)
    if isclass(value):
        value.__init__ = _counted(value.__init__)
    else:
        setattr(module, name, _counted(value))


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        _called.append(function.__qualname__)
        return function(*args, **kwargs)

    return called
