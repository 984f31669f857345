"""Scores of poses and tracks: PoseTrack's official figures, IDF1 and HOTA of poses, CLEAR MOT and IDF1 of boxes."""

from ptfast.evaluation import boxes, posetrack
from ptfast.evaluation.thresholds import learn_joint_thresholds
from ptfast.evaluation.tracks import TrackResult, evaluate_tracks

__all__ = ["TrackResult", "boxes", "evaluate_tracks", "learn_joint_thresholds", "posetrack"]
