"""Training of the LSTM matcher."""

from ptfast.training.data.tracks import identified, synthetic_tracks
from ptfast.training.matcher.config import MatcherConfig, read_config
from ptfast.training.matcher.recipe import RECIPE, matcher_task
from ptfast.training.matcher.train import train_matcher
from ptfast.training.matcher.validation import matcher_figures
from ptfast.training.matcher.weights import save_matcher

__all__ = [
    "RECIPE",
    "MatcherConfig",
    "identified",
    "matcher_figures",
    "matcher_task",
    "read_config",
    "save_matcher",
    "synthetic_tracks",
    "train_matcher",
]
