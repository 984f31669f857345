"""How ptfast link compares poses: its options, and the linking that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from ptfast.cli._shared import device, number_or_none, plural
from ptfast.structures import Poses
from ptfast.tracking import EntailmentLinker, link
from ptfast.tracking.settings import MAX_COST

NETWORK = "keytrack"  # the cost that a network computes
FILTERS = ("lookback", "min_score", "min_joint_score", "max_tracks", "keep_filtered")


@dataclass(frozen=True)
class Linking:
    """A linking of sequence after sequence.

    Attributes:
        link: Gives the poses of a sequence ids.
        by_pairs: KeyTrack's linking, if that is it.
    """

    link: Callable[[Poses], Poses]
    by_pairs: EntailmentLinker | None = None

    def seen(self) -> str:
        """What a network was asked about, after a comma; nothing where there was none, or it was asked by `link`."""
        if self.by_pairs is None:
            return ""
        counts = self.by_pairs.counts
        return f", in which the network saw {counts.scored:,} of {plural(counts.pairs, 'pair')}"


def add_cost(parser: argparse.ArgumentParser) -> None:
    """Adds what decides which poses are of one person."""
    parser.add_argument(
        "--cost",
        choices=["oks", "iou", "pckh", NETWORK],
        default="oks",
        help=f"cost of a pair of poses; {NETWORK}: 1 - the match score of a network",
    )
    parser.add_argument(
        "--matcher",
        choices=["hungarian", "greedy"],
        help=f"least total cost, or lowest cost first; hungarian if not given, greedy in {NETWORK}'s own linking",
    )
    parser.add_argument(
        "--motion",
        choices=["velocity", "none"],
        help="earlier poses move on, or stay; velocity if not given, but none in "
        f"{NETWORK}'s own linking, which compares each pose with the nearest ones of all of the last frames",
    )
    parser.add_argument(
        "--max-cost",
        type=number_or_none,
        default=argparse.SUPPRESS,
        metavar="X",
        help=f"pairs that cost more are never made; none allows all; {MAX_COST} if not given, 0.5 with {NETWORK}",
    )
    parser.add_argument("--weights", help=f"the network of --cost {NETWORK}, by name or file; {NETWORK} if not given")
    parser.add_argument("--device", type=device, help=f"where the network of --cost {NETWORK} runs; cpu if not given")


def linking_of(options: argparse.Namespace) -> Linking:
    """The linking that the options ask for.

    Raises:
        ValueError: An option belongs to another cost, or is out of range.
    """
    for name in ("weights", "device"):
        if options.cost != NETWORK and getattr(options, name) is not None:
            raise ValueError(f"--{name} is for --cost {NETWORK}, not for {options.cost}")
    max_cost = getattr(options, "max_cost", 0.5)
    if options.cost == NETWORK and max_cost is not None and not 0 <= max_cost <= 1:
        raise ValueError(f"--max-cost must be between 0 and 1, or none, with --cost {NETWORK}, got {max_cost}")
    filters = {name: getattr(options, name) for name in FILTERS}
    if options.cost != NETWORK:
        return _by_cost(options, options.cost, MAX_COST, filters)
    from ptfast.pipeline import load_match_scorer

    scorer = load_match_scorer(options.weights or NETWORK, device=options.device or "cpu")
    if options.motion == "velocity":
        return _by_cost(options, scorer, 0.5, filters)
    least = 0.0 if max_cost is None else 1 - max_cost
    linker = EntailmentLinker(scorer, matcher=options.matcher or "greedy", min_match_score=least, **filters)
    return Linking(linker.link, linker)


def _by_cost(options: argparse.Namespace, cost: object, max_cost: float, filters: dict[str, object]) -> Linking:
    """`ptfast.link` by a cost."""
    settings = {
        "cost": cost,
        "matcher": options.matcher or "hungarian",
        "motion": options.motion or "velocity",
        "max_cost": getattr(options, "max_cost", max_cost),
        "sigma_scale": options.sigma_scale,
    }
    return Linking(lambda poses: link(poses, **settings, **filters))  # type: ignore[arg-type]
