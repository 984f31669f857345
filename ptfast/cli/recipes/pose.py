"""Options of `ptfast train pose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptfast.cli.recipes._options import RecipeOptions

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


def load() -> Recipe:
    """Imports the recipe."""
    from ptfast.training.pose import RECIPE

    return RECIPE


POSE = RecipeOptions(network="a network for the poses of single people", config="synthetic_pose_3d", load=load)
