"""ptfast: pose estimation and tracking of many people in video, fast."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptfast import dropin, evaluation, interop, io, ops, tracking, viz
    from ptfast._native import set_num_threads
    from ptfast.io import read_poses, read_sequences, write_poses
    from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton
    from ptfast.structures import Poses, Tracklets
    from ptfast.tracking import OnlineLinker, link

__version__ = "0.1.0"
__all__ = [
    "COCO_17", "POSETRACK_15", "POSETRACK_17", "OnlineLinker", "Poses", "Skeleton", "Tracklets", "dropin", "evaluation",
    "interop", "io", "link", "ops", "read_poses", "read_sequences", "set_num_threads", "tracking", "viz", "write_poses",
]  # fmt: skip

_MODULES = {
    **dict.fromkeys(("COCO_17", "POSETRACK_15", "POSETRACK_17", "Skeleton"), "skeletons"),
    **dict.fromkeys(("Poses", "Tracklets"), "structures"),
    **dict.fromkeys(("OnlineLinker", "link"), "tracking"),
    **dict.fromkeys(("read_poses", "read_sequences", "write_poses"), "io"),
    "set_num_threads": "_native",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `import ptfast` loads nothing that it does not need."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"ptfast.{_MODULES.get(name, name)}")
    return getattr(module, name) if name in _MODULES else module


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
