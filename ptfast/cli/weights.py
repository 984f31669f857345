"""ptfast weights: which weights there are by name, and the fetching of published ones."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast._json import decode
from ptfast.cli._shared import command

if TYPE_CHECKING:
    from ptfast.pipeline.weights import Published

SHOWN = ("network", "skeleton", "size", "source", "licence", "intended_use", "data", "command", "score", "sha256")
"""Entries of a card that are shown."""


def add_weights(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast weights."""
    parser = command(commands, "weights", _list, "List the weights that have names, fetch published ones.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", _list, "List the names that --weights and --detector take.")
    fetch = command(actions, "fetch", _fetch, "Fetch published weights into the cache, and show where they are.")
    fetch.add_argument("name", nargs="+", help="of ptfast weights list")
    info = command(actions, "info", _info, "Show what is known of weights.")
    info.add_argument("weights", help="a name of ptfast weights list, or a file")


def _list(options: argparse.Namespace) -> None:
    from ptfast.pipeline.weights import NAMES, ZOO, cache_folder

    rows = [("name", "network", "joints", "crops", "where", "score")]
    rows += [(name, *_row(_card(name)), "comes along", "") for name in NAMES]
    rows += [(name, *_row(_known(each)), _state(each), each.score) for name, each in ZOO.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    print(f"Published ones are fetched at their first use, into {cache_folder() / 'weights'} (PTFAST_CACHE).")


def _fetch(options: argparse.Namespace) -> None:
    from ptfast.pipeline.weights import NAMES, ZOO, path_of

    for name in options.name:
        if name not in NAMES and name not in ZOO:
            raise ValueError(f"{name}: expected a name that ptfast weights list shows")
    for name in options.name:
        print(path_of(name))


def _info(options: argparse.Namespace) -> None:
    from ptfast.pipeline.weights import NAMES, ZOO

    name = options.weights
    known = _card(name) if name in NAMES else _known(ZOO[name]) if name in ZOO else dict(_of_file(Path(name)))
    for entry, value in known.items():
        if value not in (None, ""):
            print(f"{entry.replace('_', ' '):13} {_text(value)}")


def _card(name: str) -> dict[str, Any]:
    """What the card of weights that come along says."""
    from ptfast.pipeline.weights import MATCHER_NAMES, path_of

    path = path_of(name)
    card = json.loads(path.with_suffix(".json").read_text())
    network = "matcher" if name in MATCHER_NAMES else "mask-rcnn"  # the cards of these do not say
    return {"network": network, **{entry: card[entry] for entry in SHOWN if entry in card}, "file": str(path)}


def _known(published: Published) -> dict[str, Any]:
    """What is known of published weights."""
    from ptfast.pipeline.weights import place_of

    return {
        "network": published.network,
        "skeleton": published.skeleton,
        "size": published.size,
        "score": published.score,
        "source": published.origin.page,
        "licence": published.origin.licence,
        "address": published.address or "none: a browser alone gets it from its source",
        "sha256": published.sha256 and f"{published.sha256}...",
        "file": f"{place_of(published)} ({_state(published)})",
    }


def _of_file(path: Path) -> Iterator[tuple[str, Any]]:
    """What a file shows of itself."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: expected a file or a name that ptfast weights list shows; there is no such file"
        )
    from ptfast.models.adapters import named_tensors, network_of, read_state_dict
    from ptfast.pipeline.weights.cache import published_file, sha256_of
    from ptfast.pipeline.weights.given import form_of

    form, published = form_of(path), published_file(path)
    yield "written by", {"torch": "torch.save", "pickle": "pickle", None: "something else"}.get(form, form)
    if published is not None:
        yield "published as", published.name
    if form == "torch":
        yield "network", network_of(named_tensors(read_state_dict(path), str(path))) or "not one that is known here"
    if form == "safetensors" and path.with_suffix(".json").is_file():
        place = path.with_suffix(".json")
        card = decode(place.read_bytes(), dict[str, Any], place)
        yield from ((entry, card.get(entry)) for entry in SHOWN if entry != "sha256")
    yield "sha256", sha256_of(path)


def _row(known: dict[str, Any]) -> tuple[str, str, str]:
    """Network, joints and crops in a line of the list."""
    return (known["network"], known.get("skeleton") or "", _text(known.get("size") or ""))


def _state(published: Published) -> str:
    """Where published weights are."""
    from ptfast.pipeline.weights import place_of

    if place_of(published).is_file():
        return "fetched"
    return "by browser" if published.address is None else "to fetch"


def _text(value: Any) -> str:
    """An entry in one line; a size as height x width."""
    if isinstance(value, list | tuple):
        return "x".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)
