"""Items made in a thread before they are asked for, so that reading a video and computing on it overlap."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Generator, Iterator
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_AT_EXIT = 10.0  # seconds, at most, for an item that is being made when Python ends
_running: dict[Thread, tuple[Line[Any], float | None]] = {}  # each with its line and the seconds to wait for it


class Line(Generic[T]):
    """A bounded line of items between the thread that puts them and the one that takes them.

    Args:
        most: Items that wait in it, at most.
        drops: A full line drops its oldest item for a new one; otherwise, whoever puts waits.

    Attributes:
        dropped: Number of items that were dropped.
    """

    def __init__(self, most: int, *, drops: bool = False) -> None:
        self.dropped = 0
        self._most, self._drops = most, drops
        self._items: deque[T] = deque()
        self._changed = Condition()
        self._left = False  # whoever takes has gone
        self._ended = False  # whoever puts has gone
        self._error: BaseException | None = None

    def put(self, item: T) -> bool:
        """Adds an item; returns False, without adding it, if nobody takes any more."""
        with self._changed:
            while len(self._items) >= self._most and not self._left and not self._drops:
                self._changed.wait()
            if self._left:
                return False
            if len(self._items) >= self._most:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Says that no item follows; an error is raised where the next one would be taken."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def leave(self) -> None:
        """Says that no item will be taken any more."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                while not self._items and not self._ended:
                    self._changed.wait()
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error


def ahead(items: Generator[T], depth: int) -> Generator[T]:
    """Gives the items of a generator, which runs in a thread, at most `depth` items before they are taken.

    What the generator raises is raised in its turn. When the consumer stops or is interrupted, the generator is closed
    in its thread, after the item at which it is.

    Args:
        items: Is used in the thread alone.
        depth: Items that may wait.
    """
    yield from taken(items, Line(depth), None)


def taken(items: Generator[T], line: Line[T], patience: float | None) -> Generator[T]:
    """Gives the items of a generator, which runs in a thread, through a line.

    Args:
        items: Is used in the thread alone.
        line: A new one.
        patience: Seconds to wait, when the consumer stops, for an item that is being made; None for as long as it
            takes.
    """
    thread = Thread(target=_fill, args=(items, line), daemon=True)
    thread.start()
    _running[thread] = line, patience
    try:
        yield from line
    finally:
        _running.pop(thread, None)
        line.leave()
        thread.join(patience)


@atexit.register
def _stop() -> None:
    """Ends the threads whose consumers stopped midway; one that decodes while Python ends would abort the process."""
    running = [*_running.items()]
    for _, (line, _) in running:
        line.leave()
    for thread, (_, patience) in running:
        thread.join(_AT_EXIT if patience is None else patience)


def _fill(items: Generator[T], line: Line[T]) -> None:
    """Puts a generator's items until it or whoever takes them ends."""
    error = None
    try:
        for item in items:
            if not line.put(item):
                break
        items.close()
    except BaseException as raised:  # to be raised where the items are taken
        error = raised
    line.end(error)
