"""Algorithms on Poses that need no network."""

from ptfast.ops.assignment import Matcher
from ptfast.tracking.association import Association
from ptfast.tracking.confirmation import ConfirmedLinker, FrameLinker, drop_tentative
from ptfast.tracking.costs import Cost, weighted_cost
from ptfast.tracking.entailment import EntailmentLinker, PairCounts
from ptfast.tracking.filtered import Filtered, count_filtered
from ptfast.tracking.filters import drop_low_joints, drop_short_tracks, drop_small_boxes
from ptfast.tracking.joining import OnlineJoiner, join_tracklets
from ptfast.tracking.linking import link
from ptfast.tracking.match_scores import MatchScorer
from ptfast.tracking.mean_shift import Clusters, mean_shift
from ptfast.tracking.merging import merge_hypotheses
from ptfast.tracking.online import OnlineLinker
from ptfast.tracking.settings import LinkSettings
from ptfast.tracking.shortest_path import cheapest_path
from ptfast.tracking.temporal_oks import search_boxes, temporal_oks
from ptfast.tracking.track_linker import TrackLinker, link_tracks
from ptfast.tracking.warm_up import warm_up

__all__ = [
    "Association",
    "Clusters",
    "ConfirmedLinker",
    "Cost",
    "EntailmentLinker",
    "Filtered",
    "FrameLinker",
    "LinkSettings",
    "MatchScorer",
    "Matcher",
    "OnlineJoiner",
    "OnlineLinker",
    "PairCounts",
    "TrackLinker",
    "cheapest_path",
    "count_filtered",
    "drop_low_joints",
    "drop_short_tracks",
    "drop_small_boxes",
    "drop_tentative",
    "join_tracklets",
    "link",
    "link_tracks",
    "mean_shift",
    "merge_hypotheses",
    "search_boxes",
    "temporal_oks",
    "warm_up",
    "weighted_cost",
]
