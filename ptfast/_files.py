"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Gives the path of a draft to write to, beside `path`, whose place it takes at the end of the block.

    After an error in the block the draft is removed and `path` is as it was. The draft has the suffix of `path`.
    Missing folders are made. A symbolic link stays, and what it points to is replaced. Several files that belong
    together enter a `contextlib.ExitStack`, which replaces them when all are written.

    Raises:
        ValueError: `path` is a folder, a device, or anything else but a file.

    Example:
        >>> with write_atomic("tracks.json") as draft:
        ...     draft.write_text(text)
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        raise ValueError(f"{path}: expected a file or nothing to replace, found something else")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.stem}.{uuid4().hex}{target.suffix}")
    try:
        yield draft
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
