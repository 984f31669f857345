"""The form that a network's options have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


@dataclass(frozen=True)
class RecipeOptions:
    """What `ptfast train` offers for a network.

    Attributes:
        network: The network, as the help names it.
        config: Default of --config.
        load: Imports the recipe. Only a run does so, as it brings torch.
    """

    network: str
    config: str
    load: Callable[[], Recipe]
