"""Endless training clips from annotated videos and images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.training.data.annotated_sequences import read_sequences
from ptfast.training.data.clips import Clip, at_random
from ptfast.training.data.left_out import warn_of_left_out


class AnnotatedClips(Dataset):
    """Clips of adjacent frames of PoseTrack videos, or of COCO images. Clip i is the same whenever it is asked for.

    A clip's middle frame is annotated and shows somebody with joints that span a box; every such frame comes once
    before any comes again, in an order of each round's own. At a video's ends the first or last frame stands again for
    those beyond. A file none of whose people have track ids is a collection of images, each of them a clip of T times
    the same.

    People without joints in a file (crowds, ignore regions, people none of whose joints are labelled) are neither
    people nor background: see `Clip.ignored`. Frames that nobody has labelled, between those that are, have the boxes
    of the people in the clip's labelled frames, interpolated; their joints have none.

    Args:
        source: A PoseTrack 2017 or 2018 file, a folder of them, the dataset's own folder (then it is its
            annotations/train), or a COCO keypoints file.
        length: T.
        skeleton: The model's joints; those that the file lacks are unlabelled.
        images: The folder that the file's image names start from; None looks in the file's own and those above it.
        short_sides: The images' shorter side in pixels is one of these, by chance.
        long_side: Largest longer side.
        seed: Another seed is another order.

    Raises:
        FileNotFoundError: There are no annotations, or a sequence's first image is missing.
        ValueError: A file is not as it should be, or no frame shows anybody.

    Warns:
        UserWarning: Of labelled frames that show nobody, and are the middle of no clip.
    """

    def __init__(
        self,
        source: str | Path,
        length: int,
        *,
        skeleton: Skeleton = POSETRACK_15,
        images: str | Path | None = None,
        short_sides: Sequence[int] = (256,),
        long_side: int = 333,
        seed: int = 0,
    ) -> None:
        self.length, self.skeleton, self.seed = length, skeleton, seed
        self.short_sides, self.long_side = tuple(short_sides), long_side
        self.sequences = list(read_sequences(Path(source), skeleton, None if images is None else Path(images)))
        self.centres = [
            (number, int(frame)) for number, sequence in enumerate(self.sequences) for frame in sequence.centres()
        ]
        if not self.centres:
            raise ValueError(f"{source}: expected labelled people in at least one frame, found none")
        labelled = sum(int(sequence.labelled.sum()) for sequence in self.sequences)
        why = "nobody in them has joints that span a box"
        warn_of_left_out(source, labelled - len(self.centres), labelled, "labelled frames", why)

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, 0 or more."""
        turn, place = divmod(index, len(self.centres))
        number, centre = self.centres[round_order(self.seed, turn, len(self.centres))[place]]
        clip = self.sequences[number].clip(centre, self.length)
        rng = np.random.default_rng([self.seed, 1, index])
        return at_random(clip, rng, self.short_sides, self.long_side, self.skeleton)


@lru_cache(maxsize=2)
def round_order(seed: int, turn: int, count: int) -> np.ndarray:
    """Order of the centres in a round."""
    return np.random.default_rng([seed, 0, turn]).permutation(count)
