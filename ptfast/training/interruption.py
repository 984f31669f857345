"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any


class Interruption:
    """Inside, Ctrl-C only sets `asked`, so that no step is cut in two; another one, seconds later, acts at once."""

    def __init__(self) -> None:
        self.asked, self.since = False, 0.0
        self.before: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # no other may set a handler
            self.before = signal.signal(signal.SIGINT, self.note)
        return self

    def __exit__(self, *error: object) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def note(self, number: int, frame: object) -> None:
        """Handles Ctrl-C."""
        if self.asked and time.monotonic() - self.since > 2:  # torchrun passes on the first one again
            raise KeyboardInterrupt("the last checkpoint stays as it is")
        if not self.asked:
            self.asked, self.since = True, time.monotonic()
            os.write(2, b"\nstopping after this step; Ctrl-C again stops at once\n")  # print may be in use here
