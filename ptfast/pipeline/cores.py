"""A network's images on several processor cores at a time, one image a core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

R = TypeVar("R")


def one_a_core(network: Callable[[Tensor], R], images: Sequence[Tensor]) -> list[R]:
    """A network's results for images on the CPU, as many at a time as torch has threads.

    A core that has an image to itself never waits for others between layers, which costs most of the time where other
    programs run, too. The results are those of one image after the other, to the bit.

    Args:
        network: Takes an image and computes without gradients.
        images: (1, C, H, W) each.
    """
    threads = torch.get_num_threads()
    if min(threads, len(images)) < 2:
        return [network(image) for image in images]

    @torch.inference_mode()
    def run(image: Tensor) -> R:
        return network(image)

    try:
        with ThreadPoolExecutor(min(threads, len(images)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                tasks = [pool.submit(run, image) for image in images]
            except RuntimeError:  # no further thread can be started
                return [run(image) for image in images]
            return [task.result() for task in tasks]
    finally:
        torch.set_num_threads(threads)  # the workers' number is also that of threads to come
