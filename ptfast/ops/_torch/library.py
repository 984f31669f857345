"""Helpers of all torch operations: the library, addresses, native calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast import _native
from ptfast._check import Array, core_array

_WIDEST = 8  # bytes of a number
LIBRARY = torch.library.Library("ptfast", "FRAGMENT")


def define(schema: str, *, cpu: Callable, cuda: Callable | None, fake: Callable) -> None:
    """Makes one operation known to torch under its schema, e.g. "nms(Tensor boxes, ...) -> Tensor"."""
    name = schema.split("(", 1)[0]
    LIBRARY.define(schema)
    LIBRARY.impl(name, cpu, "CPU")
    if cuda is not None:
        LIBRARY.impl(name, cuda, "CUDA")
    torch.library.register_fake(f"ptfast::{name}", fake, lib=LIBRARY)


def address(tensor: Tensor | None) -> int:
    """Address of a contiguous tensor's data, 0 for None. The caller holds the tensor in a local through the call."""
    return 0 if tensor is None else tensor.data_ptr()


def addresses(tensors: Iterable[Tensor | None]) -> list[int]:
    """Addresses of contiguous tensors, which the caller holds in locals through the call."""
    return [address(tensor) for tensor in tensors]


def contiguous(*tensors: Tensor | None) -> list[Any]:
    """The tensors in contiguous, aligned memory. None stays None."""
    return [None if tensor is None else align(tensor.contiguous()) for tensor in tensors]


def align(tensor: Tensor) -> Tensor:
    """The tensor if its numbers lie at multiples of their size, else a copy: memory that NumPy gave may lie askew."""
    place = tensor.data_ptr()
    return tensor if place % _WIDEST == 0 or place % tensor.element_size() == 0 else tensor.clone()


def as_tensor(array: Array, dtype: torch.dtype | None, device: torch.device) -> Tensor:
    """A tensor of `array`, whichever way a NumPy array lies in memory."""
    if isinstance(array, np.ndarray):
        array = core_array(array, array.dtype.newbyteorder("="))
    return torch.as_tensor(array, dtype=dtype, device=device)


def dtype_name(tensor: Tensor) -> str:
    """The dtype as the native functions spell it: "float32"."""
    return str(tensor.dtype).removeprefix("torch.")


def call_cpu(operation: str, tensor: Tensor, *arguments: object) -> None:
    """Calls the CPU function for `tensor`'s dtype."""
    _native.cpu(operation, dtype_name(tensor))(*arguments)


def call_cuda(operation: str, tensor: Tensor, *arguments: object) -> None:
    """Calls the CUDA function for `tensor`'s dtype on its device and that device's current stream."""
    function = _native.cuda(operation, dtype_name(tensor))
    stream = torch.cuda.current_stream(tensor.device).cuda_stream
    _native.check_status(operation, function(*arguments, tensor.device.index or 0, stream))


def numpy_view(tensor: Tensor | None) -> Any:
    """The same memory as a NumPy array, for CPU tensors."""
    return None if tensor is None else tensor.detach().numpy()


def like(tensor: Tensor, other: Array) -> Tensor:
    """`other` in the dtype and on the device of `tensor`, detached."""
    return as_tensor(other, tensor.dtype, tensor.device).detach()


def as_mask(tensor: Tensor | None) -> Tensor | None:
    """A contiguous uint8 tensor, 1 where `tensor` is not zero."""
    return None if tensor is None else tensor.ne(0).contiguous().view(torch.uint8)


def refuse_cuda(operation: str, tensor: Tensor, name: str) -> None:
    """Raises RuntimeError for a CUDA tensor, as the operation has no CUDA kernel. The message names `name`."""
    if tensor.is_cuda:
        raise RuntimeError(f"{operation} has no CUDA kernel yet; move the {name} to the CPU")
