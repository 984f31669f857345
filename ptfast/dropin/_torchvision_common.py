"""What torchvision's drop-ins share: whether ptfast can do the work, and what autocast changes."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast import _native


def has_kernels(*tensors: Tensor) -> bool:
    """Whether ptfast can work on such tensors: plain ones, on the CPU or on a GPU that this build has kernels for."""
    first = tensors[0]
    return (first.is_cpu or (first.is_cuda and _native.with_cuda)) and not any(x.is_quantized for x in tensors)


def is_eager(*tensors: Tensor) -> bool:
    """Whether the tensors hold numbers now, rather than stand for some in a trace or a compiled graph."""
    return not (torch.compiler.is_compiling() or torch.jit.is_tracing()) and all(type(x) is Tensor for x in tensors)


def is_autocast(tensor: Tensor) -> bool:
    """Whether autocast is on where the tensor is; torchvision's operations then take half precision for float32."""
    return torch.is_autocast_enabled(tensor.device.type)


def dtype_name(tensor: Tensor) -> str:
    """As torch's own messages have it: Half, Float, Long."""
    return tensor.type().rsplit(".", 1)[1].removesuffix("Tensor")
