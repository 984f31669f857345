"""Makes names that are imported when first used visible to autodoc, and warns of a public name that is on no page."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from pydoc import locate
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import ptfast

_INTERNAL = {"cli", "reference"}  # for the command, which has a page of its own, and for tests


def public_modules() -> Iterator[str]:
    """ptfast, its public packages, and the modules of ptfast.dropin."""
    yield "ptfast"
    for module in iter_modules(ptfast.__path__):
        if module.ispkg and not module.name.startswith("_") and module.name not in _INTERNAL:
            yield f"ptfast.{module.name}"
    for module in iter_modules(import_module("ptfast.dropin").__path__):
        if not module.name.startswith("_"):
            yield f"ptfast.dropin.{module.name}"


def public_objects() -> Iterator[tuple[str, Any]]:
    """What each `__all__` names, modules aside, by full name."""
    for name in public_modules():
        module = import_module(name)
        for entry in getattr(module, "__all__", ()):
            value = getattr(module, entry)
            if not inspect.ismodule(value):
                yield f"{name}.{entry}", value


def _import_all(app: Sphinx) -> None:
    for name, value in public_objects():
        module, _, entry = name.rpartition(".")
        setattr(import_module(module), entry, value)


def _warn_of_missing(app: Sphinx, env: BuildEnvironment) -> None:
    documented = {id(locate(name)) for name in env.domains.python_domain.objects if name.startswith("ptfast")}
    for name, value in public_objects():
        if id(value) not in documented:
            logging.getLogger(__name__).warning("%s is public and on no page", name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects both to the build."""
    app.connect("builder-inited", _import_all)
    app.connect("env-check-consistency", _warn_of_missing)
    return {"parallel_read_safe": True}
