"""motmetrics' public names: each is there, and does what it does in the original."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from peers import peer

import ptfast.dropin.motmetrics as mm

REPEATED = [([1, 2], [7, 8], [[0.1, np.nan], [np.nan, 0.2]]), ([1, 2], [8, 9], [[0.3, np.nan], [np.nan, 0.4]])]


def collect(package: Any) -> Any:
    accumulator = package.MOTAccumulator(auto_id=True)
    for frame in REPEATED:
        accumulator.update(*frame)
    return accumulator


def test_every_public_name_is_there() -> None:
    original = peer("motmetrics")
    assert mm.__version__ == original.__version__
    for ours, theirs in (
        (mm, original),
        (mm.metrics, original.metrics),
        (mm.metrics.create(), original.metrics.create()),
        (mm.MOTAccumulator, original.MOTAccumulator),
        (collect(mm), collect(original)),
    ):
        missing = [name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)]
        assert missing == []


def squared(df: Any, mota: float) -> float:
    """MOTA times itself."""
    return mota**2


def test_a_registered_measure_is_computed() -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    tables = []
    for package in (mm, original):
        host = package.metrics.create()
        host.register(squared, formatter="{:.1f}".format)
        assert "squared" in host.names
        assert "squared" in host.formatters
        names = ["mota", "squared"]
        accumulators = [collect(package), collect(package)]
        tables.append((host.compute(accumulators[0], metrics=names), host.compute_many(accumulators, metrics=names)))
        assert "squared" not in package.metrics.create().names
    for found, expected in zip(*tables, strict=True):
        testing.assert_frame_equal(found, expected, rtol=1e-12)


@pytest.mark.parametrize("how", ["register", "dictionary"])
def test_a_measure_that_is_replaced_is_the_new_one(how: str) -> None:
    host = mm.metrics.create()
    if how == "register":
        host.register(lambda df: 5, name="num_misses", deps=[])
    else:
        host.metrics["num_misses"]["fnc"] = lambda df: 5
    found = host.compute(collect(mm), metrics=["num_misses", "mota"], return_dataframe=False)
    assert found == {"num_misses": 5, "mota": 1 - (5 + 2) / 4}


def test_overall_measures_of_partial_ones() -> None:
    peer("motmetrics")
    values = []
    for package in (mm, peer("motmetrics")):
        host = package.metrics.create()
        parts = [host.compute(collect(package), metrics=["mota"], return_dataframe=False, return_cached=True)] * 2
        values.append(host.compute_overall(parts, metrics=["mota"], return_dataframe=False))
    assert values[0] == values[1]


def test_event_tables_are_made_and_merged_as_in_the_original() -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    empty = mm.MOTAccumulator.new_event_dataframe()
    testing.assert_frame_equal(empty, original.MOTAccumulator.new_event_dataframe())
    outcomes = []
    for package in (mm, original):
        try:
            merged = package.MOTAccumulator.merge_event_dataframes([collect(package), collect(package).events])
            outcomes.append((len(merged), len(merged.index.get_level_values(0).unique()), sorted(merged.columns)))
        except AttributeError as error:  # motmetrics 1.4.0 beside pandas 2 and later
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    analyses = [{"hyp": {7: 1}, "obj": {1: 2}}]
    maps = [{"hid_map": {7: 0}, "oid_map": {1: 3}}]
    assert mm.MOTAccumulator.merge_analysis(analyses, maps) == {"hyp": {0: 1}, "obj": {3: 2}}


def test_a_log_is_the_originals() -> None:
    logs = []
    for package in (mm, peer("motmetrics")):
        log = io.StringIO()
        accumulator = package.MOTAccumulator(auto_id=True)
        for objects, hypotheses in (([1], [7]), ([1, 2], [7]), ([1], [9])):
            accumulator.update(objects, hypotheses, np.full((len(objects), 1), 0.1), vf=log)
        assert len(accumulator.events)
        logs.append(log.getvalue())
    assert logs[0] == logs[1] != ""


def test_state_is_the_originals() -> None:
    ours, theirs = (collect(package) for package in (mm, peer("motmetrics")))
    for name in ("m", "res_m", "last_occurrence", "last_match", "hypHistory"):
        assert getattr(ours, name) == getattr(theirs, name) != {}
