"""pycocotools' COCOeval."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np

from ptfast.dropin._originals import StandIn, original
from ptfast.dropin._pycocotools.accumulation import is_same_choice, sum_up
from ptfast.dropin._pycocotools.cells import Annotation, Cells, gather_cells
from ptfast.dropin._pycocotools.curves import Curves, curves_of
from ptfast.dropin._pycocotools.gathering import Key, lists_of, load_sides, occupied_cells
from ptfast.dropin._pycocotools.loading import paused_collector
from ptfast.dropin._pycocotools.params import Params
from ptfast.dropin._pycocotools.results import Grid, Results, evaluate_cells
from ptfast.dropin._pycocotools.similarity import iou_of_pairs, oks_of_pairs
from ptfast.dropin._pycocotools.summary import detection_lines, figure, keypoint_lines

_PAIRS = 1 << 20  # of detection and annotation that are compared at a time
# One image by itself is left to pycocotools, if installed, below so many pairs, or pairs times thresholds: there what
# NumPy spends on a call is more than the loops take. A whole evaluation wins from a few images on.
_SMALL_OKS, _SMALL_MATCHING = 6, 700


class COCOeval(metaclass=StandIn):
    """Evaluates detections against annotations, as pycocotools.cocoeval.COCOeval: evaluate, accumulate, summarize.

    A subclass may override any method: evaluate calls computeIoU, computeOks and evaluateImg image by image where they
    are overridden, and does all images together where they are not.

    Args:
        cocoGt: The annotations, an object with COCO's methods. Evaluation writes `ignore` and `_ignore` into them.
        cocoDt: The detections, likewise, usually from cocoGt.loadRes.
        iouType: "segm", "bbox" or "keypoints".
        zero_ids: Counts a match with an annotation or detection whose id is 0, and writes -1 for it. pycocotools does
            not: there a match is written down as the other's id, and 0 stands for none, so that data numbered from
            0 loses one match in each direction.

    Attributes:
        params: Params, to be set before evaluate.
        ious: (D, G) float64 arrays of OKS or IoU by (image id, category id), detections by descending score, or []
            where there is nothing to compare. Made by evaluate.
        evalImgs: A dict for each category, area range and image (in this order), or None where there is neither
            annotation nor detection: image_id, category_id, aRng, maxDet, dtIds, gtIds, dtMatches (T, D),
            gtMatches (T, G), dtScores, gtIgnore (G,), dtIgnore (T, D). Made by evaluate.
        eval: params, counts, date, precision (T, R, K, A, M), recall (T, K, A, M) and scores (T, R, K, A, M). Made by
            accumulate.
        stats: (10,) figures for keypoints, else (12,). Made by summarize.

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
        self._grid: Grid | None = None

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
            keys, places, cells = occupied_cells(p, self._gts, self._dts)
            self.ious = self._compare(keys, cells)
            self._match(keys, places, cells)
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
        return cells.matrices(iou_of_pairs(cells))[0]

    def computeOks(self, imgId: Any, catId: Any) -> Any:
        """OKS of an image's detections, by descending score, with its annotations: (D, G), or [] where either lacks."""
        gts, dts = self._gts[imgId, catId], self._dts[imgId, catId]
        if len(gts) * len(dts) < _SMALL_OKS and (theirs := _original()) is not None:
            return theirs.computeOks(self, imgId, catId)
        cells = gather_cells([gts], [dts], self.params.maxDets[-1])
        return cells.matrices(oks_of_pairs(cells, self.params.kpt_oks_sigmas))[0]

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
        if self._grid is None and not self.evalImgs:
            print("Please run evaluate() first")
        p = self.params if p is None else p
        p.catIds = p.catIds if p.useCats == 1 else [-1]
        if not is_same_choice(p, self._paramsEval):
            self._write_down()
        self.eval = sum_up(p, self._paramsEval, self._curves)
        print(f"DONE (t={time.time() - started:0.2f}s).")

    def summarize(self) -> None:
        """Prints COCO's figures, for COCO's maxDets and areaRngLbl, and puts them into `stats`.

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
        self._gts, self._dts = load_sides(self.params, self.cocoGt, self.cocoDt)
        self.evalImgs = defaultdict(list)
        self.eval = {}

    def _lists(self, image: Any, category: Any) -> tuple[list[Annotation], list[Annotation]]:
        """Annotations and detections of an image, of one category or of all."""
        return lists_of(self.params, self._gts, self._dts, image, category)

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
            ious.update(zip(keys[begin:end], part.matrices(values), strict=True))
        return ious

    def _match(self, keys: list[Key], places: list[tuple[int, int]], cells: Cells) -> None:
        """`evalImgs`, for all categories, area ranges and images."""
        p = self.params
        categories, limit = p.catIds if p.useCats else [-1], p.maxDets[-1]
        if self._overridden("evaluateImg") or not keys:
            every = product(categories, p.areaRng, p.imgIds)
            self.evalImgs = [self.evaluateImg(image, category, area, limit) for category, area, image in every]
        else:
            results = self._evaluate(keys, cells, p.areaRng, limit)
            self._grid = Grid(results, places, (len(categories), len(p.areaRng), len(p.imgIds)))

    def _evaluate(self, keys: list[Key], cells: Cells, areas: Any, limit: int) -> Results:
        similarities = [self.ious[key] for key in keys]
        return evaluate_cells(keys, cells, similarities, areas, limit, self.params.iouThrs, zero_ids=self.zero_ids)

    def _write_down(self) -> None:
        """Makes dictionaries of results that are still columns, which then no longer count: users change the former."""
        if self._grid is not None:
            with paused_collector():
                self.evalImgs = self._grid.entries()

    def _curves(self, category: int, area: int, images: list[int]) -> Curves | None:
        """Curves of a category in an area range, both by position among those evaluated; None where nothing is."""
        if self._grid is not None:
            return self._grid.curves(category, area)
        done = self._paramsEval
        first = (category * len(done.areaRng) + area) * len(done.imgIds)
        entries = [entry for i in images if (entry := self.evalImgs[first + i]) is not None]
        return curves_of(entries) if entries else None

    def _overridden(self, method: str) -> bool:
        return getattr(getattr(self, method), "__func__", None) is not getattr(COCOeval, method)


def _original() -> Any:
    """pycocotools' COCOeval, or None where it is not installed."""
    return original("pycocotools.cocoeval", "COCOeval")
