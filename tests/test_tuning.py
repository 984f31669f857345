"""What benchmarks choose thresholds by, and the detector that misses every third box, against examples by hand."""

from __future__ import annotations

import numpy as np
import pytest
from simple_baselines_real import WithoutEvery

from ptfast.io import Frame
from ptfast.pipeline.person_poses import crop

pytest.importorskip("pycocotools")
from tune_crops import point_crop
from tune_real_people import best_threshold


def test_f1_and_f2_choose_by_hand() -> None:
    scores, right = np.array([0.5, 0.4, 0.3, 0.2, 0.1]), np.array([True, True, False, False, True])
    chosen = best_threshold(scores, right, total=3)  # 2 of 2 are right, of 3: 4 / 5; all five: 6 / 8
    assert (chosen["threshold"], chosen["precision"], chosen["recall"]) == (0.32, 1, 2 / 3)
    assert chosen["F"] == pytest.approx(0.8)
    chosen = best_threshold(scores, right, total=3, beta=2)  # all five: 5 * 3 / (5 + 4 * 3)
    assert (chosen["threshold"], chosen["precision"], chosen["recall"]) == (0.02, 0.6, 1)
    assert chosen["F"] == pytest.approx(15 / 17)


def test_every_third_sure_box_is_missed_through_the_frames() -> None:
    boxes = np.arange(16, dtype=np.float32).reshape(4, 4)
    scores = np.array([0.1, 0.9, 0.8, 0.7], np.float32)

    def detector(frames: object, keys: object) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(boxes, scores), (boxes, scores)]

    frames = [Frame(np.zeros((8, 8, 3), np.uint8), "", number) for number in range(2)]
    first, second = WithoutEvery(detector, 3, low=0.5)(frames, [0, 1])
    assert first[1].tolist() == pytest.approx([0.1, 0.9, 0.8]) and second[1].tolist() == pytest.approx([0.1, 0.9, 0.8])
    first, second = WithoutEvery(detector, 3, low=0.0)(frames, [0, 1])
    assert first[1].tolist() == pytest.approx([0.1, 0.9, 0.8]) and second[1].tolist() == pytest.approx([0.1, 0.9, 0.7])
    np.testing.assert_array_equal(second[0], boxes[[0, 1, 3]])


@pytest.mark.parametrize("size", [24, 48, 96])
def test_bilinear_crops_lie_where_opencvs_do(size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    square = np.array([10, 5, 24])  # as it is, and enlarged
    ours, theirs = (cut(image, square, size).astype(int) for cut in (point_crop, crop))
    inner = slice(size // 12, -size // 12)  # OpenCV repeats the crop's border, ours sees what is around it
    assert np.abs(ours - theirs)[inner, inner].max() <= 1
