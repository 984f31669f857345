"""py-motmetrics' accumulator and its summary of CLEAR MOT and identity measures, by ptfast.ops.clear_match.

    import ptfast.dropin.motmetrics as mm       # instead of: import motmetrics as mm

Equal to motmetrics 1.4.0, and so OVERALL's motp is NaN where one sequence has no detections. Frames are kept as they
come and matched in one native call when measures are asked for. What this module does not do itself it leaves to
motmetrics, which has to be installed for that: the event table, measures by object, frame ids that do not rise, ids
that are no integers or occur twice in a frame, a max_switch_time, and every name that is not here (mm.distances,
mm.io, ...). A log (`vf`) is not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ptfast.dropin._motmetrics_measures import MEASURES, measure, merge

__all__ = ["MOTAccumulator", "metrics"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("motmetrics"), name)


class MOTAccumulator:
    """Collects the frames of one sequence.

    Args:
        auto_id: Whether frames are numbered from 0; else every update names its frame.
        max_switch_time: For how long an object remembers its hypothesis; other values than infinity need motmetrics.
    """

    def __init__(self, auto_id: bool = False, max_switch_time: float = float("inf")) -> None:
        self.auto_id, self.max_switch_time = auto_id, max_switch_time
        self.reset()

    def reset(self) -> None:
        """Forgets all frames."""
        self._frames: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._frame_ids: list[Any] = []
        self._original: Any = None  # motmetrics' own accumulator, once it is needed, and how many frames it has
        self._passed_on = 0
        self._repeats = False  # whether an object's id was twice in a frame

    def update(self, oids: Any, hids: Any, dists: Any, frameid: Any = None, vf: str = "") -> Any:
        """Adds a frame.

        Args:
            oids: (N,) ids of objects.
            hids: (M,) ids of hypotheses.
            dists: (N, M) distances; a NaN or an infinity forbids the pair.
            frameid: The frame, unless they are numbered.
            vf: Nothing.

        Returns:
            The frame's id.

        Raises:
            AssertionError: The frame's id is missing, or it is given and frames are numbered.
            KeyError: An object's id is repeated in the first frame that has it, and motmetrics stumbles over that.
            ValueError: The distances do not fit, or a log is asked for.
        """
        if vf != "":
            raise ValueError("vf must be '', as ptfast writes no log; motmetrics' own accumulator does")
        objects, hypotheses = np.array(oids), np.array(hids)
        distances = np.atleast_2d(dists).astype(float).reshape(objects.shape[0], hypotheses.shape[0])
        if frameid is None:
            if not self.auto_id:
                raise AssertionError("auto-id is not enabled")
            frameid = self._frame_ids[-1] + 1 if self._frame_ids else 0
        elif self.auto_id:
            raise AssertionError("Cannot provide frame id when auto-id is enabled")
        self._frames.append((objects, hypotheses, distances))
        self._frame_ids.append(frameid)
        self._repeats |= len(set(objects.tolist())) < len(objects)
        if self._repeats:
            self._passed()  # which may be an error, and should then be one here
        return frameid

    @property
    def events(self) -> Any:
        """motmetrics' event table, a pandas.DataFrame, of its own accumulator."""
        return self._passed().events

    @property
    def mot_events(self) -> Any:
        """The rows of `events` that are not raw input."""
        return self.events[self.events.Type != "RAW"]

    def _passed(self) -> Any:
        """motmetrics' accumulator of all frames."""
        if self._original is None:
            self._original = import_module("motmetrics").MOTAccumulator(False, self.max_switch_time)
        while self._passed_on < len(self._frames):
            frame, frame_id = self._frames[self._passed_on], self._frame_ids[self._passed_on]
            self._passed_on += 1  # first, for a frame that fails is not to be passed on again
            self._original.update(*frame, frameid=frame_id)
        return self._original

    def _measures(self) -> dict[str, Any] | None:
        """All of MEASURES, or None for frames that are left to motmetrics."""
        rising = all(a < b for a, b in zip(self._frame_ids, self._frame_ids[1:], strict=False))
        return measure(self._frames) if rising and self.max_switch_time == float("inf") else None


class _MetricsHost:
    """motmetrics' MetricsHost, for accumulators of this module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("motmetrics").metrics.create(), name)

    def compute(
        self, df: Any, ana: Any = None, metrics: Sequence[str] | str | None = None, return_dataframe: bool = True,
        return_cached: bool = False, name: Any = None,
    ) -> Any:  # fmt: skip
        """Measures of one accumulator: a pandas.DataFrame with one row, or a dictionary.

        Args:
            df: The accumulator.
            ana: Ignored.
            metrics: Names; default metrics.motchallenge_metrics.
            return_dataframe: Whether to make a table.
            return_cached: Whether to add what the measures are computed from; this needs motmetrics.
            name: The row's name, default 0.
        """
        names = _names(metrics)
        values = df._measures() if isinstance(df, MOTAccumulator) and MEASURES.issuperset(names) else None
        if values is None or return_cached:
            table = df.events if isinstance(df, MOTAccumulator) else df
            host = import_module("motmetrics").metrics.create()
            return host.compute(table, ana, names, return_dataframe, return_cached, name)
        chosen = {each: values[each] for each in names}
        return _row(chosen, 0 if name is None else name) if return_dataframe else chosen

    def compute_many(
        self, dfs: Sequence[Any], anas: Any = None, metrics: Sequence[str] | str | None = None,
        names: Sequence[Any] | None = None, generate_overall: bool = False,
    ) -> Any:  # fmt: skip
        """Measures of several accumulators: a pandas.DataFrame with a row for each.

        Args:
            dfs: The accumulators.
            anas: Ignored.
            metrics: As in compute.
            names: The rows' names, default their numbers.
            generate_overall: Whether to add a row OVERALL of all together.
        """
        import pandas

        wanted = _names(metrics)
        if names is not None and len(names) != len(dfs):
            raise AssertionError
        ours = all(isinstance(acc, MOTAccumulator) for acc in dfs) and MEASURES.issuperset(wanted)
        parts = [acc._measures() for acc in dfs] if ours else []
        if not ours or any(part is None for part in parts):
            tables = [acc.events if isinstance(acc, MOTAccumulator) else acc for acc in dfs]
            host = import_module("motmetrics").metrics.create()
            return host.compute_many(tables, anas, wanted, names, generate_overall)
        labels = list(range(len(parts))) if names is None else list(names)
        if generate_overall:
            parts, labels = [*parts, merge(parts)], [*labels, "OVERALL"]
        rows = zip(parts, labels, strict=True)
        return pandas.concat([_row({each: part[each] for each in wanted}, label) for part, label in rows])


class _Metrics:
    """motmetrics' module `metrics`."""

    motchallenge_metrics = [  # noqa: RUF012 - a list, as there
        "idf1", "idp", "idr", "recall", "precision", "num_unique_objects", "mostly_tracked", "partially_tracked",
        "mostly_lost", "num_false_positives", "num_misses", "num_switches", "num_fragmentations", "mota", "motp",
        "num_transfer", "num_ascend", "num_migrate",
    ]  # fmt: skip

    @staticmethod
    def create() -> _MetricsHost:
        """A host that computes measures."""
        return _MetricsHost()

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("motmetrics").metrics, name)


metrics = _Metrics()


def _names(metrics: Sequence[str] | str | None) -> list[str]:
    if metrics is None:
        return _Metrics.motchallenge_metrics
    return [metrics] if isinstance(metrics, str) else list(metrics)


def _row(values: dict[str, Any], name: Any) -> Any:
    import pandas

    return pandas.DataFrame(values, index=[name])
