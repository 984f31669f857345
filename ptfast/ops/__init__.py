"""The native operations, each usable on its own with NumPy arrays or torch tensors."""

from ptfast.ops.assignment import assign, assign_ragged
from ptfast.ops.boxes import iou_matrix, tube_iou_matrix
from ptfast.ops.nms import nms, nms_padded, oks_nms, oks_nms_padded, soft_oks_nms, tube_nms, tube_nms_padded
from ptfast.ops.oks import oks_matrix
from ptfast.ops.pckh import pckh_matrix

__all__ = [
    "assign", "assign_ragged", "iou_matrix", "nms", "nms_padded", "oks_matrix", "oks_nms", "oks_nms_padded",
    "pckh_matrix", "soft_oks_nms", "tube_iou_matrix", "tube_nms", "tube_nms_padded",
]  # fmt: skip
