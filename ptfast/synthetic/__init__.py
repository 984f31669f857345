"""Seeded scenes of articulated people as poses and as images, and detections of them.

OpenCV is loaded with the first image that is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ptfast.synthetic.crowd import crowd
from ptfast.synthetic.detections import detections
from ptfast.synthetic.scene import scene
from ptfast.synthetic.splits import load_test_set

if TYPE_CHECKING:
    from ptfast.synthetic.film import Film as Film
    from ptfast.synthetic.film import RenderedFrame as RenderedFrame
    from ptfast.synthetic.film import render as render

__all__ = ["Film", "RenderedFrame", "crowd", "detections", "load_test_set", "render", "scene"]


def __getattr__(name: str) -> Any:
    if name not in ("Film", "RenderedFrame", "render"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.film"), name)


def __dir__() -> list[str]:
    return __all__
