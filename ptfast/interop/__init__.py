"""Poses from and for other packages: supervision, pandas, Arrow, whatever speaks DLPack, and the rerun viewer.

Models of Ultralytics and rtmlib become detectors, pose networks and one-shot estimators of `ptfast.pipeline`.

Each package is imported by the functions that need it. One that is missing is an ImportError with the command that
installs it.
"""

from ptfast.interop._detections import from_detections, to_detections
from ptfast.interop._dlpack import from_dlpack, to_dlpack
from ptfast.interop._keypoints import from_keypoints, to_keypoints
from ptfast.interop._rerun import log_to_rerun
from ptfast.interop._rtmlib import detector_from_rtmlib, one_shot_from_rtmlib, person_poses_from_rtmlib
from ptfast.interop._tables import from_arrow, from_pandas, to_arrow, to_pandas
from ptfast.interop._ultralytics import detector_from_ultralytics, one_shot_from_ultralytics

__all__ = [
    "detector_from_rtmlib", "detector_from_ultralytics", "from_arrow", "from_detections", "from_dlpack",
    "from_keypoints", "from_pandas", "log_to_rerun", "one_shot_from_rtmlib", "one_shot_from_ultralytics",
    "person_poses_from_rtmlib", "to_arrow", "to_detections", "to_dlpack", "to_keypoints", "to_pandas",
]  # fmt: skip
