"""CorrTrack's published checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ptfast.models.adapters.filling import empty_model, shape_of_layer
from ptfast.models.adapters.state_dicts import Source, fill_published, read_weights
from ptfast.models.affinity import Normalisation
from ptfast.models.bn_inception import NARROWEST
from ptfast.models.correspondence import CorrespondenceArchitecture, CorrespondenceNetwork
from ptfast.models.images import IMAGE_STD
from ptfast.models.inception_pose import PER_JOINT, InceptionPose, InceptionPoseArchitecture

SPREAD, PLAIN = "model.module.model.", "model.model."  # before the embedding's names, as trained on several GPUs or not
STAGE = re.compile(r"pd([0-9])\.")  # before the names of a pose network's stage
FIRST, LAST = "inception_31_1x1.weight", "Conv2dT_2.conv.weight"  # of a stage


@torch.no_grad()
def load_correspondences(source: Source, *, normalise: Normalisation = "published") -> CorrespondenceNetwork:
    """Loads CorrTrack's published embedding and refinement, or those of a narrower network.

    Args:
        source: A file of the public code (its Siamese model), or its content: tensors by name, with or without
            "module." before them, or a dictionary that holds them as "state_dict" or "model".
        normalise: What the weights were trained with; the released ones with "published".

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: The file holds no tensors by name, or one is missing, has a wrong shape, or is not one of the
            network's. The first such one is named.

    Source:
        Rafi et al. 2020 (CorrTrack); the public code of PoseTrack21's baselines.
    """
    place, weights = read_weights(source)
    weights = {_plain(name): value for name, value in weights.items()}
    stem = shape_of_layer(place, weights, f"{PLAIN}conv1_7x7_s2.weight", ("C", 3, 7, 7))[0]
    architecture = CorrespondenceArchitecture(
        width=stem / (2 * NARROWEST),
        refinement_width=width_of_stage(place, weights, "pd."),
        joints=outputs_of_stage(place, weights, "pd."),
        channels=outputs_of_stage(place, weights, f"{PLAIN}pd1."),
        normalise=normalise,
    )
    return fill_published(empty_model(CorrespondenceNetwork, architecture, place), place, weights)


@torch.no_grad()
def load_inception_pose(source: Source) -> InceptionPose:
    """Loads the weights of CorrTrack's published pose network, or those of a narrower one.

    They are for images from 0 to 1, less no mean and over no deviation. Here images are over ImageNet's deviation, so
    it goes into the first convolution, and `architecture.image_mean` is 0.

    Args:
        source: A file of the public code, or its content, as in `load_correspondences`. The number of stages is that of
            its tensors.

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: As `load_correspondences`.

    Source:
        Rafi et al. 2020 (CorrTrack); the public code of PoseTrack21's baselines.
    """
    place, weights = read_weights(source)
    stem = shape_of_layer(place, weights, "conv1_7x7_s2.weight", ("C", 3, 7, 7))[0]
    maps = outputs_of_stage(place, weights, "pd1.")
    if maps % PER_JOINT:
        raise ValueError(f"{place} must have three maps of each joint, got {maps}")
    stages = max(int(stage[1]) for stage in map(STAGE.match, weights) if stage)
    architecture = InceptionPoseArchitecture(stages, stem / (2 * NARROWEST), maps // PER_JOINT, (0.0, 0.0, 0.0))
    weights["conv1_7x7_s2.weight"] = weights["conv1_7x7_s2.weight"] * torch.tensor(IMAGE_STD).view(3, 1, 1)
    return fill_published(empty_model(InceptionPose, architecture, place), place, weights)


def width_of_stage(place: str, weights: Mapping[str, Tensor], stage: str) -> float:
    """The width of a stage whose names begin so."""
    return shape_of_layer(place, weights, f"{stage}{FIRST}", ("C", "D", 1, 1))[0] / (2 * NARROWEST)


def outputs_of_stage(place: str, weights: Mapping[str, Tensor], stage: str) -> int:
    """The number of maps that a stage gives."""
    return shape_of_layer(place, weights, f"{stage}{LAST}", ("C", "M", 8, 8))[1]


def _plain(name: str) -> str:
    """A name of the embedding as of one that was not trained on several GPUs; others stay."""
    return PLAIN + name.removeprefix(SPREAD) if name.startswith(SPREAD) else name
