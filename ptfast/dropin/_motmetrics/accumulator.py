"""motmetrics' accumulator of frames."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from ptfast.dropin._motmetrics.measures import measure
from ptfast.dropin._originals import original


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

    def update(self, oids: Any, hids: Any, dists: Any, frameid: Any = None, vf: Any = "") -> Any:
        """Adds a frame.

        Args:
            oids: (N,) ids of objects.
            hids: (M,) ids of hypotheses.
            dists: (N, M) distances; a NaN or an infinity forbids the pair.
            frameid: The frame, unless they are numbered.
            vf: A text file for motmetrics' log of switches, misses and false positives, or "" for none.

        Returns:
            The frame's id.

        Raises:
            AssertionError: The frame's id is missing, or it is given and frames are numbered.
            KeyError: An object's id is repeated in the first frame that has it, and motmetrics stumbles over that.
            ValueError: The distances do not fit.
        """
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
        if self._repeats or vf != "":
            self._passed(vf)  # which may be an error, and should then be one here
        return frameid

    @property
    def events(self) -> Any:
        """motmetrics' event table, a pandas.DataFrame, of its own accumulator."""
        return self._passed().events

    @property
    def mot_events(self) -> Any:
        """The rows of `events` that are not raw input."""
        return self.events[self.events.Type != "RAW"]

    @staticmethod
    def new_event_dataframe() -> Any:
        """motmetrics' event table without a row."""
        return _original().new_event_dataframe()

    @staticmethod
    def new_event_dataframe_with_data(indices: Any, events: Any) -> Any:
        """motmetrics' event table of lists by column."""
        return _original().new_event_dataframe_with_data(indices, events)

    @staticmethod
    def merge_analysis(anas: Any, infomap: Any) -> Any:
        """motmetrics' counts by id of several sequences together, by the ids that merge_event_dataframes has given."""
        return _original().merge_analysis(anas, infomap)

    @staticmethod
    def merge_event_dataframes(
        dfs: Any, update_frame_indices: bool = True, update_oids: bool = True, update_hids: bool = True,
        return_mappings: bool = False,
    ) -> Any:  # fmt: skip
        """motmetrics' event tables, or accumulators, in one.

        Args:
            dfs: The tables.
            update_frame_indices: Numbers frames anew, so that no two are alike.
            update_oids: The same for ids of objects.
            update_hids: The same for ids of hypotheses.
            return_mappings: Returns a list of what became of frames and ids, too.
        """
        tables = [part.events if isinstance(part, MOTAccumulator) else part for part in dfs]
        merge = _original().merge_event_dataframes
        return merge(tables, update_frame_indices, update_oids, update_hids, return_mappings)

    def __getattr__(self, name: str) -> Any:
        """State that motmetrics' accumulator has: m, res_m, last_occurrence, last_match, hypHistory, ..."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._passed(), name)

    def _passed(self, vf: Any = "") -> Any:
        """motmetrics' accumulator of all frames, which writes of the last one into a log."""
        if self._original is None:
            self._original = _original()(False, self.max_switch_time)
        while self._passed_on < len(self._frames):
            frame, frame_id = self._frames[self._passed_on], self._frame_ids[self._passed_on]
            self._passed_on += 1  # first, for a frame that fails is not to be passed on again
            log = vf if self._passed_on == len(self._frames) else ""
            self._original.update(*frame, frameid=frame_id, vf=log)
        return self._original

    def measures(self) -> dict[str, Any] | None:
        """All of MEASURES, or None for frames that are left to motmetrics."""
        rising = all(a < b for a, b in zip(self._frame_ids, self._frame_ids[1:], strict=False))
        return measure(self._frames) if rising and self.max_switch_time == float("inf") else None


def _original() -> Any:
    """motmetrics' own class, also where the program has put ours in its place."""
    return original("motmetrics", "MOTAccumulator") or import_module("motmetrics").MOTAccumulator
