"""Ctrl-C and SIGTERM that wait for the end of a step."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any


class Terminated(KeyboardInterrupt):
    """What SIGTERM raises: all that holds for Ctrl-C holds for it, but for the exit code, as shells count it."""

    code = 128 + signal.SIGTERM


class Interruption:
    """Inside, Ctrl-C and SIGTERM only set `asked`, so that no step is cut in two; a second, later, acts at once."""

    def __init__(self) -> None:
        self.asked, self.since, self.kind = False, 0.0, KeyboardInterrupt
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # no other may set a handler
            self.before = {number: signal.signal(number, self.note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            if handler is not None:  # one that Python did not set, and cannot set
                signal.signal(number, handler)

    def note(self, number: int, frame: object) -> None:
        """Handles a signal."""
        kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if self.asked and time.monotonic() - self.since > 2:  # torchrun passes on the first one again
            raise kind("the last checkpoint stays as it is")
        if not self.asked:
            self.asked, self.since, self.kind = True, time.monotonic(), kind
            os.write(2, b"\nstopping after this step; Ctrl-C again stops at once\n")  # print may be in use here

    def error(self, left: str) -> KeyboardInterrupt:
        """The error that the first signal would have raised.

        Args:
            left: What the run leaves.
        """
        return self.kind(left)
