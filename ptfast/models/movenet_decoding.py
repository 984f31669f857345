"""From MoveNet's maps to people, as the published graphs decode them, but for any number of images and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast._check import check_integer, check_number
from ptfast.ops import heatmap_peaks

STRIDE = 4  # image pixels a map pixel
NEIGHBOURHOOD = 5  # map pixels; a person's centre is the highest in it
SPREAD = 0.300048828125  # of joints about the places regressed, squared, over the map's shorter side
SEEN = 0.126953125  # a joint's score above which it counts for its person's
SOFTENING = 1.8  # map pixels, added to distances that scores are divided by
JOINT_SOFTENING = 1.7998046875  # the same in float16, as published
MOST_VALUES = 2**24  # of joints' windows at a time, to bound the memory


@dataclass(frozen=True, eq=False)
class People:
    """The people of one image, by descending score of their centres.

    Attributes:
        keypoints: (P, K, 2) x and y in image pixels.
        joint_scores: (P, K) from 0 to 1.
        boxes: (P, 4) xyxy image pixels.
        scores: (P,) from 0 to 1.
    """

    keypoints: Tensor
    joint_scores: Tensor
    boxes: Tensor
    scores: Tensor


@dataclass(frozen=True, eq=False)
class Candidates:
    """Centres of people in B images, at most P each, with what is regressed there, in map pixels, y before x.

    Attributes:
        there: (B, P) bool. False where an image has fewer people.
        scores: (B, P) of the centres.
        low: (B, P, 2) upper left corners of the boxes.
        high: (B, P, 2) lower right ones.
        joints: (B, P, K, 2) rough places of the joints.
    """

    there: Tensor
    scores: Tensor
    low: Tensor
    high: Tensor
    joints: Tensor


@torch.no_grad()
def decode_multipose(
    maps: Mapping[str, Tensor], *, max_people: int = 100, min_score: float = 0.05, shared: bool = True
) -> list[People]:
    """People in the maps of a MoveNet with boxes.

    A person's joint is where the heatmap, weighted by a Gaussian about the place that the person's centre regresses,
    is highest inside the person's box. A person's score is that of the centre times the mean score of the joints that
    are seen.

    Args:
        maps: The network's maps of B images.
        max_people: People of an image, at most. The published graph gives 6.
        min_score: Score of a centre under which there is nobody. The published graph has no such limit.
        shared: A joint has the best score that its place has for any person whose box it is in, as in the published
            graph, whichever person it belongs to. Otherwise it has that of its own person.

    Returns:
        The people of each image.

    Raises:
        KeyError: The network has no maps of boxes.
        ValueError: max_people or min_score is out of range.
    """
    max_people = check_integer("max_people", max_people, 1)
    check_number("min_score", min_score, 0, 1)
    found = find_candidates(maps, max_people, min_score)
    places, joint_scores = place_joints(maps["kpt_heatmap"], found)
    if shared:
        joint_scores = best_scores(maps["kpt_heatmap"], found, places)
    keypoints = refined(maps["kpt_offset"], places)
    seen = joint_scores > SEEN
    scores = found.scores * (joint_scores * seen).sum(2) / seen.sum(2).clamp_min(1)
    boxes = torch.cat([found.low.flip(2), found.high.flip(2)], 2) * STRIDE
    columns = (keypoints, joint_scores, boxes, scores)
    counts = found.there.sum(1).tolist()
    return [People(*(column[image, :count] for column in columns)) for image, count in enumerate(counts)]


@torch.no_grad()
def decode_singlepose(maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The person nearest the middle of each image, in the maps of any MoveNet.

    The person's centre has the highest score over distance from the middle, and a joint the highest over distance from
    the place that the centre regresses.

    Args:
        maps: The network's maps of B images.

    Returns:
        (B, K, 2) x and y in image pixels, (B, K) scores of the joints, and (B,) scores of the centres.
    """
    center, heatmaps = maps["center"], maps["kpt_heatmap"]
    rows, columns = axes(heatmaps)
    height, width = len(rows), len(columns)
    away = distances(rows - (height - 1) / 2, columns - (width - 1) / 2) + SOFTENING
    middle = heatmap_peaks(center / away)[0].flip(-1).long()  # (B, 1, 2)
    joints = regressed(maps["kpt_regress"], middle)[:, 0]
    away = distances(rows - joints[..., :1], columns - joints[..., 1:]) + JOINT_SOFTENING
    places = heatmap_peaks(heatmaps / away)[0].flip(-1).long()[:, None]  # (B, 1, K, 2)
    scores = values_at(heatmaps[:, :, None], places)[:, 0, :, 0]
    return refined(maps["kpt_offset"], places)[:, 0], scores, values_at(center[:, None], middle[:, :, None])[:, 0, 0, 0]


