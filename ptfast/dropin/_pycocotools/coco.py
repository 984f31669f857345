"""COCO's data sets: annotations and results from files, by image and category."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np

from ptfast.dropin._originals import StandIn, original
from ptfast.dropin._pycocotools.cells import Annotation
from ptfast.dropin._pycocotools.loading import complete, from_array, paused_collector, read


class COCO(metaclass=StandIn):
    """A data set and its indices, as pycocotools.coco.COCO, read in a fraction of the time.

    Equal to pycocotools 2.0.11 in what it takes, gives, prints and writes into annotations, errors included. No results
    at all are an IndexError of loadRes. Files are UTF-8, read by orjson. A path may be a pathlib.Path everywhere.
    Masks, drawings and downloads are pycocotools' own, which must be installed for them. An instance is no instance of
    pycocotools' class, unless that is swapped for this one.

    Args:
        annotation_file: The path of annotations in COCO's form. Without one, fill `dataset` and call createIndex.

    Attributes:
        dataset: The annotations as they were read.
        anns: Annotations by id; likewise cats and imgs.
        imgToAnns: Lists of annotations by image id.
        catToImgs: Images of a category's annotations, one each, by category id.

    Raises:
        OSError: The file cannot be read.
        json.JSONDecodeError: It is not JSON.
        AssertionError: It does not hold one object.
    """

    def __init__(self, annotation_file: str | PathLike | None = None) -> None:
        self.dataset: dict[str, Any] = {}
        self.anns: dict[Any, Annotation] = {}
        self.cats: dict[Any, dict[str, Any]] = {}
        self.imgs: dict[Any, dict[str, Any]] = {}
        self.imgToAnns: dict[Any, list[Annotation]] = defaultdict(list)
        self.catToImgs: dict[Any, list[Any]] = defaultdict(list)
        if annotation_file is None:
            return
        print("loading annotations into memory...")
        started = time.time()
        with paused_collector():
            dataset = read(annotation_file)
            assert type(dataset) is dict, f"annotation file format {type(dataset)} not supported"
            print(f"Done (t={time.time() - started:0.2f}s)")
            self.dataset = dataset
            self.createIndex()

    def createIndex(self) -> None:
        """Makes the indices anew from `dataset`."""
        print("creating index...")
        dataset = self.dataset
        annotations = dataset.get("annotations", [])
        self.imgToAnns, self.catToImgs = defaultdict(list), defaultdict(list)
        with paused_collector():
            for annotation in annotations:
                self.imgToAnns[annotation["image_id"]].append(annotation)
            self.anns = {annotation["id"]: annotation for annotation in annotations}
            self.imgs = {image["id"]: image for image in dataset.get("images", [])}
            self.cats = {category["id"]: category for category in dataset.get("categories", [])}
            if "categories" in dataset:
                for annotation in annotations:
                    self.catToImgs[annotation["category_id"]].append(annotation["image_id"])
        print("index created!")

    def info(self) -> None:
        """Prints what the file says of itself."""
        for key, value in self.dataset["info"].items():
            print(f"{key}: {value}")

    def getAnnIds(self, imgIds: Any = (), catIds: Any = (), areaRng: Any = (), iscrowd: Any = None) -> list[Any]:
        """Ids of the annotations that fulfil all that is given.

        Args:
            imgIds: An image's id, or several.
            catIds: A category's, or several.
            areaRng: Two areas, square pixels, between which an annotation's lies.
            iscrowd: Chooses annotations of crowds, or the others. None takes both.
        """
        imgIds, catIds = _listed(imgIds), _listed(catIds)
        annotations: Iterable[Annotation] = self.dataset["annotations"]
        if len(imgIds):
            annotations = chain.from_iterable(self.imgToAnns[image] for image in imgIds if image in self.imgToAnns)
        if len(catIds):
            wanted = _members(catIds)
            annotations = [annotation for annotation in annotations if annotation["category_id"] in wanted]
        if len(areaRng):
            annotations = [each for each in annotations if each["area"] > areaRng[0] and each["area"] < areaRng[1]]
        if iscrowd is not None:
            annotations = [annotation for annotation in annotations if annotation["iscrowd"] == iscrowd]
        return [annotation["id"] for annotation in annotations]

    def getCatIds(self, catNms: Any = (), supNms: Any = (), catIds: Any = ()) -> list[Any]:
        """Ids of the categories that fulfil all that is given.

        Args:
            catNms: Names; of a text, every name within it.
            supNms: Names of kinds of categories, likewise.
            catIds: A category's id, or several.
        """
        chosen = self.dataset["categories"]
        for name, values in (("name", catNms), ("supercategory", supNms), ("id", catIds)):
            values = _listed(values)
            if len(values):
                chosen = [category for category in chosen if category[name] in values]
        return [category["id"] for category in chosen]

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[Any]:
        """Ids of the images that are among imgIds, if any are given, and show something of every category given."""
        imgIds, catIds = _listed(imgIds), _listed(catIds)
        if not len(imgIds) and not len(catIds):
            return list(self.imgs)
        ids = set(imgIds)
        for i, category in enumerate(catIds):
            images = set(self.catToImgs[category])
            ids = images if i == 0 and not ids else ids & images
        return list(ids)

    def loadAnns(self, ids: Any = ()) -> Any:
        """The annotations of these ids, or of one int, in a list; None for an id of another type."""
        return _look_up(self.anns, ids)

    def loadCats(self, ids: Any = ()) -> Any:
        """The categories of these ids, as loadAnns."""
        return _look_up(self.cats, ids)

    def loadImgs(self, ids: Any = ()) -> Any:
        """The images of these ids, as loadAnns."""
        return _look_up(self.imgs, ids)

    def loadRes(self, resFile: Any) -> COCO:
        """Results as a data set of their own, whose images are this one's.

        Args:
            resFile: The path of a JSON file, a list of results, into which ids, areas and boxes are written, or an
                array (N, 7) of image, left, top, width, height, score, category. All are of the kind of the first
                result: captions, boxes, masks or keypoints.

        Raises:
            AssertionError: The results are no list, or of an image that this data set does not have.
            IndexError: There are no results.
        """
        results = COCO()
        results.dataset["info"] = copy.deepcopy(self.dataset.get("info", {}))
        results.dataset["images"] = list(self.dataset["images"])
        print("Loading and preparing results...")
        started = time.time()
        with paused_collector():
            annotations = self._results(resFile)
            assert type(annotations) is list, "results in not an array of objects"
            images = {annotation["image_id"] for annotation in annotations}
            assert images <= set(self.getImgIds()), "Results do not correspond to current coco set"
            kind = complete(annotations)
            if kind == "caption":
                results.dataset["images"] = [image for image in self.dataset["images"] if image["id"] in images]
            elif kind:
                results.dataset["categories"] = copy.deepcopy(self.dataset["categories"])
            print(f"DONE (t={time.time() - started:0.2f}s)")
            results.dataset["annotations"] = annotations
            results.createIndex()
        return results

    def loadNumpyAnnotations(self, data: np.ndarray) -> list[Annotation]:
        """Results of an array (N, 7) of image, left, top, width, height, score, category."""
        return from_array(data)

    def _results(self, given: Any) -> Any:
        if isinstance(given, str | PathLike):
            return read(given)
        return self.loadNumpyAnnotations(given) if type(given) is np.ndarray else given

    def annToRLE(self, ann: Annotation) -> Any:
        """An annotation's mask as run lengths, by pycocotools."""
        return _by_pycocotools("annToRLE")(self, ann)

    def annToMask(self, ann: Annotation) -> np.ndarray:
        """An annotation's mask (H, W) uint8, by pycocotools."""
        return _by_pycocotools("annToMask")(self, ann)

    def showAnns(self, anns: Sequence[Annotation], draw_bbox: bool = False) -> Any:
        """Draws annotations into matplotlib's current axes, by pycocotools."""
        return _by_pycocotools("showAnns")(self, anns, draw_bbox)

    def download(self, tarDir: str | None = None, imgIds: Any = ()) -> Any:
        """Fetches images into a folder, by pycocotools."""
        return _by_pycocotools("download")(self, tarDir, imgIds)


def _by_pycocotools(method: str) -> Callable[..., Any]:
    theirs = original("pycocotools.coco", "COCO")
    if theirs is None:
        raise ImportError(f"COCO.{method} needs pycocotools, which is not installed: pip install pycocotools")
    return getattr(theirs, method)


def _is_listed(value: Any) -> bool:
    return hasattr(value, "__iter__") and hasattr(value, "__len__")


def _listed(value: Any) -> Any:
    return value if _is_listed(value) else [value]


def _members(ids: Any) -> Collection[Any]:
    """The ids as a set, to be looked up in one step, or as they are where they are no plain list."""
    try:
        return set(ids) if isinstance(ids, list | tuple | np.ndarray) else ids
    except TypeError:
        return ids


def _look_up(by_id: dict[Any, Any], ids: Any) -> Any:
    if _is_listed(ids):
        return [by_id[each] for each in ids]
    return [by_id[ids]] if type(ids) is int else None
