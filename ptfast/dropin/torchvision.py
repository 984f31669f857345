"""torchvision.ops' roi_align, RoIAlign, MultiScaleRoIAlign, nms, batched_nms and box_iou, as in torchvision 0.29.

torchvision need not be installed, except for the kinds of input that each function's description names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptfast.dropin._torchvision.box_iou import box_iou
from ptfast.dropin._torchvision.nms import batched_nms, nms
from ptfast.dropin._torchvision.roi_align import roi_align

if TYPE_CHECKING:
    from ptfast.dropin._torchvision.modules import MultiScaleRoIAlign, RoIAlign

__all__ = ["MultiScaleRoIAlign", "RoIAlign", "batched_nms", "box_iou", "nms", "roi_align"]


def __getattr__(name: str) -> Any:
    if name in ("MultiScaleRoIAlign", "RoIAlign"):  # loads torchvision, of whose classes they are
        from ptfast.dropin._torchvision import modules

        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
