"""Form of a network's options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ptfast.training.recipe import Recipe


@dataclass(frozen=True)
class RecipeOptions:
    """A network that `ptfast train` trains.

    Attributes:
        network: The network, as the help names it.
        config: Default of --config.
        load: Imports the recipe. Only a run does so, as it brings torch.
    """

    network: str
    config: str
    load: Callable[[], Recipe]
