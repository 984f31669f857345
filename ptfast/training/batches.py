"""Batches of clips: which ones a step takes, and as what tensors."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ptfast.models.images import IMAGE_MEAN, Colour, normalise_clips
from ptfast.training.clips import Clip
from ptfast.training.losses import Targets


class Steps(Sampler[list[int]]):
    """The clips of each step from `first` on: step s of B clips takes clips s * B to s * B + B - 1.

    Args:
        first: First step.
        last: The step after the last.
        batch: B, of all processes together.
        rank: Number of this process, which takes every `world`-th clip.
        world: How many processes there are.

    Raises:
        ValueError: The clips of a step cannot be shared out evenly; each process's mean would then count the same
            though some have more clips than others.
    """

    def __init__(self, first: int, last: int, batch: int, rank: int = 0, world: int = 1) -> None:
        if batch % world:
            raise ValueError(f"batch must be a multiple of the {world} processes, got {batch}")
        self.steps, self.batch, self.rank, self.world = range(first, last), batch, rank, world

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            yield list(range(step * self.batch + self.rank, (step + 1) * self.batch, self.world))


class Fallible(Dataset):
    """Data whose errors are handed over in place of clips; those that a worker raises come with its traceback."""

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __getitem__(self, index: int) -> Clip | ValueError | OSError:
        """Clip `index`, or why there is none."""
        try:
            return self.data[index]
        except (ValueError, OSError) as error:
            return error


def loader(data: Dataset, steps: Steps, workers: int) -> Iterator[list[Clip]]:
    """Lists of Clips, made by `workers` processes ahead of time; 0 makes them in this one."""
    batches = DataLoader(
        Fallible(data),
        batch_sampler=steps,
        collate_fn=list,
        num_workers=workers,
        worker_init_fn=_quiet_worker,
        prefetch_factor=4 if workers else None,
    )
    for clips in batches:
        for clip in clips:
            if isinstance(clip, Exception):
                raise clip
        yield clips


def _quiet_worker(_: int) -> None:
    """One thread a worker, as there are as many workers as there should be; Ctrl-C is for the trainer to act on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def tensors(
    clips: list[Clip], multiple: int, device: torch.device, mean: Colour = IMAGE_MEAN
) -> tuple[Tensor, list[Targets]]:
    """A batch as the network takes it.

    Args:
        clips: B clips of T frames, of any sizes.
        multiple: Height and width are padded to a multiple of this.
        device: Where to.
        mean: The network's `architecture.image_mean`.

    Returns:
        (B, 3, T, H, W) normalised pictures, and each clip's people.
    """
    height = max(clip.frames.shape[1] for clip in clips)
    width = max(clip.frames.shape[2] for clip in clips)
    height, width = height + -height % multiple, width + -width % multiple
    pictures = torch.zeros(len(clips), 3, clips[0].frames.shape[0], height, width, device=device)
    pictures = pictures.contiguous(memory_format=torch.channels_last_3d)
    targets = []
    for place, clip in zip(pictures, clips, strict=True):
        shown = normalise_clips(torch.from_numpy(clip.frames).to(device)[None], mean=mean)[0]
        place[..., : shown.shape[-2], : shown.shape[-1]] = shown
        targets.append(
            Targets(
                tubes=tensor(clip.tubes, device),
                present=tensor(clip.present, device),
                keypoints=tensor(clip.keypoints, device),
                labelled=tensor(clip.labelled, device),
                ignored=None if clip.ignored is None else tensor(clip.ignored, device),
            )
        )
    return pictures, targets


def tensor(column: np.ndarray, device: torch.device) -> Tensor:
    """An array on a device."""
    return torch.from_numpy(np.ascontiguousarray(column)).to(device)
