"""motmetrics' hosts of measures, for accumulators of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from ptfast.dropin._motmetrics.accumulator import MOTAccumulator
from ptfast.dropin._motmetrics.measures import MEASURES, merge
from ptfast.dropin._originals import original


class _MetricsHost:
    """motmetrics' MetricsHost, for accumulators of this module."""

    def __init__(self) -> None:
        self._original: Any = None  # motmetrics' host, once it is needed
        self._is_changed = False  # True once a measure of its own may mean something else

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._is_changed |= name == "metrics"  # the dictionary of all measures
        return getattr(self._host(), name)

    def register(self, fnc: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Adds a measure, as motmetrics' host does, whose arguments these are. It is motmetrics that computes it."""
        before = len(self._host().names)
        self._host().register(fnc, *arguments, **options)
        self._is_changed |= len(self._host().names) == before  # one has been replaced

    def _host(self) -> Any:
        if self._original is None:
            create = original("motmetrics.metrics", "create") or import_module("motmetrics").metrics.create
            self._original = create()
        return self._original

    def _knows(self, names: Sequence[str]) -> bool:
        return not self._is_changed and MEASURES.issuperset(names)

    def compute(
        self, df: Any, ana: Any = None, metrics: Sequence[str] | str | None = None, return_dataframe: bool = True,
        return_cached: bool = False, name: Any = None,
    ) -> Any:  # fmt: skip
        """Measures of one accumulator: a pandas.DataFrame with one row, or a dictionary.

        Args:
            df: The accumulator.
            ana: Ignored.
            metrics: Names; default metrics.motchallenge_metrics.
            return_dataframe: Makes a table.
            return_cached: Adds the figures that the measures are computed from. This needs motmetrics.
            name: The row's name, default 0.
        """
        names = _names(metrics)
        values = df.measures() if isinstance(df, MOTAccumulator) and self._knows(names) else None
        if values is None or return_cached:
            table = df.events if isinstance(df, MOTAccumulator) else df
            return self._host().compute(table, ana, names, return_dataframe, return_cached, name)
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
            metrics: Names; default metrics.motchallenge_metrics.
            names: The rows' names, default their numbers.
            generate_overall: Adds a row OVERALL of all together.
        """
        import pandas

        wanted = _names(metrics)
        if names is not None and len(names) != len(dfs):
            raise AssertionError
        ours = all(isinstance(acc, MOTAccumulator) for acc in dfs) and self._knows(wanted)
        parts = [acc.measures() for acc in dfs] if ours else []
        if not ours or any(part is None for part in parts):
            tables = [acc.events if isinstance(acc, MOTAccumulator) else acc for acc in dfs]
            return self._host().compute_many(tables, anas, wanted, names, generate_overall)
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
