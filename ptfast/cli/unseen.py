"""What networks have never seen, as the cards of their weights say."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ptfast.cli.methods import files_of


def drawn_people_alone(options: argparse.Namespace) -> list[str]:
    """A line that names the weights of a run which have only seen drawn people, if there are any.

    Those of an optical flow do not count: it finds nobody.
    """
    files = [file for name, file in files_of(options).items() if name != "flow"]
    names = sorted({file.stem for file in files if _saw_drawn_people(file.with_suffix(".json"))})
    if not names:
        return []
    have, they = ("has", "it finds") if len(names) == 1 else ("have", "they find")
    others = "movenet-thunder and nanodet-g have" if options.method == "online" else "--method online has"
    advice = f"{others} seen real ones"
    return [f"{' and '.join(names)} {have} only seen drawn people, and {they} few real ones; {advice}"]


def _saw_drawn_people(card: Path) -> bool:
    """Returns True if a card says that its network was trained on synthetic scenes."""
    try:
        data = json.loads(card.read_text()).get("data")
    except (OSError, ValueError, AttributeError):  # weights of other programs have no card
        return False
    return isinstance(data, str) and data.startswith("synthetic")
