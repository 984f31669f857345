"""Finds the bad value in a JSON file of images, annotations and categories that could not be read in bulk."""

from __future__ import annotations

from ptfast.io._joint_sets import file_skeleton, of_keypoint_category
from ptfast.io._place import Place, sequence_name


def check_annotations(document: Place, *, posetrack: bool) -> None:
    """Raises ValueError at the first value that `read_annotations` does not accept."""
    images, annotations = document["images"], document["annotations"]
    skeleton, _ = file_skeleton(document, counted=posetrack)
    frames = _check_images(images)
    entries = list(annotations.items())
    for entry in entries:
        entry.mapping()
    entries = [entries[i] for i in of_keypoint_category(document)]
    seen: set[tuple[int, int]] = set()
    for entry in entries:
        number = entry["image_id"].integer()
        if number not in frames:
            entry["image_id"].fail("the id of one of the images")
        _check_numbers(entry, len(skeleton), posetrack)
        track = entry.get("track_id")
        if track is None or track.track_id() < 0:
            continue
        if (number, track.value) in seen:
            track.fail(f"each track id once in image {number}", f"{track.value} twice")
        seen.add((number, track.value))
    sequence_name(document, "")


def _check_images(images: Place) -> set[int]:
    """The images' ids."""
    seen: dict[int, str] = {}
    for image in images.items():
        number = image["id"].integer()
        if number in seen:
            image["id"].fail("a distinct id for each image", f"{number}, which {seen[number]} has too")
        seen[number] = image.name
        image["file_name"].text()
        for key in ("width", "height"):
            size = image.get(key)
            if size is not None:
                size.integer()
        _check_flag(image, "is_labeled")
        if type(image.value.get("vid_id")) not in (str, int, type(None)):
            image["vid_id"].fail("a string or a whole number")
        if "ignore_regions_x" in image.value or "ignore_regions_y" in image.value:
            _check_regions(image["ignore_regions_x"], image["ignore_regions_y"])
    return set(seen)


def _check_regions(all_x: Place, all_y: Place) -> None:
    polygons_x, polygons_y = list(all_x.items()), list(all_y.items())
    if len(polygons_x) != len(polygons_y):
        all_y.fail(f"{len(polygons_x)} polygons, as many as in ignore_regions_x", str(len(polygons_y)))
    for x, y in zip(polygons_x, polygons_y, strict=True):
        for coordinate in x.items("a list of numbers"):
            coordinate.number()
        y.numbers(len(x.value))


def _check_numbers(entry: Place, joints: int, posetrack: bool) -> None:
    triples = entry["keypoints"].numbers(3 * joints)
    if not posetrack or entry.get("scores") is None:
        _check_joint_flags(entry["keypoints"], triples[2::3])
    visibility = entry.get("visibility")
    if posetrack and visibility is not None:
        _check_joint_flags(visibility, visibility.numbers(joints))
    for key, count in (("scores", joints), ("bbox", 4), ("bbox_head", 4)):
        values = entry.get(key)
        if values is not None:
            values.numbers(count)
    for key in ("score", "area"):
        value = entry.get(key)
        if value is not None:
            value.number()
    _check_flag(entry, "iscrowd")


def _check_joint_flags(place: Place, flags: list[float]) -> None:
    if not set(flags) <= {0, 1, 2}:
        place.fail("joint flags 0, 1 or 2", str(next(flag for flag in flags if flag not in (0, 1, 2))))


def _check_flag(entry: Place, key: str) -> None:
    flag = entry.get(key)
    if flag is not None:
        flag.flag()
