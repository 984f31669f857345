"""Tubes of crops of one person each, and the places of the joints in them: the examples of pose networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset

from ptfast.training.data.clips import Clip
from ptfast.training.data.regions import Augmentation, crop_matrix, cut_tube, moved, regions

TRIES = 1000  # clips without anybody in the middle frame, after which there is something wrong with the data


@dataclass(frozen=True, eq=False)
class PersonTubes:
    """N tubes of T crops.

    Attributes:
        crops: (N, T, h, w, 3) uint8 red, green, blue.
        keypoints: (N, T, K, 2) float32 pixels of the crops; they may lie outside.
        labelled: (N, T, K) bool: there is a joint, seen or hidden.
        known: (N, T, K) bool: it is known that there is one or that there is none.
    """

    crops: np.ndarray
    keypoints: np.ndarray
    labelled: np.ndarray
    known: np.ndarray


class PersonClips(Dataset):
    """Tubes about the people of clips. Number i has always the same.

    A clip gives `people` tubes, each about somebody in its middle frame; where there are fewer people, some give
    several tubes, so that each clip counts the same. All of a tube's frames show the same region: the person's box in
    the middle frame, widened to the crops' aspect, enlarged by 25 % and then augmented. A clip without anybody in the
    middle is passed over for the next one.

    Args:
        clips: Clips by number, mirrored or not.
        size: (height, width) of the crops.
        people: Tubes of a clip.
        augmentation: Spread of the regions.
        seed: Of that, and of the choice of people.
        complete: True where joints that are not labelled are known to be absent, as in synthetic clips.

    Source:
        Wang et al. 2020 (Combining detection and tracking), section 3.1; Sun et al. 2019 (HRNet), section 4.1, and its
        public code for the augmentation.
    """

    def __init__(
        self,
        clips: Dataset,
        size: tuple[int, int],
        *,
        people: int,
        augmentation: Augmentation,
        seed: int = 0,
        complete: bool = False,
    ) -> None:
        self.clips, self.size, self.people, self.augmentation = clips, size, people, augmentation
        self.seed, self.complete = seed, complete

    def __getitem__(self, index: int) -> PersonTubes:
        """The tubes of clip `index`, 0 or more.

        Raises:
            ValueError: A thousand clips on end show nobody in their middle frame.
        """
        for number in range(index, index + TRIES):
            clip: Clip = self.clips[number]
            middle = clip.frames.shape[0] // 2
            there = np.flatnonzero(clip.present[:, middle])
            if len(there):
                break
        else:
            raise ValueError(f"clips must show somebody in their middle frame, but {TRIES} from {index} on do not")
        rng = np.random.default_rng([self.seed, 3, index])
        chosen = np.resize(rng.permutation(there), self.people)
        boxes, angles = regions(clip.tubes[chosen, middle], self.size, self.augmentation, rng)
        matrices = [crop_matrix(box, angle, self.size) for box, angle in zip(boxes, angles, strict=True)]
        labelled = clip.labelled[chosen]
        return PersonTubes(
            crops=np.stack([cut_tube(clip.frames, matrix, self.size) for matrix in matrices]),
            keypoints=np.stack([moved(clip.keypoints[g], matrix) for g, matrix in zip(chosen, matrices, strict=True)]),
            labelled=labelled,
            known=np.ones_like(labelled) if self.complete else labelled,
        )
