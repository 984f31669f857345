"""Algorithms on Poses that need no network."""

from ptfast.tracking.costs import FeatureStore, weighted_cost
from ptfast.tracking.linking import link
from ptfast.tracking.online import OnlineLinker

__all__ = ["FeatureStore", "OnlineLinker", "link", "weighted_cost"]
