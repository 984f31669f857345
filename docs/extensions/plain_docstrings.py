"""Docstrings as reStructuredText.

They are plain text in Google style, of whose characters only backticks and those that begin a list have a meaning.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

# Napoleon would take what stands before a colon in these sections for a type.
_PROSE = {"Returns:": "returns", "Yields:": "yields", "Source:": "source"}
_SECTION = re.compile(r"^[A-Z]\w+:$", re.MULTILINE)
_CODE = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
# The group stays as it is: `code`, lines of an example, *args: and **kwargs: of a list of arguments. What is escaped is
# emphasis, substitutions, references, and a description that is one letter, which would begin a list.
_MARKUP = re.compile(r"(`[^`]+`|^ *(?:>>>|\.\.\.).*$|^ *\*{1,2}\w+:)|[*|]|(?<=\w)_(?!\w)|(?<=: [A-Z])\.$", re.MULTILINE)


def to_rst(lines: list[str]) -> list[str]:
    """A docstring for Napoleon: its characters mean themselves, and an indented block is Python."""
    text = "\n".join(lines) + "\n"
    section = _SECTION.search(text)
    end = section.start() if section else len(text)
    escaped, last = [], 0
    for block in _CODE.finditer(text, 0, end):
        escaped += [_escape(text[last : block.start()]), f".. code-block:: python\n\n{block[0]}"]
        last = block.end()
    return list(_fields("".join([*escaped, _escape(text[last:])]).split("\n")))


def _escape(text: str) -> str:
    return _MARKUP.sub(lambda match: match[0] if match[1] else f"\\{match[0]}", text)


def _fields(lines: list[str]) -> Iterator[str]:
    """Sections of prose as fields."""
    name = None
    for line in lines:
        if line in _PROSE:
            name = _PROSE[line]
        elif name:
            yield f":{name}: {line.strip()}"
            name = None
        else:
            yield line


def _convert(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    if inspect.ismodule(value) and hasattr(value, "__path__"):
        lines.clear()  # what a package is for, its page says
    lines[:] = to_rst(lines)
    if what == "property":
        lines.insert(0, "\\")  # joins the next line; else what stands there before a colon would be the type


def readable_defaults(signature: str, module: Any) -> str:
    """A signature with numbers and strings in place of the module's constants, `...` where each object has its own."""

    def value(match: re.Match[str]) -> str:
        found = getattr(module, match[1], None)
        return f"= {found!r}" if isinstance(found, int | float | str) else match[0]

    return re.sub(r"= ([A-Z][A-Z_]+)\b", value, signature.replace("<factory>", "..."))


def _simplify(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    return signature and readable_defaults(signature, inspect.getmodule(value)), returns


def setup(app: Sphinx) -> dict[str, bool]:
    """Converts docstrings before Napoleon sees them, and signatures."""
    app.connect("autodoc-process-docstring", _convert, priority=100)
    app.connect("autodoc-process-signature", _simplify)
    return {"parallel_read_safe": True}
