"""Shared parts of torchvision's drop-ins: torchvision itself, and the state of tensors and of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ptfast import _native
from ptfast.dropin._originals import original

Function = TypeVar("Function", bound=Callable[..., Any])

# torch has no public names for these.
_innermost_transform: Callable[[], Any] = getattr(
    getattr(torch._C, "_functorch", None), "peek_interpreter_stack", lambda: None
)
_dispatch_modes: Callable[[], int] = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)

_is_exporting: Callable[[], bool] = getattr(torch.compiler, "is_exporting", lambda: False)  # absent before torch 2.7

_traced: dict[str, Any] = {}  # what torchvisions finds while torch.compile traces


def torchvisions(name: str, eager: bool = True) -> Any:
    """torchvision.ops' own function or class of that name, or None without torchvision.

    Unless eager, also in a graph that torch.compile traces: it can read a global, and cannot trace an import.
    """
    if eager:
        return original("torchvision.ops", name)
    _find_for_tracing()
    return _traced[name]


def _find_for_tracing() -> bool:
    _traced.update({name: original("torchvision.ops", name) for name in ("roi_align", "nms", "batched_nms")})
    return True


_find_for_tracing._dynamo_marked_constant = True  # type: ignore[attr-defined]  # it is called, and not traced


def scripted_as_torchvisions(function: Function) -> Function:
    """Lets TorchScript, which cannot compile ptfast's function, compile torchvision's of the same name for it."""
    marked: Any = function
    marked.__prepare_scriptable__ = lambda: needed(function.__name__)
    return function


def needed(name: str) -> Any:
    """torchvisions for TorchScript.

    Raises:
        RuntimeError: torchvision is absent.
    """
    peer = torchvisions(name)
    if peer is None:
        raise RuntimeError(f"TorchScript compiles torchvision's {name}, which is not there: pip install torchvision")
    return peer


def has_kernels(*tensors: Tensor) -> bool:
    """Tells whether ptfast can work on tensors: plain ones, on the CPU or on a GPU that this build has kernels for."""
    first = tensors[0]
    there = first.is_cpu or (first.is_cuda and _native.with_cuda)
    return there and not any(x.is_quantized or x.layout is not torch.strided for x in tensors)


def is_eager(*tensors: Tensor) -> bool:
    """Tells whether the tensors hold numbers, rather than stand for some in a trace or a compiled graph."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or is_transformed():
        return False
    return all(type(x) is Tensor for x in tensors)


def is_recorded() -> bool:
    """Tells whether torch.export, torch.onnx.export or torch.jit.trace is at work.

    The program that it makes must run where ptfast is not, and so has to hold torchvision's operations.
    """
    return torch.jit.is_tracing() or _is_exporting()


def is_transformed() -> bool:
    """Tells whether torch.func, forward-mode differentiation, or something that records torch's operations is at work.

    Tensors then carry more than their numbers, which only torch's own operations pass on.
    """
    return getattr(forward_ad, "_current_level", -1) >= 0 or _innermost_transform() is not None or _dispatch_modes() > 0


def is_autocast(tensor: Tensor) -> bool:
    """Tells whether autocast is on for a tensor. If so, torchvision's operations take half precision for float32."""
    return torch.is_autocast_enabled(tensor.device.type)


def dtype_name(tensor: Tensor) -> str:
    """The dtype's name in torch's own messages: Half, Float, Long."""
    return tensor.type().rsplit(".", 1)[1].removesuffix("Tensor")
