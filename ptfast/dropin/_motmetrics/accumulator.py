"""motmetrics' accumulator of frames."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from ptfast.dropin._motmetrics.measures import measure


class MOTAccumulator:
    """Collects the frames of one sequence.

    Args:
        auto_id: Numbers frames from 0. Else every update names its frame.
        max_switch_time: Time for which an object remembers its hypothesis. Other values than infinity need motmetrics.
    """

    def __init__(self, auto_id: bool = False, max_switch_time: float = float("inf")) -> None:
        self.auto_id, self.max_switch_time = auto_id, max_switch_time
        self.reset()

    def reset(self) -> None:
        """Forgets all frames."""
        self._frames: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._frame_ids: list[Any] = []
        self._original: Any = None  # motmetrics' own accumulator, once it is needed, and the number of its frames
        self._passed_on = 0
        self._repeats = False  # True once an object's id was twice in a frame

    def update(self, oids: Any, hids: Any, dists: Any, frameid: Any = None, vf: str = "") -> Any:
        """Adds a frame.

        Args:
            oids: (N,) ids of objects.
            hids: (M,) ids of hypotheses.
            dists: (N, M) distances; a NaN or an infinity forbids the pair.
            frameid: The frame, unless they are numbered.
            vf: "", as no log is written.

        Returns:
            The frame's id.

        Raises:
            AssertionError: The frame's id is missing, or it is given and frames are numbered.
            KeyError: An object's id is repeated in the first frame that has it, and motmetrics stumbles over that.
            ValueError: The distances do not fit, or a log is asked for.
        """
        if vf != "":
            raise ValueError("vf must be '', as ptfast writes no log; motmetrics' own accumulator does")
        objects, hypotheses = np.array(oids), np.array(hids)
        distances = np.atleast_2d(dists).astype(float).reshape(objects.shape[0], hypotheses.shape[0])
        if frameid is None:
            if not self.auto_id:
                raise AssertionError("auto-id is not enabled")
            frameid = self._frame_ids[-1] + 1 if self._frame_ids else 0
        elif self.auto_id:
            raise AssertionError("Cannot provide frame id when auto-id is enabled")
        self._frames.append((objects, hypotheses, distances))
        self._frame_ids.append(frameid)
        self._repeats |= len(set(objects.tolist())) < len(objects)
        if self._repeats:
            self._passed()  # which may be an error, and should then be one here
        return frameid

    @property
    def events(self) -> Any:
        """motmetrics' event table, a pandas.DataFrame, of its own accumulator."""
        return self._passed().events

    @property
    def mot_events(self) -> Any:
        """The rows of `events` that are not raw input."""
        return self.events[self.events.Type != "RAW"]

    def _passed(self) -> Any:
        """motmetrics' accumulator of all frames."""
        if self._original is None:
            self._original = import_module("motmetrics").MOTAccumulator(False, self.max_switch_time)
        while self._passed_on < len(self._frames):
            frame, frame_id = self._frames[self._passed_on], self._frame_ids[self._passed_on]
            self._passed_on += 1  # first, for a frame that fails is not to be passed on again
            self._original.update(*frame, frameid=frame_id)
        return self._original

    def measures(self) -> dict[str, Any] | None:
        """All of MEASURES, or None for frames that are left to motmetrics."""
        rising = all(a < b for a, b in zip(self._frame_ids, self._frame_ids[1:], strict=False))
        return measure(self._frames) if rising and self.max_switch_time == float("inf") else None
