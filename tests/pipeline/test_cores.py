"""Images on several cores: equal to one after the other, and no trace is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from ptfast.pipeline.cores import one_a_core


@pytest.fixture
def threads() -> Iterator[int]:
    """Has torch use three threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def images(count: int) -> list[Tensor]:
    return list(torch.randn(count, 3, 16, 20, generator=torch.Generator().manual_seed(0)).split(1))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_results_are_those_of_one_after_the_other(threads: int, count: int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1))
    with torch.inference_mode():
        wanted = [network(image) for image in images(count)]
        found = one_a_core(network, images(count))
    assert len(found) == count and all(map(torch.equal, found, wanted))
    assert torch.get_num_threads() == threads


def test_each_image_has_a_core_to_itself(threads: int) -> None:
    together = threading.Barrier(threads, timeout=20)  # breaks unless all are there at once

    def network(image: Tensor) -> tuple[int, bool]:
        together.wait()
        return torch.get_num_threads(), torch.is_inference_mode_enabled()

    assert one_a_core(network, images(threads)) == [(1, True)] * threads


def test_what_the_network_raises_is_raised(threads: int) -> None:
    def network(image: Tensor) -> None:
        raise ValueError("a bad image")

    with pytest.raises(ValueError, match="a bad image"):
        one_a_core(network, images(2))
    assert torch.get_num_threads() == threads


def test_without_further_threads_one_does_all(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert one_a_core(lambda image: float(image.sum()), images(3)) == [float(image.sum()) for image in images(3)]
