"""The native operations, each usable on its own with NumPy arrays or torch tensors."""

from ptfast.ops.oks import oks_matrix

__all__ = ["oks_matrix"]
