"""Poses drawn on images, as videos that browsers play, and as contact sheets; one colour for each track id.

OpenCV is loaded with the first function that is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptfast.viz._draw import draw_poses as draw_poses
    from ptfast.viz._palette import id_color as id_color
    from ptfast.viz._sheet import contact_sheet as contact_sheet
    from ptfast.viz._video import render_video as render_video
    from ptfast.viz._video import write_video as write_video

_HOMES = {
    "contact_sheet": "_sheet",
    "draw_poses": "_draw",
    "id_color": "_palette",
    "render_video": "_video",
    "write_video": "_video",
}
__all__ = ["contact_sheet", "draw_poses", "id_color", "render_video", "write_video"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
