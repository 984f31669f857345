"""Options of `ptfast train flow`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptfast.cli.recipes._options import RecipeOptions

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


def load() -> Recipe:
    """Imports the recipe."""
    from ptfast.training.flow import RECIPE

    return RECIPE


FLOW = RecipeOptions(
    network="FlowNet2-S, for optical flow, on synthetic data alone", config="synthetic_flow", load=load
)
