"""COCO's evaluation of detections and keypoints under pycocotools' names, without its loops over images in Python.

    from ptfast.dropin.pycocotools import COCO, COCOeval  # instead of: from pycocotools.coco import COCO, ...

Equal to pycocotools 2.0.11 in what it takes, gives, prints and writes into the annotations, to the last bit of every
similarity, match and figure (on processors without fused multiply-add in pycocotools' build, as its x86-64 wheels are).
All images are done together, in NumPy: ptfast.ops rounds OKS and IoU in another order, and where a similarity meets a
threshold a match hangs on the last bit. COCO reads a data set in a fraction of the time; the evaluator takes any
objects with COCO's methods getImgIds, getCatIds, getAnnIds and loadAnns, and annToRLE for masks.

Like the original, it takes a match with an annotation or a detection whose id is 0 for none, unless zero_ids=True, and
finds nothing alike in keypoints with useCats = 0. Unlike it, str() of an evaluator gives "" once the summary is
printed, and no error; boxes may be tuples; people with labelled joints need no box for OKS. Masks (iouType "segm")
need pycocotools installed, for their IoU.
"""

from __future__ import annotations

import copy
import datetime
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from operator import itemgetter
from typing import Any

import numpy as np

from ptfast.dropin._patching import StandIn, original
from ptfast.dropin._pycocotools.cells import Annotation, Cells, gather_cells
from ptfast.dropin._pycocotools.coco import COCO
from ptfast.dropin._pycocotools.curves import Curves, curves_of
from ptfast.dropin._pycocotools.loading import paused_collector
from ptfast.dropin._pycocotools.params import Params
from ptfast.dropin._pycocotools.results import Results, evaluate_cells
from ptfast.dropin._pycocotools.similarity import iou_of_pairs, oks_of_pairs
from ptfast.dropin._pycocotools.summary import detection_lines, figure, keypoint_lines

__all__ = ["COCO", "COCOeval", "Params"]

_PAIRS = 1 << 20  # of detection and annotation that are compared at a time
# One image by itself is left to pycocotools, if installed, below so many pairs, or pairs times thresholds: there what
# NumPy spends on a call is more than the loops take. A whole evaluation wins from a few images on.
_SMALL_OKS, _SMALL_MATCHING = 6, 700
Key = tuple[Any, Any]  # an image's id and a category's
_KEY_OF = itemgetter("image_id", "category_id")


