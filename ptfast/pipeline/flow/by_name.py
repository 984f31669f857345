"""Optical flow by name."""

from __future__ import annotations

from pathlib import Path

import torch

from ptfast.pipeline.flow.dense import DenseFlow
from ptfast.pipeline.flow.networks import NetworkFlow
from ptfast.pipeline.flow.opencv import Algorithm, OpenCvFlow
from ptfast.pipeline.flow.sparse import SparseFlow
from ptfast.pipeline.weights import load_flow_weights

OPENCV: dict[str, Algorithm] = {
    "dis": "dis-fast",
    "dis-ultrafast": "dis-ultrafast",
    "dis-fast": "dis-fast",
    "dis-medium": "dis-medium",
    "farneback": "farneback",
}
FLOW_NAMES = (*OPENCV, "flownet2s", "raft-small", "raft-large")
SPARSE = "sparse"


def load_flow(
    name: str | Path = "dis", *, short_side: int | None = 256, device: str | torch.device = "cpu"
) -> OpenCvFlow | NetworkFlow:
    """A flow of every pixel.

    Args:
        name: "dis", which is "dis-fast", "dis-ultrafast", "dis-medium" or "farneback", by OpenCV; "flownet2s",
            "raft-small" or "raft-large", networks with published weights, of which the last two need torchvision; or a
            checkpoint of such a network.
        short_side: Shorter side of the images as they are seen, in pixels; larger ones are reduced. None for their own.
        device: Where a network runs.

    Returns:
        A function of two images (H, W, 3) uint8 of one size that gives (H, W, 2) float32 pixels, x then y, from the
        first to the second.

    Raises:
        FileNotFoundError: There is neither such a name nor such a file, or a browser alone can fetch it.
        ConnectionError: Published weights cannot be fetched.
        ImportError: torchvision is needed and cannot be imported.
        ValueError: The file is damaged or of another network.
    """
    if isinstance(name, str) and name in OPENCV:
        return OpenCvFlow(OPENCV[name], short_side)
    if isinstance(name, str) and name not in FLOW_NAMES and not Path(name).exists():
        raise FileNotFoundError(f"{name}: expected a file of weights, or one of: {', '.join(FLOW_NAMES)}")
    return NetworkFlow(load_flow_weights(name), short_side=short_side, device=device)


def load_point_flow(
    name: str | Path = "sparse",
    *,
    short_side: int | None = None,
    max_error: float | None = 1.0,
    device: str | torch.device = "cpu",
) -> DenseFlow | SparseFlow:
    """A flow at points, for `carry`.

    Args:
        name: "sparse", pyramidal Lucas-Kanade at the points alone, or a name that `load_flow` takes.
        short_side: As `load_flow` takes it.
        max_error: Pixels by which a point may miss its place after going there and back again; None looks at less, as
            `DenseFlow` and `SparseFlow` say.
        device: Where a network runs.

    Raises:
        As `load_flow`.
    """
    if name == SPARSE:
        return SparseFlow(max_error, short_side)
    if isinstance(name, str) and name not in FLOW_NAMES and not Path(name).exists():
        raise FileNotFoundError(f"{name}: expected a file of weights, or one of: {SPARSE}, {', '.join(FLOW_NAMES)}")
    return DenseFlow(load_flow(name, short_side=short_side, device=device), max_error)
