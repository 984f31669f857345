"""How commands end: errors, warnings and signals in one line each. Imports little: Ctrl-C may come meanwhile."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ptfast.training.interruption import Terminated

EXPECTED = (ValueError, TypeError, OSError, ImportError, OverflowError, MemoryError, RecursionError)


def fail(message: str, code: int) -> int:
    """Prints a message to stderr and returns the exit code."""
    print(message, file=sys.stderr)
    return code


def is_expected(error: Exception) -> bool:
    """Returns True for what input, files and the machine may cause; False for what is a fault of the program."""
    return isinstance(error, EXPECTED) or _is_out_of_memory(error)


def said(error: Exception) -> str:
    """An error in one line; the system's with the file first, as ours have it."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    text = " ".join(str(error).split())
    if isinstance(error, RecursionError):
        return f"expected input that is nested less deeply, found {text}"
    if _is_out_of_memory(error):
        return f"out of memory: {text}" if text else "out of memory"
    return text or type(error).__name__


def _is_out_of_memory(error: Exception) -> bool:
    """Returns True for Python's error and for those of torch, which are RuntimeErrors."""
    of_torch = type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator: can't allocate" in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and of_torch)


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, SIGTERM raises `Terminated`, which is a KeyboardInterrupt; a second one does nothing.

    A SIGTERM that is ignored already stays ignored, and threads other than the main one may set no handler.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # what is done is being kept
    raise Terminated


@contextmanager
def warnings_in_lines(name: str) -> Iterator[None]:
    """Inside, each warning is one line on stderr, above a progress bar if there is one.

    Args:
        name: The command, with which a line begins.
    """

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        note(f"{name}: warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def note(text: str) -> None:
    """Prints one line to stderr, above a progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(" ".join(text.split()), file=sys.stderr)