class COCOeval(metaclass=StandIn):
    """Evaluates detections against annotations, as pycocotools.cocoeval.COCOeval: evaluate, accumulate, summarize.

    A subclass may override any method: evaluate calls computeIoU, computeOks and evaluateImg image by image where they
    are overridden, and does all images together where they are not.

    Args:
        cocoGt: The annotations, an object with COCO's methods. Evaluation writes `ignore` and `_ignore` into them.
        cocoDt: The detections, likewise, usually from cocoGt.loadRes.
        iouType: "segm", "bbox" or "keypoints".
        zero_ids: Whether a match with an annotation or detection whose id is 0 counts as one. Not so in pycocotools,
            where a match is written down as the other's id, and 0 stands for none: data numbered from 0 loses one
            match in each direction. True counts it, and writes -1 for it.

    Attributes:
        params: Params, to be set before evaluate.
        ious: From evaluate: by (image id, category id) a (D, G) float64 array of OKS or IoU, detections by descending
            score; [] where there is nothing to compare.
        evalImgs: From evaluate: for each category, area range and image (in this order) a dict, or None where there is
            neither annotation nor detection: image_id, category_id, aRng, maxDet, dtIds, gtIds, dtMatches (T, D),
            gtMatches (T, G), dtScores, gtIgnore (G,), dtIgnore (T, D).
        eval: From accumulate: params, counts, date, precision (T, R, K, A, M), recall (T, K, A, M), scores
            (T, R, K, A, M).
        stats: From summarize: (10,) figures for keypoints, else (12,).

    Raises:
        Exception: iouType is none of the three.
    """

    def __init__(
        self, cocoGt: Any = None, cocoDt: Any = None, iouType: str = "segm", *, zero_ids: bool = False
    ) -> None:
        if not iouType:
            print("iouType not specified. use default iouType segm")
        self.cocoGt = cocoGt
        self.cocoDt = cocoDt
        self.zero_ids = zero_ids
        self.params = Params(iouType=iouType)
        self.evalImgs = defaultdict(list)
        self.eval: dict[str, Any] = {}
        self.stats: Any = []
        self.ious: dict[Key, Any] = {}
        self._gts: dict[Key, list[Annotation]] = defaultdict(list)
        self._dts: dict[Key, list[Annotation]] = defaultdict(list)
        self._paramsEval: Any = {}
        if cocoGt is not None:
            self.params.imgIds = sorted(cocoGt.getImgIds())
            self.params.catIds = sorted(cocoGt.getCatIds())

    @property
    def evalImgs(self) -> Any:
        """The matches as dictionaries, made when they are first asked for: most programs never do."""
        self._write_down()
        return self._evalImgs

    @evalImgs.setter
    def evalImgs(self, value: Any) -> None:
        self._evalImgs = value
        self._results: Results | None = None

    def evaluate(self) -> None:
        """Compares and matches detections with annotations, for `ious` and `evalImgs`."""
        started = time.time()
        print("Running per image evaluation...")
        p = self.params
        if p.useSegm is not None:
            p.iouType = "segm" if p.useSegm == 1 else "bbox"
            print(f"useSegm (deprecated) is not None. Running {p.iouType} evaluation")
        print(f"Evaluate annotation type *{p.iouType}*")
        p.imgIds = list(np.unique(p.imgIds))
        if p.useCats:
            p.catIds = list(np.unique(p.catIds))
        p.maxDets = sorted(p.maxDets)
        with paused_collector():
            self._prepare()
            keys, cells = self._cells()
            self.ious = self._compare(keys, cells)
            self._match(keys, cells)
        self._paramsEval = copy.deepcopy(p, {id(p.imgIds): list(p.imgIds)})  # ids one by one would take a while
        print(f"DONE (t={time.time() - started:0.2f}s).")

    def computeIoU(self, imgId: Any, catId: Any) -> Any:
        """IoU of an image's detections, by descending score, with its annotations: (D, G), or [] where either lacks."""
        if (theirs := _original()) is not None:
            return theirs.computeIoU(self, imgId, catId)  # C code, which for one image wins at any size
        lists = self._lists(imgId, catId)
        if not (lists[0] or lists[1]):
            return []
        if self.params.iouType == "segm":
            raise ImportError("iouType segm needs pycocotools, which is not installed: pip install pycocotools")
        if self.params.iouType != "bbox":
            raise Exception("unknown iouType for iou computation")
        cells = gather_cells(lists[:1], lists[1:], self.params.maxDets[-1])
        return _matrices(cells, iou_of_pairs(cells))[0]

    def computeOks(self, imgId: Any, catId: Any) -> Any:
        """OKS of an image's detections, by descending score, with its annotations: (D, G), or [] where either lacks."""
        gts, dts = self._gts[imgId, catId], self._dts[imgId, catId]
        if len(gts) * len(dts) < _SMALL_OKS and (theirs := _original()) is not None:
            return theirs.computeOks(self, imgId, catId)
        cells = gather_cells([gts], [dts], self.params.maxDets[-1])
        return _matrices(cells, oks_of_pairs(cells, self.params.kpt_oks_sigmas))[0]

    def evaluateImg(self, imgId: Any, catId: Any, aRng: Any, maxDet: int) -> dict[str, Any] | None:
        """Matches an image's detections with its annotations by `ious`: an entry of evalImgs."""
        gts, dts = self._lists(imgId, catId)
        if not (gts or dts):
            return None
        small = len(gts) * len(dts) * len(self.params.iouThrs) < _SMALL_MATCHING and not self.zero_ids
        if small and (theirs := _original()) is not None:
            return theirs.evaluateImg(self, imgId, catId, aRng, maxDet)
        return self._evaluate([(imgId, catId)], gather_cells([gts], [dts], maxDet), [aRng], maxDet).dictionaries(0)[0]

    def accumulate(self, p: Any = None) -> None:
        """Sums up `evalImgs` to precision and recall, in `eval`.

        Args:
            p: Params that choose from what was evaluated; default all of it.
        """
        print("Accumulating evaluation results...")
        started = time.time()
        if self._results is None and not self.evalImgs:
            print("Please run evaluate() first")
        p = self.params if p is None else p
        p.catIds = p.catIds if p.useCats == 1 else [-1]
        counts = [len(p.iouThrs), len(p.recThrs), len(p.catIds) if p.useCats else 1, len(p.areaRng), len(p.maxDets)]
        precision, scores = -np.ones(counts), -np.ones(counts)
        recall = -np.ones((counts[0], *counts[2:]))
        done = self._paramsEval
        known = done.catIds if done.useCats else [-1]
        categories, images, limits = set(known), set(done.imgIds), set(done.maxDets)
        areas = list(map(tuple, done.areaRng))
        chosen = [i for i, image in enumerate(p.imgIds) if image in images]
        same = [[*p.imgIds], [*p.catIds], [*map(tuple, p.areaRng)]] == [done.imgIds, [*known], areas]
        if not same:
            self._write_down()
        # what was not evaluated leaves no gap in the arrays: the rest moves up, as in the original
        for k, category in enumerate(i for i, each in enumerate(p.catIds) if each in categories):
            for a, area in enumerate(i for i, each in enumerate(p.areaRng) if tuple(each) in areas):
                curves = self._curves(category, area, chosen)
                if curves is None or curves.positives == 0:
                    continue
                for m, limit in enumerate(each for each in p.maxDets if each in limits):
                    sampled = curves.sample(limit, np.asarray(p.recThrs))
                    recall[:, k, a, m], precision[:, :, k, a, m], scores[:, :, k, a, m] = sampled
        self.eval = {
            "params": p,
            "counts": counts,
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
            "precision": precision,
            "recall": recall,
            "scores": scores,
        }
        print(f"DONE (t={time.time() - started:0.2f}s).")

    def summarize(self) -> None:
        """Prints COCO's figures and puts them into `stats`; for maxDets and areaRngLbl as COCO has them.

        Raises:
            Exception: accumulate was not called before.
        """
        if not self.eval:
            raise Exception("Please run accumulate() first")
        p = self.params
        lines = keypoint_lines() if p.iouType == "keypoints" else detection_lines(p.maxDets)
        self.stats = np.array([figure(line, p, self.eval["precision"], self.eval["recall"]) for line in lines], float)

    def __str__(self) -> str:
        self.summarize()
        return ""

    def _prepare(self) -> None:
        """Sorts annotations and detections by image and category, and marks annotations that do not count."""
        p = self.params
        chosen = {"imgIds": p.imgIds} | ({"catIds": _Ids(p.catIds)} if p.useCats else {})
        truth, found = (data.loadAnns(data.getAnnIds(**chosen)) for data in (self.cocoGt, self.cocoDt))
        if p.iouType == "segm":
            for annotations, data in ((truth, self.cocoGt), (found, self.cocoDt)):
                for annotation in annotations:
                    annotation["segmentation"] = data.annToRLE(annotation)
        for annotation in truth:
            crowd = annotation.get("iscrowd", False)
            unlabelled = p.iouType == "keypoints" and annotation["num_keypoints"] == 0
            annotation["ignore"] = unlabelled or crowd
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        for annotations, by_key in ((truth, self._gts), (found, self._dts)):
            for key, annotation in zip(map(_KEY_OF, annotations), annotations, strict=True):
                by_key[key].append(annotation)
        self.evalImgs = defaultdict(list)
        self.eval = {}

    def _lists(self, image: Any, category: Any) -> tuple[list[Annotation], list[Annotation]]:
        """Annotations and detections of an image, of one category or of all."""
        if self.params.useCats:
            return self._gts[image, category], self._dts[image, category]
        gts, dts = ([a for c in self.params.catIds for a in table[image, c]] for table in (self._gts, self._dts))
        return gts, dts

    def _cells(self) -> tuple[list[Key], Cells]:
        """All that has annotations or detections, by category and image: ids and the data."""
        p = self.params
        images, categories = map(_plain, (p.imgIds, p.catIds))
        image_at, category_at = ({each: i for i, each in enumerate(ids)} for ids in (images, categories))
        places = {
            (category_at[category] if p.useCats else 0) * len(images) + image_at[image]
            for table in (self._gts, self._dts)
            for (image, category), annotations in table.items()
            if annotations and image in image_at and category in category_at
        }
        self._places = [divmod(place, len(images)) for place in sorted(places)]
        keys = [(p.imgIds[i], p.catIds[k] if p.useCats else -1) for k, i in self._places]
        if p.useCats:
            plain = [(images[i], categories[k]) for k, i in self._places]
            truth, found = ([table.get(key, []) for key in plain] for table in (self._gts, self._dts))
        else:
            lists = [self._lists(*key) for key in keys]
            truth, found = ([both[which] for both in lists] for which in (0, 1))
        return keys, gather_cells(truth, found, p.maxDets[-1])

    def _compare(self, keys: list[Key], cells: Cells) -> dict[Key, Any]:
        """`ious`, for all images and categories."""
        p = self.params
        every = product(p.imgIds, p.catIds if p.useCats else [-1])
        keypoints = p.iouType == "keypoints"
        method = "computeOks" if keypoints else "computeIoU"
        if p.iouType == "segm" or (keypoints and not p.useCats) or self._overridden(method):
            return {key: getattr(self, method)(*key) for key in every}
        ious: dict[Key, Any] = {key: [] for key in every}
        for begin, end in cells.parts(_PAIRS):
            part = cells.part(begin, end)
            values = oks_of_pairs(part, p.kpt_oks_sigmas) if keypoints else iou_of_pairs(part)
            ious.update(zip(keys[begin:end], _matrices(part, values), strict=True))
        return ious

    def _match(self, keys: list[Key], cells: Cells) -> None:
        """`evalImgs`, for all categories, area ranges and images."""
        p = self.params
        categories, limit = p.catIds if p.useCats else [-1], p.maxDets[-1]
        if self._overridden("evaluateImg") or not keys:
            every = product(categories, p.areaRng, p.imgIds)
            self.evalImgs = [self.evaluateImg(image, category, area, limit) for category, area, image in every]
        else:
            self._results = self._evaluate(keys, cells, p.areaRng, limit)
            self._shape = len(categories), len(p.areaRng), len(p.imgIds)

    def _evaluate(self, keys: list[Key], cells: Cells, areas: Any, limit: int) -> Results:
        similarities = [self.ious[key] for key in keys]
        return evaluate_cells(keys, cells, similarities, areas, limit, self.params.iouThrs, zero_ids=self.zero_ids)

    def _write_down(self) -> None:
        """Makes dictionaries of results that are still columns, which then no longer count: users change the former."""
        if self._results is None:
            return
        categories, areas, images = self._shape
        entries: list[dict[str, Any] | None] = [None] * (categories * areas * images)
        with paused_collector():
            for a in range(areas):
                for (k, i), entry in zip(self._places, self._results.dictionaries(a), strict=True):
                    entries[(k * areas + a) * images + i] = entry
        self.evalImgs = entries

    def _curves(self, category: int, area: int, images: list[int]) -> Curves | None:
        """Of a category in an area range, both by position among those evaluated; None where there is nothing."""
        if self._results is None:
            done = self._paramsEval
            first = (category * len(done.areaRng) + area) * len(done.imgIds)
            entries = [entry for i in images if (entry := self.evalImgs[first + i]) is not None]
            return curves_of(entries) if entries else None
        begin, end = (bisect_left(self._places, (k, 0)) for k in (category, category + 1))
        return self._results.curves(area, begin, end) if begin < end else None

    def _overridden(self, method: str) -> bool:
        return getattr(getattr(self, method), "__func__", None) is not getattr(COCOeval, method)


class _Ids(list):
    """A list that is asked what is in it in one step: pycocotools looks up each annotation's category in one."""

    def __init__(self, ids: Sequence[Any]) -> None:
        super().__init__(ids)
        self._members = frozenset(_plain(ids))

    def __contains__(self, value: object) -> bool:
        return value in self._members


def _plain(ids: Sequence[Any]) -> list[Any]:
    """NumPy's numbers as Python's, which are found in a dictionary several times as fast."""
    return [each.item() if isinstance(each, np.generic) else each for each in ids]


def _matrices(cells: Cells, values: np.ndarray) -> list[Any]:
    """The values of all pairs as one matrix (D, G) a cell, [] where there are none."""
    found, truth = cells.found_counts.tolist(), cells.truth_counts.tolist()
    ends = np.cumsum(cells.pairs()).tolist()
    return [
        values[end - d * g : end].reshape(d, g) if d and g else [] for d, g, end in zip(found, truth, ends, strict=True)
    ]


def _original() -> Any:
    """pycocotools' COCOeval, or None where it is not installed."""
    return original("pycocotools.cocoeval", "COCOeval")
