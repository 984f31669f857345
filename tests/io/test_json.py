"""JSON text is read alike with orjson and without it."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from ptfast.io._json import parse

DEEP = "[" * 2000 + "]" * 2000


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What the text gives with orjson and without; of an error, its message."""

    def outcome() -> Any:
        try:
            return parse(text, "poses.json")
        except ValueError as error:
            return str(error)

    pytest.importorskip("orjson")
    fast = outcome()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "orjson", None)
        return fast, outcome()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -2, 3.5, 1e-7, true, null, "\\u00e9\\n"], "a": 0.1}',
        '{"id": 18446744073709551615, "x": -9223372036854775808}',
        "[179.99999999999997, 5e-324, 1.7976931348623157e308]",
        DEEP,
        '{"a": }',
        '{"a": 1',
        "[1] 2",
        '["\t"]',
        "[01]",
    ],
)
def test_the_same_document_or_message(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, plain = both(text, monkeypatch)
    assert repr(fast) == repr(plain)


def test_nan_is_read_so_that_the_reader_can_name_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(math.isnan(document["x"]) for document in both('{"x": NaN}', monkeypatch))
