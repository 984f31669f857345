"""A network so small that it trains in the blink of an eye, and a few clips for it."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from torch.utils.data import Dataset

from ptfast.models import Architecture, HrnetArchitecture, Limits
from ptfast.training.data.clips import Clip
from ptfast.training.data.person_tubes import PersonClips
from ptfast.training.data.regions import Augmentation
from ptfast.training.data.synthetic_clips import SyntheticClips
from ptfast.training.mask_rcnn import MaskRcnnConfig
from ptfast.training.mask_rcnn.sampling import Sampling
from ptfast.training.pose import HrnetConfig


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """More are slower for a network of this size."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> MaskRcnnConfig:
    """Three frames of 64 pixels, two anchors a position."""
    return MaskRcnnConfig(
        frames=3,
        batch=2,
        steps=4,
        optimizer="adamw",
        learning_rate=2e-3,
        warm_up=2,
        drops=(3,),
        mixed_precision=False,
        short_sides=(64,),
        epoch=100,
        architecture=Architecture(
            width=0.125,
            normalisation="group",
            anchor_sizes=(16.0, 32.0),
            anchor_ratios=(2.5,),
            box_channels=16,
            box_stride=2,
            keypoint_convs=1,
            keypoint_channels=16,
        ),
        sampling=Sampling(anchors=32, proposals=16, keypoint_tubes=4),
        proposals=Limits(proposals_before=40, proposals_after=20),
    )


@lru_cache
def clip(index: int) -> Clip:
    return FILMS[index]


FILMS = SyntheticClips(3, size=64)


class FewClips(Dataset):
    """Two clips again and again."""

    def __getitem__(self, index: int) -> Clip:
        return clip(index % 2)


@pytest.fixture(scope="session")
def clips() -> Dataset:
    """Clips of three frames by number; two different ones with people in them."""
    few = FewClips()
    assert len(few[0].tubes) and len(few[1].tubes)
    return few


@pytest.fixture(scope="session")
def tiny_pose() -> HrnetConfig:
    """A 3D HRNet of two branches with batch norm, three frames of 32x24 pixels."""
    return HrnetConfig(
        frames=3,
        batch=2,
        steps=4,
        learning_rate=2e-3,
        warm_up=2,
        drops=(3,),
        mixed_precision=False,
        epoch=100,
        people=2,
        size=(32, 24),
        sigma=1.0,
        short_side=64,
        validation_videos=1,
        architecture=HrnetArchitecture(width=4, joints=15, stem=4, stem_blocks=1, modules=(1,), blocks=1),
    )


@pytest.fixture(scope="session")
def tubes(tiny_pose: HrnetConfig, clips: Dataset) -> PersonClips:
    """Tubes of the same clips by number, which differ in their augmentation."""
    return PersonClips(clips, tiny_pose.size, people=2, augmentation=Augmentation(), complete=True)
