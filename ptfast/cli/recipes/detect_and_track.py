"""Options of `ptfast train detect-and-track`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptfast.cli.recipes._options import RecipeOptions

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


def load() -> Recipe:
    """Imports the recipe."""
    from ptfast.training.mask_rcnn import RECIPE

    return RECIPE


DETECT_AND_TRACK = RecipeOptions(network="the 3D Mask R-CNN of Detect-and-Track", config="synthetic_3d", load=load)
