"""Greedy and soft non-maximum suppression of boxes, tubes and poses.

A number that is NaN or infinite is an error, but on a GPU only in the forms that wait for the device anyway: nms,
tube_nms and oks_nms. The docstrings of the others state its meaning there.
"""

from __future__ import annotations

from ptfast._check import Array, ArrayT, check_integer, check_number, check_shape, is_tensor
from ptfast.ops._numpy.nms import nms_arrays, oks_nms_arrays, soft_oks_nms_arrays


def nms(boxes: ArrayT, scores: Array, threshold: float) -> ArrayT:
    """Greedy non-maximum suppression of boxes by their IoU.

    By descending score, lower index first among equals, a box is kept unless its IoU with one kept before is over the
    threshold. IoU is that of iou_matrix. An empty box overlaps none.

    Args:
        boxes: (N, 4) float32 or float64, x1, y1, x2, y2; NumPy arrays or torch tensors.
        scores: (N,), taken in the boxes' dtype.
        threshold: Highest IoU that two kept boxes may have, 0 to 1, rounded to the boxes' dtype.

    Returns:
        (M,) int64 indices of the kept boxes, highest score first. In torch, finding M waits for the device, unlike
        nms_padded.

    Raises:
        ValueError: A shape is wrong, the threshold is out of range, or a number is NaN or infinite.
        TypeError: A dtype is neither float32 nor float64.
    """
    _check_boxes("boxes", boxes, ("N", 4), scores, threshold)
    if is_tensor(boxes):
        from ptfast.ops._torch.nms import nms as on_tensors

        return on_tensors(boxes, scores, threshold)
    return _without_padding(*nms_arrays("boxes", boxes, scores, threshold))


def nms_padded(boxes: ArrayT, scores: Array, threshold: float) -> tuple[ArrayT, Array]:
    """nms with a result whose shape does not depend on the data, so that on a GPU nothing waits for the device.

    Numbers that are not finite are errors on the CPU alone. On a GPU a NaN score counts as -inf, and a box with a NaN
    overlaps none.

    Returns:
        (N,) int64 indices of the kept boxes, then -1, and the number of kept boxes, an int or in torch a () int64
        tensor.
    """
    _check_boxes("boxes", boxes, ("N", 4), scores, threshold)
    if is_tensor(boxes):
        from ptfast.ops._torch.nms import nms_padded as on_tensors

        return on_tensors(boxes, scores, threshold)
    return nms_arrays("boxes", boxes, scores, threshold)


def tube_nms(tubes: ArrayT, scores: Array, threshold: float) -> ArrayT:
    """Greedy non-maximum suppression of tubes by the mean of their frames' IoUs.

    Equal to nms in all but the overlap, which is that of tube_iou_matrix.

    Args:
        tubes: (N, T, 4) float32 or float64, a box x1, y1, x2, y2 for each frame; NumPy arrays or torch tensors.
        scores: (N,), taken in the tubes' dtype.
        threshold: Highest mean IoU that two kept tubes may have, 0 to 1, rounded to the tubes' dtype.

    Returns:
        (M,) int64 indices of the kept tubes, highest score first.

    Raises:
        ValueError: A shape is wrong, the threshold is out of range, or a number is NaN or infinite.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, there with one pixel more on each side.
    """
    _check_boxes("tubes", tubes, ("N", "T", 4), scores, threshold)
    if is_tensor(tubes):
        from ptfast.ops._torch.nms import nms as on_tensors

        return on_tensors(tubes, scores, threshold)
    return _without_padding(*nms_arrays("tubes", tubes, scores, threshold))


def tube_nms_padded(tubes: ArrayT, scores: Array, threshold: float) -> tuple[ArrayT, Array]:
    """tube_nms with a result whose shape does not depend on the data, so that on a GPU nothing waits for the device.

    Numbers that are not finite are errors on the CPU alone. On a GPU a NaN score counts as -inf, and a tube with a NaN
    overlaps none.

    Returns:
        (N,) int64 indices of the kept tubes, then -1, and the number of kept tubes, an int or in torch a () int64
        tensor.
    """
    _check_boxes("tubes", tubes, ("N", "T", 4), scores, threshold)
    if is_tensor(tubes):
        from ptfast.ops._torch.nms import nms_padded as on_tensors

        return on_tensors(tubes, scores, threshold)
    return nms_arrays("tubes", tubes, scores, threshold)