def find_candidates(maps: Mapping[str, Tensor], max_people: int, min_score: float) -> Candidates:
    """The highest centres in their neighbourhoods."""
    center = maps["center"]
    height, width = center.shape[-2:]
    highest = F.max_pool2d(center, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2)
    peaks = torch.where((center - highest).abs() < 1e-6, center, 0.0).flatten(1)
    scores, flat = peaks.topk(min(max_people, peaks.shape[1]))
    there = (scores > 0) & (scores >= min_score)
    most = int(there.sum(1).max()) if len(there) else 0
    there, scores, flat = there[:, :most], scores[:, :most], flat[:, :most]
    centers = torch.stack([flat // width, flat % width], 2)  # (B, P, 2)
    middle = centers + pixels_of(maps["box_offset"], centers)
    half = pixels_of(maps["box_scale"], centers).clamp_min(0) / 2
    limit = middle.new_tensor([height, width])
    low, high = ((middle + side).minimum(limit).clamp_min(0) for side in (-half, half))
    return Candidates(there, scores, low, high, regressed(maps["kpt_regress"], centers))


def place_joints(heatmaps: Tensor, found: Candidates) -> tuple[Tensor, Tensor]:
    """(B, P, K, 2) pixels, y before x, where the weighted heatmaps (B, K, h, w) are highest, and (B, P, K) scores."""
    first, beyond = found.low.ceil().long(), found.high.ceil().long()
    sides = (beyond - first).flatten(0, 1)
    height, width = sides.amax(0).clamp_min(1).tolist() if len(sides) else (1, 1)
    images, joints = heatmaps.shape[:2]
    part = max(1, MOST_VALUES // (images * joints * height * width or 1))
    places, scores = [], []
    for person in range(0, first.shape[1], part):
        some = slice(person, person + part)
        rows, row_weights = window(heatmaps, found, some, 0, height)
        columns, column_weights = window(heatmaps, found, some, 1, width)
        flat = (rows[..., None] * heatmaps.shape[3] + columns[..., None, :]).flatten(1)
        values = heatmaps.flatten(2).gather(2, flat[:, None].expand(-1, joints, -1))
        values = values.view(images, joints, -1, height, width).mul_(row_weights[..., None])
        place, score = heatmap_peaks(values.mul_(column_weights[..., None, :]))
        # Where all are 0 it is the first pixel of the whole map, as in the published graph.
        place = (place.flip(-1).long() + first[:, None, some]) * (score > 0)[..., None]
        places.append(place.transpose(1, 2))
        scores.append(score.transpose(1, 2))
    if not places:
        return first.new_zeros(images, 0, joints, 2), heatmaps.new_zeros(images, 0, joints)
    return torch.cat(places, 1), torch.cat(scores, 1)


def window(heatmaps: Tensor, found: Candidates, some: slice, axis: int, size: int) -> tuple[Tensor, Tensor]:
    """Pixels of boxes along an axis (B, P, size), and the joints' weights there (B, K, P, size), 0 outside the box."""
    first, beyond = found.low[:, some, axis].ceil(), found.high[:, some, axis].ceil()
    pixels = first[..., None] + torch.arange(size, device=first.device)
    away = pixels[:, None] - found.joints[:, some, :, axis].transpose(1, 2)[..., None]
    weights = near(heatmaps, away.square()) * (pixels < beyond[..., None])[:, None]
    return pixels.clamp_max(heatmaps.shape[2 + axis] - 1).long(), weights


def best_scores(heatmaps: Tensor, found: Candidates, places: Tensor) -> Tensor:
    """(B, P, K) scores of joints at places (B, P, K, 2), each weighted as for the person for whom it is best."""
    low, high = (corner[:, None, :, None] for corner in (found.low, found.high))  # (B, 1, owners, 1, 2)
    placed = places[:, :, None]
    inside = ((placed >= low) & (placed < high)).all(-1) & found.there[:, None, :, None]
    weights = near(heatmaps, (placed - found.joints[:, None]).square().sum(-1)) * inside
    values = values_at(heatmaps[:, :, None], places)[..., 0]
    return values * (weights.amax(2) if weights.shape[2] else values)


def near(heatmaps: Tensor, squared: Tensor) -> Tensor:
    """Weights of pixels at squared distances from the place of a joint."""
    return torch.exp(squared / (-SPREAD * min(heatmaps.shape[2:])))


def refined(offsets: Tensor, places: Tensor) -> Tensor:
    """(B, P, K, 2) x and y in image pixels of joints at pixels (B, P, K, 2), by offsets (B, 2 K, h, w)."""
    shift = values_at(offsets.unflatten(1, (-1, 2)), places)
    return ((places + shift) * STRIDE).flip(-1)


def regressed(regress: Tensor, centers: Tensor) -> Tensor:
    """(B, P, K, 2) rough places of the joints of people with centres (B, P, 2), by maps (B, 2 K, h, w)."""
    return pixels_of(regress, centers).unflatten(2, (-1, 2)) + centers[:, :, None]


def pixels_of(maps: Tensor, places: Tensor) -> Tensor:
    """(B, P, C) values of maps (B, C, h, w) at pixels (B, P, 2), y before x."""
    return values_at(maps[:, None], places[:, :, None])[:, :, 0]


def values_at(maps: Tensor, places: Tensor) -> Tensor:
    """(B, P, K, C) values of maps (B, K, C, h, w), each K at its own pixels (B, P, K, 2), y before x."""
    flat = (places[..., 0] * maps.shape[-1] + places[..., 1]).transpose(1, 2)  # (B, K, P)
    index = flat[:, :, None].expand(-1, -1, maps.shape[2], -1)
    return maps.flatten(3).gather(3, index).permute(0, 3, 1, 2)


def axes(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """(h,) row and (w,) column numbers of maps (B, K, h, w)."""
    rows, columns = (torch.arange(side, device=heatmaps.device, dtype=heatmaps.dtype) for side in heatmaps.shape[2:])
    return rows, columns


def distances(rows: Tensor, columns: Tensor) -> Tensor:
    """(..., h, w) lengths of steps by (..., h) rows and (..., w) columns."""
    return (rows.square()[..., None] + columns.square()[..., None, :]).sqrt()
