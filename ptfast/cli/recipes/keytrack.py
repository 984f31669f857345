"""Options of `ptfast train keytrack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptfast.cli.recipes._options import RecipeOptions

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


def load() -> Recipe:
    """Imports the recipe."""
    from ptfast.training.entailment import RECIPE

    return RECIPE


KEYTRACK = RecipeOptions(
    network="KeyTrack's network, which links poses without images", config="keytrack_best", load=load
)
