"""Reading and writing poses, and reading video.

OpenCV is loaded with the first function for video that is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ptfast.io.files import FORMATS, read_poses, read_sequences, write_poses
from ptfast.io.joint_sets import BOX_CENTER

if TYPE_CHECKING:
    from ptfast.io.paths import find_videos as find_videos
    from ptfast.io.video import Frame as Frame
    from ptfast.io.video import Video as Video
    from ptfast.io.video import open_video as open_video

_HOMES = {"Frame": "video", "Video": "video", "find_videos": "paths", "open_video": "video"}
__all__ = [
    "BOX_CENTER", "FORMATS", "Frame", "Video", "find_videos", "open_video", "read_poses", "read_sequences",
    "write_poses",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
