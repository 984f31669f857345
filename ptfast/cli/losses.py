"""What a command leaves out: how many of how many, by which setting, and how to change it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ptfast.cli._endings import note
from ptfast.cli._shared import plural
from ptfast.tracking import Filtered


@dataclass(frozen=True)
class Loss:
    """Poses, joints or frames that a command leaves out.

    Attributes:
        noun: What they are, such as "pose".
        total: Number of all there were.
        reasons: Number that each setting took away, by what is said of them: "under --min-score 0.4 (...)".
        how: What became of them.
        proposals: They are what a network proposes, most of which is usually nobody.
    """

    noun: str
    total: int
    reasons: Mapping[str, int]
    how: str = "left out"
    proposals: bool = False

    @property
    def count(self) -> int:
        """Number that is left out."""
        return sum(self.reasons.values())

    @property
    def alarming(self) -> bool:
        """True if more than half are left out, or all where more than half is usual."""
        return self.count == self.total if self.proposals else 2 * self.count > self.total

    def __str__(self) -> str:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.items() if count)
        return f"{self.count:,} of {plural(self.total, self.noun)} {self.how}: {reasons}"


def joined(parts: Sequence[Loss]) -> Loss:
    """The losses of several sequences, of one kind, as one."""
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.reasons)
    return replace(parts[0], total=sum(part.total for part in parts), reasons=dict(reasons))


def report(command: str, losses: Sequence[Loss], result: str) -> None:
    """Prints a command's result on stdout and its losses on stderr: alarming ones come first."""
    lost = [loss for loss in losses if loss.count]
    for loss in lost:
        if loss.alarming:
            note(f"ptfast {command}: more than half: {loss}")
    print(result)
    sys.stdout.flush()
    for loss in lost:
        if not loss.alarming:
            note(f"ptfast {command}: {loss}")


def filter_losses(
    counts: Sequence[Filtered],
    min_score: float | None,
    min_joint_score: float | None,
    change: str,
    how: str = "left out",
) -> list[Loss]:
    """Losses by the thresholds of linking.

    Args:
        counts: Of each sequence.
        min_score: The threshold.
        min_joint_score: The threshold.
        change: How both thresholds are changed.
        how: What becomes of the poses.
    """

    def total(name: str) -> int:
        return sum(getattr(count, name) for count in counts)

    by_joints = f"--min-joint-score {min_joint_score} ({change})"
    reasons = {
        f"under --min-score {min_score} ({change})": total("low_scores"),
        f"without a joint of {by_joints}": total("low_joints"),
        "without any joint": total("without_joints"),
    }
    joints = Loss("joint", total("joints"), {f"under {by_joints}": total("weak_joints")})
    return [Loss("pose", total("poses"), reasons, how), joints]


def tentative(linked: int, kept: int, min_new_score: float | None) -> Loss:
    """Poses that tracks have before they are confirmed.

    Args:
        linked: Number of poses that were given an id.
        kept: Number of those in confirmed tracks.
        min_new_score: The score that confirms a track.
    """
    why = f"before a pose of their track reaches --min-new-score {min_new_score} (0 keeps all)"
    return Loss("linked pose", linked, {why: linked - kept})
