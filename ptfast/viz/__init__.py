"""Poses drawn on images, as videos that browsers play, and as contact sheets; one colour for each track id.

OpenCV is loaded with the first function that is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptfast.viz._draw import blank_image, draw_poses, trails_at
    from ptfast.viz._frames import canvas_size
    from ptfast.viz._palette import id_color
    from ptfast.viz._sheet import contact_sheet
    from ptfast.viz._video import render_video, write_video

_HOMES = {
    **dict.fromkeys(("blank_image", "draw_poses", "trails_at"), "_draw"),
    **dict.fromkeys(("render_video", "write_video"), "_video"),
    "canvas_size": "_frames",
    "contact_sheet": "_sheet",
    "id_color": "_palette",
}
__all__ = [
    "blank_image", "canvas_size", "contact_sheet", "draw_poses", "id_color", "render_video", "trails_at", "write_video",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
