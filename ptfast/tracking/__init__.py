"""Algorithms on Poses that need no network."""

from ptfast.tracking.linking import link
from ptfast.tracking.online import OnlineLinker

__all__ = ["OnlineLinker", "link"]
