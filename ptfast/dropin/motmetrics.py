"""py-motmetrics' accumulator and its summary of CLEAR MOT and identity measures, by ptfast.ops.clear_match.

    import ptfast.dropin.motmetrics as mm       # instead of: import motmetrics as mm

Equal to motmetrics 1.4.0, and so OVERALL's motp is NaN where one sequence has no detections. Frames are kept as they
come and matched in one native call when measures are asked for. What this module does not do itself it leaves to
motmetrics, which has to be installed for that: the event table, a log, measures by object and registered ones, frame
ids that do not rise, ids that are no integers or occur twice in a frame, a max_switch_time, and every name that is not
here (mm.distances, mm.io, ...).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ptfast.dropin._motmetrics.accumulator import MOTAccumulator
from ptfast.dropin._motmetrics.metrics import metrics

__all__ = ["MOTAccumulator", "metrics"]


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("motmetrics"), name)
