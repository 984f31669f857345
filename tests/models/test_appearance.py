"""Features of people's crops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ptfast.models import Architecture, MaskRcnn3d, ResNet3d
from ptfast.models.appearance import crop_features


@pytest.fixture(scope="module")
def backbone() -> ResNet3d:
    torch.manual_seed(0)
    return ResNet3d(18, stages=3, temporal_kernel=1, width=0.25).eval()


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Two frames with two people each, one of noise and one of stripes, who trade places."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    stripes = np.repeat((np.arange(64) // 4 % 2 * 255).astype(np.uint8), 96).reshape(64, 32, 3)
    images = np.full((2, 96, 128, 3), 90, np.uint8)
    for frame, (left, right) in enumerate([(noise, stripes), (stripes, noise)]):
        images[frame, 16:80, 8:40], images[frame, 16:80, 80:112] = left, right
    return images


BOXES = np.array([[8, 16, 40, 80], [80, 16, 112, 80]] * 2, np.float32)
FRAME = np.array([0, 0, 1, 1])


def test_the_same_person_elsewhere_has_the_same_features(backbone: ResNet3d, frames: np.ndarray) -> None:
    features = crop_features(backbone, frames, BOXES, FRAME, size=(64, 32))
    assert features.shape == (4, 64) and not features.requires_grad
    torch.testing.assert_close(features.norm(dim=1), torch.ones(4))
    likeness = features @ features.T
    torch.testing.assert_close(likeness[[0, 1], [3, 2]], torch.ones(2), atol=1e-5, rtol=0)
    assert likeness[0, 1] < 0.999


def test_batches_and_single_frames_give_the_same(backbone: ResNet3d, frames: np.ndarray) -> None:
    features = crop_features(backbone, frames, BOXES, FRAME, size=(64, 32))
    parts = [crop_features(backbone, frames[f : f + 1], BOXES[:2], size=(64, 32), batch=1) for f in (0, 1)]
    torch.testing.assert_close(torch.cat(parts), features, atol=1e-5, rtol=1e-5)
    batched = crop_features(backbone, frames, BOXES, FRAME, size=(64, 32), batch=3)
    torch.testing.assert_close(batched, features, atol=1e-5, rtol=1e-5)
    tensors = [torch.from_numpy(array) for array in (frames, BOXES, FRAME)]
    torch.testing.assert_close(crop_features(backbone, *tensors, size=(64, 32)), features)


def test_the_body_of_a_mask_rcnn_and_other_stages(frames: np.ndarray) -> None:
    model = MaskRcnn3d(Architecture(width=0.125, keypoint_convs=1, keypoint_channels=8, box_channels=8)).eval()
    for stage, channels in ((2, 16), (3, 32)):
        features = crop_features(model, frames[:1], BOXES[:2], stage=stage, size=(32, 16))
        assert features.shape == (2, channels)
        torch.testing.assert_close(
            crop_features(model.body, frames[:1], BOXES[:2], stage=stage, size=(32, 16)), features
        )


def test_images_are_normalised_as_the_network_wants(frames: np.ndarray) -> None:
    small = {"width": 0.125, "normalisation": "group", "box_channels": 8, "keypoint_convs": 1, "keypoint_channels": 8}
    usual = MaskRcnn3d(Architecture(**small)).eval()
    other = MaskRcnn3d(Architecture(**small, image_mean=(0.1, 0.2, 0.3))).eval()
    other.load_state_dict(usual.state_dict())
    boxes = np.array([[5, 5, 40, 60]], np.float32)
    found = [crop_features(model, frames[:1], boxes) for model in (usual, other)]
    assert (found[0] - found[1]).abs().max() > 1e-4


def test_nobody_has_no_features(backbone: ResNet3d, frames: np.ndarray) -> None:
    assert crop_features(backbone, frames[:1], np.zeros((0, 4), np.float32)).shape == (0, 64)


def test_wrong_arguments_are_errors(backbone: ResNet3d, frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="frame_index must be given for 2 frames, got None"):
        crop_features(backbone, frames, BOXES)
    with pytest.raises(ValueError, match="stage must be between 1 and 3, got 4"):
        crop_features(backbone, frames, BOXES, FRAME, stage=4)
    with pytest.raises(ValueError, match=r"boxes must have shape \(N, 4\), got \(4, 3\)"):
        crop_features(backbone, frames, BOXES[:, :3], FRAME)
