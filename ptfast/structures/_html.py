"""Poses as HTML for notebooks: a table, and a drawing of one frame in SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

_WIDTH = 240  # of the drawing on the page, in CSS pixels
_STYLE = "display:flex; gap:1em; align-items:flex-start"


def page(facts: Mapping[str, object], image: str = "") -> str:
    """A table with a row for each fact, and an SVG image beside it."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(fact))}</td></tr>" for name, fact in facts.items())
    return f'<div style="{_STYLE}"><table>{rows}</table>{image}</div>'


def drawing(
    keypoints: np.ndarray,
    present: np.ndarray,
    track_ids: np.ndarray,
    edges: tuple[tuple[int, int], ...],
    size: Sequence[int] | None,
    title: str,
) -> str:
    """An SVG image of one frame's people, a colour for each id.

    Args:
        keypoints: (N, K, 2) pixels.
        present: (N, K) bool.
        track_ids: (N,), -1 for none.
        edges: Pairs of joints to draw as bones.
        size: Width and height of the frame in pixels. None takes the joints' extent.
        title: Shown when the mouse rests on the image.
    """
    present = present & np.isfinite(keypoints).all(-1)
    left, top, width, height = _view(keypoints[present], size)
    people = "".join(
        f'<path d="{_bones(points, there, edges)}" stroke="{_color(track_id)}"/>'
        for points, there, track_id in zip(keypoints, present, track_ids.tolist(), strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" viewBox="{left:.0f} {top:.0f} {width:.0f} '
        f'{height:.0f}" style="background:#11141a" fill="none" stroke-width="{width / 160:.1f}" '
        f'stroke-linecap="round"><title>{escape(title)}</title>{people}</svg>'
    )


def _view(points: np.ndarray, size: Sequence[int] | None) -> tuple[float, float, float, float]:
    """Left, top, width and height of what the image shows."""
    if size is not None and min(size) > 0:
        return 0, 0, size[0], size[1]
    if not len(points):
        return 0, 0, 1, 1
    low, high = points.min(0), points.max(0)
    margin = max(0.05 * float((high - low).max()), 1)
    return *(low - margin).tolist(), *(high - low + 2 * margin).tolist()


def _bones(points: np.ndarray, there: np.ndarray, edges: tuple[tuple[int, int], ...]) -> str:
    """An SVG path of one person's bones, and of joints without one as dots."""
    bones = [(first, second) for first, second in edges if there[first] and there[second]]
    lone = set(np.flatnonzero(there).tolist()) - {joint for bone in bones for joint in bone}
    lines = [*bones, *((joint, joint) for joint in sorted(lone))]
    ends = [(*points[first].tolist(), *points[second].tolist()) for first, second in lines]
    return "".join(f"M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" for x, y, u, v in ends)


def _color(track_id: int) -> str:
    """A CSS colour by the golden angle, as far apart for neighbouring ids as can be; grey for -1."""
    return f"hsl({(25 + 137.508 * track_id) % 360:.0f} 75% 65%)" if track_id >= 0 else "#969ca6"
