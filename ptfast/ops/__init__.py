"""Native operations, each usable on its own with NumPy arrays or torch tensors."""

from ptfast.ops.assignment import assign, assign_ragged
from ptfast.ops.boxes import iou_matrix, tube_iou_matrix
from ptfast.ops.crop import box_to_crop, crop_tubes
from ptfast.ops.flow import sample_flow
from ptfast.ops.heatmap import flip_average, heatmap_peaks, heatmap_to_image
from ptfast.ops.linking import LinkOptions, PoseColumns, link_columns
from ptfast.ops.nms import nms, nms_padded, oks_nms, oks_nms_padded, soft_oks_nms, tube_nms, tube_nms_padded
from ptfast.ops.oks import oks_matrix
from ptfast.ops.pckh import pckh_matrix
from ptfast.ops.roi_align import pyramid_tube_roi_align, tube_roi_align

__all__ = [
    "LinkOptions", "PoseColumns",
    "assign", "assign_ragged", "box_to_crop", "crop_tubes", "flip_average", "heatmap_peaks", "heatmap_to_image",
    "iou_matrix", "link_columns", "nms", "nms_padded", "oks_matrix", "oks_nms", "oks_nms_padded", "pckh_matrix",
    "pyramid_tube_roi_align", "sample_flow",
    "soft_oks_nms", "tube_iou_matrix", "tube_nms", "tube_nms_padded", "tube_roi_align",
]  # fmt: skip
