"""Options of `ptfast train matcher`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptfast.cli.recipes._options import RecipeOptions

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


def load() -> Recipe:
    """Imports the recipe."""
    from ptfast.training.matcher import RECIPE

    return RECIPE


MATCHER = RecipeOptions(network="the LSTM that links detections", config="synthetic_matcher", load=load)
