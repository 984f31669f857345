"""A stopwatch for the parts of a method, which need not know of it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch


class Stopwatch:
    """Seconds of each part, without those of the parts inside it.

    Args:
        device: Where the parts run.
        clock: Gives seconds.
    """

    def __init__(self, device: torch.device, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.open: list[str] = []
        self.device, self.clock, self.last = device, clock, clock()

    def switch(self) -> None:
        """Books the time since the last switch on the innermost open part."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now = self.clock()
        if self.open:
            self.seconds[self.open[-1]] += now - self.last
        self.last = now

    def timed(self, part: str, function: Callable) -> Callable:
        """The function, whose time is booked on a part."""

        def run(*arguments: Any, **options: Any) -> Any:
            self.switch()
            self.open.append(part)
            try:
                return function(*arguments, **options)
            finally:
                self.switch()
                self.open.pop()

        return run

    def frames(self, part: str, source: Iterable) -> Iterator:
        """The source's items, the time to get each of which is booked on a part."""
        take = self.timed(part, iter(source).__next__)
        while True:
            try:
                item = take()
            except StopIteration:
                return
            yield item

    @contextmanager
    def on(self, places: Sequence[tuple[Any, str, str]]) -> Iterator[None]:
        """Times functions while the block runs: (module or object, the function's name there, part) each."""
        before = [(place, name, vars(place).get(name)) for place, name, _ in places]
        for place, name, part in places:
            _put(place, name, self.timed(part, getattr(place, name)))
        try:
            yield
        finally:
            for place, name, own in reversed(before):
                if own is None:
                    del vars(place)[name]  # it was its class's
                else:
                    _put(place, name, own)


def _put(place: Any, name: str, function: Any) -> None:
    """Sets an attribute without asking the object: a torch module would take no function for one of its parts."""
    if isinstance(place, type):
        setattr(place, name, function)
    else:
        vars(place)[name] = function
