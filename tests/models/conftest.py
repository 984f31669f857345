"""The picture of which the published graphs' outputs are known, and these outputs."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

# Of the published graphs under TensorFlow 2.21; boxes and joints in shares of the picture's sides, y before x.
GOLDEN = Path(__file__).parent / "golden_hopper.npz"


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    """Outputs of the published graphs, by name."""
    with np.load(GOLDEN) as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def hopper(golden: dict[str, np.ndarray]) -> Callable[..., Tensor]:
    """Matplotlib's sample picture, (1, 3, height, width) uint8: `hopper(256, 224)`. One person fills it."""
    samples = pytest.importorskip("matplotlib.cbook")
    encoded = Path(samples.get_sample_data("grace_hopper.jpg", asfileobj=False))
    whole = cv2.cvtColor(cv2.imread(str(encoded)), cv2.COLOR_BGR2RGB)

    def resized(height: int, width: int | None = None) -> Tensor:
        image = cv2.resize(whole, (width or height, height), interpolation=cv2.INTER_AREA)
        expected = golden.get(f"crc32_{height}" + (f"x{width}" if width else ""))
        if expected is not None and zlib.crc32(image.tobytes()) != expected:
            pytest.skip("the picture has other pixels here: another version of it, of its decoder, or of resizing")
        return torch.from_numpy(image).permute(2, 0, 1)[None]

    return resized
