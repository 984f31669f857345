"""People's joints carried from one frame to another by optical flow, the unsure ones by their person's median."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ptfast._check import Array, check_dtype, check_shape, is_tensor
from ptfast.pipeline.flow.fields import is_inside
from ptfast.pipeline.flow.images import FlowImage, PointFlow

Step = Callable[[Array], tuple[Array, Array]]
"""Takes points (N, 2) of an image; gives where they are in another one (N, 2), and which were found (N,) bool.

None is found that is outside the image.
"""


def carry(points: Array, first: FlowImage, second: FlowImage, flow: PointFlow) -> tuple[Array, Array]:
    """Carries the joints of people from one frame to another.

    All people are carried at once, so that a flow of every pixel is computed once for all of them.

    Args:
        points: (N, K, 2) float32 or float64, x then y in pixels of the first frame, NaN for a joint that is absent.
        first: The frame, prepared by the flow.
        second: The frame to which they go, prepared by the flow.
        flow: `DenseFlow`, `SparseFlow`, or what does the same.

    Returns:
        (N, K, 2) float32, where the joints are in the second frame, and (N, K) bool, True where the flow at the joint
        passed its check. Another joint moves by the median, along x and y, of those of its person that passed, and
        stays where it is if there are none. An absent one stays absent.

    Raises:
        ValueError: `points` has another shape, or the frames have different sizes.
        TypeError: `points` has another dtype.

    Source:
        Xiao, Wu and Wei 2018 (Simple Baselines), section 3.1; the check and the median are not in the paper.
    """
    check_shape("points", points, ("N", "K", 2))
    check_dtype("points", points, ("float32", "float64"))
    points = points.float() if is_tensor(points) else np.ascontiguousarray(points, np.float32)
    moved, ok = flow.move(points.reshape(-1, 2), first, second)
    moved, ok = moved.reshape(points.shape), ok.reshape(points.shape[:2])
    return with_median(points, moved, ok), ok


def with_median(points: Array, moved: Array, ok: Array) -> Array:
    """`moved` (N, K, 2), but joints that are not ok (N, K) move by their person's median from `points` (N, K, 2)."""
    shift = medians(moved - points, ok)[:, None]
    if is_tensor(points):
        return torch.where(ok[..., None], moved, points + shift)
    return np.where(ok[..., None], moved, points + shift)


def medians(shifts: Array, ok: Array) -> Array:
    """(N, 2) medians of the shifts (N, K, 2) that are ok (N, K), the mean of the middle two; 0 where there are none."""
    if not shifts.shape[0] or not shifts.shape[1]:
        return shifts.sum(1)
    if is_tensor(shifts):
        return shifts.masked_fill(~ok[..., None], torch.nan).nanquantile(0.5, 1).nan_to_num(0.0)
    # Sorted, those that are not ok come last. NumPy's own median of some warns of people without any.
    ordered = np.sort(np.where(ok[..., None], shifts, np.float32(np.inf)), 1)
    count, people = ok.sum(1), np.arange(len(shifts))
    middle = (ordered[people, (count - 1) // 2] + ordered[people, count // 2]) / 2
    return np.where(count[:, None] > 0, middle, np.float32(0))


def checked_step(
    points: Array, size: tuple[int, int], forward: Step, backward: Step | None, max_error: float | None
) -> tuple[Array, Array]:
    """Points moved by a step, and which of them pass the check.

    A point passes if it is found, ends inside the image and, if there is a step backward, comes back by that to within
    `max_error` pixels of where it was.

    Args:
        points: (N, 2) float32.
        size: (H, W) of the second image.
        forward: From the first image to the second.
        backward: From the second to the first, or None.
        max_error: In pixels.

    Returns:
        (N, 2) float32 and (N,) bool.
    """
    moved, found = forward(points)
    ok = found & is_inside(moved, size)
    if backward is None or max_error is None:
        return moved, ok
    back, returned = backward(moved)
    with np.errstate(invalid="ignore"):  # an infinite place is never found
        return moved, ok & returned & (((back - points) ** 2).sum(-1) <= max_error**2)
