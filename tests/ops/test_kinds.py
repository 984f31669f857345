"""NumPy in gives NumPy out and torch in gives torch out, at run time and for mypy, which `make lint` runs on this."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import torch

from ptfast import ops

BOXES = np.array([[0, 0, 10, 10], [2, 2, 8, 8]], np.float32)
SCORES = np.array([0.9, 0.8], np.float32)
POSES = np.zeros((2, 17, 2), np.float32)
SIGMAS = np.full(17, 0.1, np.float32)
AREAS = np.full(2, 100, np.float32)
FRAMES = np.zeros((1, 8, 8, 3), np.uint8)
TUBES = BOXES[:, None]
FEATURES = np.zeros((1, 4, 1, 8, 8), np.float32)
FIRST = np.zeros(2, np.int64)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
POINTS = np.zeros((2, 2), np.float32)
FLOW = np.zeros((8, 8, 2), np.float32)
HEATMAPS = np.zeros((2, 17, 16, 12), np.float32)


def test_numpy_in_gives_numpy_out() -> None:
    results = [
        assert_type(ops.assign(BOXES), np.ndarray),
        assert_type(ops.assign_ragged(SCORES, FIRST + 1, FIRST + 1), np.ndarray),
        assert_type(ops.iou_matrix(BOXES, BOXES), np.ndarray),
        assert_type(ops.tube_iou_matrix(TUBES, TUBES), np.ndarray),
        assert_type(ops.oks_matrix(POSES, POSES, area=AREAS, sigmas=SIGMAS), np.ndarray),
        assert_type(ops.pckh_matrix(POSES, POSES, head_sizes=AREAS), np.ndarray),
        assert_type(ops.nms(BOXES, SCORES, 0.5), np.ndarray),
        assert_type(ops.oks_nms(POSES, SCORES, AREAS, SIGMAS, 0.5), np.ndarray),
        assert_type(ops.tube_nms(TUBES, SCORES, 0.5), np.ndarray),
        assert_type(ops.crop_tubes(FRAMES, TUBES, FIRST[:, None], size=(4, 4), mean=MEAN, std=STD), np.ndarray),
        assert_type(ops.box_to_crop(BOXES, aspect=0.75), np.ndarray),
        assert_type(ops.tube_roi_align(FEATURES, TUBES, FIRST, output_size=2, spatial_scale=0.5), np.ndarray),
        assert_type(ops.heatmap_to_image(POSES, BOXES, heatmap_size=(16, 12)), np.ndarray),
        assert_type(ops.flip_average(HEATMAPS, HEATMAPS, [(1, 2)]), np.ndarray),
        *assert_type(ops.heatmap_peaks(HEATMAPS), tuple[np.ndarray, np.ndarray]),
        *assert_type(ops.sample_flow(FLOW, POINTS), tuple[np.ndarray, np.ndarray]),
        *assert_type(ops.soft_oks_nms(POSES, SCORES, AREAS, SIGMAS, 0.5), tuple[np.ndarray, np.ndarray]),
    ]
    assert all(isinstance(result, np.ndarray) for result in results)


def test_torch_in_gives_torch_out() -> None:
    boxes, poses, tubes, first = map(torch.from_numpy, (BOXES, POSES, TUBES, FIRST))
    features, maps, frames, flow = map(torch.from_numpy, (FEATURES, HEATMAPS, FRAMES, FLOW))
    results = [
        assert_type(ops.assign(boxes), torch.Tensor),
        assert_type(ops.iou_matrix(boxes, BOXES), torch.Tensor),
        assert_type(ops.oks_matrix(poses, POSES, area=AREAS, sigmas=SIGMAS), torch.Tensor),
        assert_type(ops.pckh_matrix(poses, POSES, head_sizes=AREAS), torch.Tensor),
        assert_type(ops.nms(boxes, SCORES, 0.5), torch.Tensor),
        assert_type(ops.crop_tubes(frames, tubes, first[:, None], size=(4, 4), mean=MEAN, std=STD), torch.Tensor),
        assert_type(ops.box_to_crop(boxes, aspect=0.75), torch.Tensor),
        assert_type(ops.tube_roi_align(features, tubes, first, output_size=2, spatial_scale=0.5), torch.Tensor),
        assert_type(
            ops.pyramid_tube_roi_align([features], tubes, first, output_size=2, spatial_scales=[0.5]), torch.Tensor
        ),
        *assert_type(ops.heatmap_peaks(maps), tuple[torch.Tensor, torch.Tensor]),
        *assert_type(ops.sample_flow(flow, POINTS), tuple[torch.Tensor, torch.Tensor]),
    ]
    assert all(isinstance(result, torch.Tensor) for result in results)
