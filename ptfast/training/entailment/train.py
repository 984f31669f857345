"""Training of pose entailment on tracks in memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ptfast.models.pose_entailment import PoseEntailment
from ptfast.structures import Poses
from ptfast.training.data.tracks import with_joint_extent
from ptfast.training.entailment.config import EntailmentConfig, read_config
from ptfast.training.entailment.examples import PairExamples
from ptfast.training.entailment.recipe import entailment_task
from ptfast.training.entailment.table import PoseTable
from ptfast.training.loop import train


def train_pose_entailment(
    tracks: Sequence[Poses] | dict[str, Poses], config: EntailmentConfig | None = None
) -> PoseEntailment:
    """Trains a network to tell whether two poses are the same person, animal or hand a few frames apart.

    Args:
        tracks: Videos of one skeleton with track ids, as `ptfast.io.read_sequences` gives them. Poses without an id are
            nobody's. Where frame_size is missing, the frame reaches as far as the joints do.
        config: Settings of the run; the default is the config "keytrack_best".

    Returns:
        The network, in evaluation mode. The same arguments give the same weights on the same machine.

    Raises:
        ValueError: No video has a track, skeletons differ, or there are no pairs.

    Example:
        >>> network = train_pose_entailment(read_sequences("cows/"), EntailmentConfig(steps=2000))
    """
    config = config or read_config("keytrack_best")
    videos = tracks.values() if isinstance(tracks, dict) else tracks
    table = PoseTable.of([with_joint_extent(poses.numpy()) for poses in videos])
    examples, task = PairExamples(table, config), entailment_task(config, table.skeleton)
    with torch.random.fork_rng(devices=[]):
        network, _ = train(task, examples, None, workers=0)
    return network.eval()
