"""What data of a run is left out."""

from __future__ import annotations

import warnings
from pathlib import Path


def warn_of_left_out(source: str | Path, count: int, total: int, what: str, why: str) -> None:
    """Warns of `count` of `total` examples that a run does not see; nothing is said of none."""
    if count:
        share = "more than half: " if 2 * count > total else ""
        warnings.warn(f"{source}: {share}{count:,} of {total:,} {what} left out: {why}", stacklevel=3)