def oks_nms(keypoints: ArrayT, scores: Array, areas: Array, sigmas: Array, threshold: float) -> ArrayT:
    """Greedy non-maximum suppression of poses by their object keypoint similarity (OKS).

    Equal to nms in all but the overlap: OKS over all joints with the mean of both poses' areas, as oks_matrix gives it
    for a pair of areas, since there is no ground truth whose area could count. In HRNet the area is that of the
    enlarged crop, and the rule is the same but for 2e-16 added to it.

    Args:
        keypoints: (N, K, 2) float32 or float64, pixels; NumPy arrays or torch tensors, as all other arguments.
        scores: (N,), taken, as are the others, in the keypoints' dtype.
        areas: (N,) square pixels. One that is not positive, and a sigma of 0, mean what they do in oks_matrix.
        sigmas: (K,) COCO's sigmas.
        threshold: Highest OKS that two kept poses may have, 0 to 1, rounded to the keypoints' dtype.

    Returns:
        (M,) int64 indices of the kept poses, highest score first.

    Raises:
        ValueError: A shape is wrong, the threshold is out of range, or a number is NaN or infinite.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Sun et al. 2019 (HRNet), whose code calls it oks_nms. Papandreou et al. 2017 introduced it.
    """
    poses = _check_poses(keypoints, scores, areas, sigmas)
    check_number("threshold", threshold, 0, 1)
    if is_tensor(keypoints):
        from ptfast.ops._torch.nms import oks_nms as on_tensors

        return on_tensors(poses, threshold)
    return _without_padding(*oks_nms_arrays(**poses, threshold=threshold))


def oks_nms_padded(
    keypoints: ArrayT, scores: Array, areas: Array, sigmas: Array, threshold: float
) -> tuple[ArrayT, Array]:
    """oks_nms with a result whose shape does not depend on the data, so that on a GPU nothing waits for the device.

    Numbers that are not finite are errors on the CPU alone. On a GPU a NaN score counts as -inf, and a pose with a NaN
    coordinate overlaps none. A NaN area counts, as in oks_matrix, as one that is not positive.

    Returns:
        (N,) int64 indices of the kept poses, then -1, and the number of kept poses, an int or in torch a () int64
        tensor.
    """
    poses = _check_poses(keypoints, scores, areas, sigmas)
    check_number("threshold", threshold, 0, 1)
    if is_tensor(keypoints):
        from ptfast.ops._torch.nms import oks_nms_padded as on_tensors

        return on_tensors(poses, threshold)
    return oks_nms_arrays(**poses, threshold=threshold)


def soft_oks_nms(
    keypoints: ArrayT, scores: Array, areas: Array, sigmas: Array, threshold: float, *, max_detections: int = 20
) -> tuple[ArrayT, ArrayT]:
    """Soft non-maximum suppression of poses: scores of overlapping poses fall, and no pose is struck out.

    Takes the pose with the highest score, lower index first among equals, multiplies every other score by
    exp(-OKS^2 / threshold), and goes on until max_detections poses are taken. OKS is that of oks_nms.

    Args:
        keypoints: (N, K, 2) float32 or float64, pixels; NumPy arrays or torch tensors, as all other arguments.
        scores: (N,), taken, as are the others, in the keypoints' dtype.
        areas: (N,) square pixels.
        sigmas: (K,) COCO's sigmas.
        threshold: Decides how fast scores fall with OKS, at least 1e-6.
        max_detections: Number of poses to take, at least 0.

    Returns:
        (M,) int64 indices in the order taken, M = min(N, max_detections), and (M,) their scores when taken. Since M
        does not depend on the numbers, nothing waits for the device in torch.

    Raises:
        ValueError: A shape is wrong, threshold or max_detections is out of range, or, except on a GPU, a number is NaN
            or infinite. There a NaN score counts as -inf, and a pose with a NaN coordinate overlaps none.
        TypeError: A dtype is neither float32 nor float64, or max_detections is no integer.

    Source:
        HRNet's soft_oks_nms (Gaussian), after Bodla et al. 2017, section 3.
    """
    poses = _check_poses(keypoints, scores, areas, sigmas)
    check_number("threshold", threshold, 1e-6)
    max_detections = check_integer("max_detections", max_detections, 0, 2**63 - 1)
    if is_tensor(keypoints):
        from ptfast.ops._torch.nms import soft_oks_nms as on_tensors

        return on_tensors(poses, threshold, max_detections)
    return soft_oks_nms_arrays(**poses, threshold=threshold, max_detections=max_detections)


def _without_padding(kept: Array, count: Array) -> Array:
    return kept[: int(count)]


def _check_boxes(name: str, boxes: Array, pattern: tuple[int | str, ...], scores: Array, threshold: float) -> None:
    check_shape(name, boxes, pattern)
    check_shape("scores", scores, (boxes.shape[0],))
    check_number("threshold", threshold, 0, 1)


def _check_poses(keypoints: Array, scores: Array, areas: Array, sigmas: Array) -> dict[str, Array]:
    """Returns the arguments by their names. Raises ValueError where a shape does not fit."""
    check_shape("keypoints", keypoints, ("N", "K", 2))
    n, k, _ = keypoints.shape
    check_shape("scores", scores, (n,))
    check_shape("areas", areas, (n,))
    check_shape("sigmas", sigmas, (k,))
    return {"keypoints": keypoints, "scores": scores, "areas": areas, "sigmas": sigmas}
