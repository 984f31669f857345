"""Processes that train together, as torchrun starts them."""

from __future__ import annotations

import os

import torch
from torch import distributed


def join_processes(device: torch.device) -> tuple[int, int, torch.device]:
    """This process's rank and the number of processes, as torchrun has set them, or 0 and 1; and its device."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return 0, 1, device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        # Its functions have the group as a default argument where there is one when it is imported, as
        # DistributedDataParallel does; destroy_process_group would then leave gloo's threads to the interpreter's end,
        # where they abort the process now and then.
        from torch.distributed import nn  # noqa: F401

        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return distributed.get_rank(), distributed.get_world_size(), device


def stop_together(stop: bool, world: int) -> bool:
    """True where any process wants to stop; all get the same answer."""
    if world == 1:
        return stop
    wanted = torch.tensor(float(stop))
    if distributed.get_backend() == "nccl":
        wanted = wanted.cuda()
    distributed.all_reduce(wanted)
    return bool(wanted > 0)
