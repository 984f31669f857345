"""Annotations and detections of an evaluation, by image and category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from ptfast.dropin._pycocotools.cells import Annotation, Cells, gather_cells
from ptfast.dropin._pycocotools.params import Params

Key = tuple[Any, Any]  # an image's id and a category's
Table = dict[Key, list[Annotation]]
_KEY_OF = itemgetter("image_id", "category_id")


def load_sides(p: Params, ground_truth: Any, detections: Any) -> tuple[Table, Table]:
    """Annotations and detections of the chosen images and categories.

    Masks become run lengths, and `ignore` is written into annotations that do not count.

    Args:
        p: The images and categories, and the kind of evaluation.
        ground_truth: An object with COCO's methods.
        detections: Another one.
    """
    chosen = {"imgIds": p.imgIds} | ({"catIds": _Ids(p.catIds)} if p.useCats else {})
    truth, found = (data.loadAnns(data.getAnnIds(**chosen)) for data in (ground_truth, detections))
    if p.iouType == "segm":
        for annotations, data in ((truth, ground_truth), (found, detections)):
            for annotation in annotations:
                annotation["segmentation"] = data.annToRLE(annotation)
    for annotation in truth:
        crowd = annotation.get("iscrowd", False)
        unlabelled = p.iouType == "keypoints" and annotation["num_keypoints"] == 0
        annotation["ignore"] = unlabelled or crowd
    return _by_key(truth), _by_key(found)


def _by_key(annotations: list[Annotation]) -> Table:
    table: Table = defaultdict(list)
    for key, annotation in zip(map(_KEY_OF, annotations), annotations, strict=True):
        table[key].append(annotation)
    return table


def lists_of(
    p: Params, truth: Table, found: Table, image: Any, category: Any
) -> tuple[list[Annotation], list[Annotation]]:
    """Annotations and detections of an image, of one category or, without useCats, of all."""
    if p.useCats:
        return truth[image, category], found[image, category]
    gts, dts = ([each for c in p.catIds for each in table[image, c]] for table in (truth, found))
    return gts, dts


def occupied_cells(p: Params, truth: Table, found: Table) -> tuple[list[Key], list[tuple[int, int]], Cells]:
    """All that has annotations or detections, by category, then by image.

    Returns:
        C ids of image and category (-1 without useCats), C positions of category and image, and the C cells.
    """
    images, categories = map(_plain, (p.imgIds, p.catIds))
    image_at, category_at = ({each: i for i, each in enumerate(ids)} for ids in (images, categories))
    numbers = {
        (category_at[category] if p.useCats else 0) * len(images) + image_at[image]
        for table in (truth, found)
        for (image, category), annotations in table.items()
        if annotations and image in image_at and category in category_at
    }
    places = [divmod(number, len(images)) for number in sorted(numbers)]
    keys = [(p.imgIds[i], p.catIds[k] if p.useCats else -1) for k, i in places]
    if p.useCats:
        plain = [(images[i], categories[k]) for k, i in places]
        gts, dts = ([table.get(key, []) for key in plain] for table in (truth, found))
    else:
        lists = [lists_of(p, truth, found, *key) for key in keys]
        gts, dts = ([both[side] for both in lists] for side in (0, 1))
    return keys, places, gather_cells(gts, dts, p.maxDets[-1])


class _Ids(list):
    """A list that is asked for its members in one step: pycocotools looks up each annotation's category in one."""

    def __init__(self, ids: Sequence[Any]) -> None:
        super().__init__(ids)
        self._members = frozenset(_plain(ids))

    def __contains__(self, value: object) -> bool:
        return value in self._members


def _plain(ids: Sequence[Any]) -> list[Any]:
    """NumPy's numbers as Python's, which are found in a dictionary several times as fast."""
    return [each.item() if isinstance(each, np.generic) else each for each in ids]
