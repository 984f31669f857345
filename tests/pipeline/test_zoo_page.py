"""The page of weights names every published checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfast.pipeline.weights import ZOO, Published

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"


def row(published: Published) -> str:
    """A checkpoint's row of the table."""
    size = "x".join(map(str, published.size)) if published.size else ""
    where = f"[{published.origin.licence}]({published.origin.page})"
    how = "" if published.address else ", browser"
    return f"| `{published.name}` | {published.skeleton or ''} | {size} | {published.score} | {where}{how} |"


def table() -> str:
    """The page's table."""
    head = ["| Name | Joints | Crops | Score | Licence, source |", "|---|---|---|---|---|"]
    return "\n".join([*head, *map(row, ZOO.values())])


@pytest.mark.skipif(not PAGE.exists(), reason="the pages do not come with the sdist")
def test_the_page_has_the_table() -> None:
    text = PAGE.read_text()
    start, end = text.index("\n", text.index("<!-- zoo:")) + 1, text.index("\n<!-- /zoo -->")
    assert text[start:end] == table(), f"the table should be:\n{table()}"
