"""Precision that a network computes in."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def runs_in_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Returns True if a network computes in bfloat16; "auto" does where the device has instructions for it.

    Raises:
        ValueError: `precision` is none of the three.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"precision must be 'auto', 'float32' or 'bfloat16', got {precision!r}")
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and computes_bfloat16()


def computes_bfloat16() -> bool:
    """Returns True if this processor multiplies bfloat16; without that, it is slower than float32.

    Older torch does not say.
    """
    known = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(asked() for asked in known if asked is not None)
