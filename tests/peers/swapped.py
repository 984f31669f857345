"""A pytest plugin that swaps ptfast into the libraries named by PTFAST_PEERS, before their tests are imported."""

from __future__ import annotations

import os

import ptfast.dropin
from ptfast.dropin import motmetrics as dropin


def pytest_configure() -> None:
    names = os.environ["PTFAST_PEERS"].split(",")
    patched = [name for name in names if name != "motmetrics"]
    if patched:
        ptfast.dropin.patched(*patched).__enter__()  # to the end of the process
    if "motmetrics" in names:
        import motmetrics

        motmetrics.MOTAccumulator = dropin.MOTAccumulator
        motmetrics.metrics.create = dropin.metrics.create
