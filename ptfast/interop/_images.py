"""Images for other packages' networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Boxes = tuple[np.ndarray, np.ndarray]  # (N, 4) float32 xyxy pixels and (N,) float32 scores


def bgr(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB as contiguous BGR, as OpenCV reads images."""
    return np.ascontiguousarray(image[..., ::-1])


def there(images: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """The images that are not lost."""
    return [image for image in images if image is not None]
