"""COCO's precision and recall arrays."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

from ptfast.dropin._pycocotools.curves import Curves
from ptfast.dropin._pycocotools.params import Params


def is_same_choice(p: Params, done: Params) -> bool:
    """Tells whether `p` chooses all images, categories and areas that were evaluated, in the same order."""
    areas = list(map(tuple, done.areaRng))
    chosen = [[*p.imgIds], [*p.catIds], [*map(tuple, p.areaRng)]]
    return chosen == [done.imgIds, [*_categories(done)], areas]


def _categories(p: Params) -> Any:
    return p.catIds if p.useCats else [-1]


def sum_up(p: Params, done: Params, curves: Callable[[int, int, list[int]], Curves | None]) -> dict[str, Any]:
    """COCOeval.eval: arrays of precision (T, R, K, A, M), recall (T, K, A, M) and scores (T, R, K, A, M).

    Args:
        p: The choice to sum up.
        done: The choice that was evaluated.
        curves: Gives the curves of a category, an area range and images, by their positions, or None for nothing.
    """
    counts = [len(p.iouThrs), len(p.recThrs), len(p.catIds) if p.useCats else 1, len(p.areaRng), len(p.maxDets)]
    precision, scores = -np.ones(counts), -np.ones(counts)
    recall = -np.ones((counts[0], *counts[2:]))
    categories, images, limits = set(_categories(done)), set(done.imgIds), set(done.maxDets)
    areas = set(map(tuple, done.areaRng))
    chosen = [i for i, image in enumerate(p.imgIds) if image in images]
    # what was not evaluated leaves no gap in the arrays: the rest moves up, as in the original
    for k, category in enumerate(i for i, each in enumerate(p.catIds) if each in categories):
        for a, area in enumerate(i for i, each in enumerate(p.areaRng) if tuple(each) in areas):
            found = curves(category, area, chosen)
            if found is None or found.positives == 0:
                continue
            for m, limit in enumerate(each for each in p.maxDets if each in limits):
                sampled = found.sample(limit, np.asarray(p.recThrs))
                recall[:, k, a, m], precision[:, :, k, a, m], scores[:, :, k, a, m] = sampled
    date = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    arrays = {"precision": precision, "recall": recall, "scores": scores}
    return {"params": p, "counts": counts, "date": date} | arrays
