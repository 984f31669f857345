"""How MultiPose chooses the sizes at which it looks, beside other choices, on the training part of coco_mini alone.

The rule and its constants are those of `ptfast.pipeline.one_shot`. The rule as it stands, fixed sizes, and the rule
with one value changed at a time are measured on:

1. the 80 images as they are, 640 pixels and less;
2. crowds: the images laid side by side on 1920x1080 pixels, in a grid of 4x3 and in one of 6x5, each used once a grid;
3. close-ups: whoever is largest in an image, if 96 pixels or more, with a tenth of the box as a margin, enlarged to
   1920x1080 pixels at most;
4. crowds of 4x3 on canvases of other widths: from which on one more look, at the image's own size, is worth it.

The joints, boxes and areas that are annotated move along. AP is COCO's, of pycocotools, but for 100 people of an image
that count instead of 20. The network sees an image once at each size. A way costs the processor's time of all looks
that it takes, on one thread, without decoding.

`python benchmarks/tune_sizes.py` prints the tables, writes benchmarks/results/tune_sizes.json and the tables of
docs/real-people.md, in two minutes of one core. It needs the images that PTFAST_DATA (default ../shared/data) holds,
and pycocotools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

import make_tables
import torch
from coco_scenes import Scene, close_ups, crowds, read_scenes
from conftest import machine
from studies import save
from tune_real_people import ANNOTATIONS, IMAGES
from ways_to_look import RememberedLooks, Way, fixed, measured

import ptfast
from ptfast.pipeline import MultiPoseSettings, one_shot
from ptfast.pipeline.weights import load_movenet_weights

FILE = "tune_sizes"
FULL_HD = (1920, 1080)
GRIDS = ((4, 3), (6, 5))
WIDTHS = (720, 800, 960, 1280)
COLUMNS = ("AP", "AP50", "AR", "ms")

RULE = Way("the rule")
CHANGES = (
    *(Way(f"first {side}", constants={"LONG_SIDES": (side, 640)}) for side in (192, 320)),
    *(Way(f"second {side}", constants={"LONG_SIDES": (256, side)}) for side in (448, 800)),
    *(Way(f"SMALL {pixels}", constants={"SMALL": pixels}) for pixels in (64, 128)),
    *(Way(f"GUESS {score}", constants={"GUESS": score}) for score in (0.03, 0.1)),
    *(Way(f"min_oks {oks}", MultiPoseSettings(min_oks=oks)) for oks in (0.1, 0.4)),
)
NO_THIRD = Way("no third", constants={"ENOUGH_MORE": inf})
WITH_THIRD = Way("with a third", constants={"ENOUGH_MORE": 1})
LARGEST = tuple(Way(f"LARGEST {side}", constants={"LARGEST": side}) for side in (960, 1600, 1920))


def beside(tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Tables of the same ways as one, whose columns have the tables' names before them."""
    return [
        {"sizes": rows[0]["sizes"]}
        | {title + name: row[name] for title, row in zip(tables, rows, strict=True) for name in COLUMNS}
        for rows in zip(*tables.values(), strict=True)
    ]


def study_widths(estimator: RememberedLooks, scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """A row for each width of crowds, without and with a third look."""
    table = []
    for width in WIDTHS:
        crowd = crowds(scenes, GRIDS[0], (width, width * 9 // 16))
        without, third = measured(estimator, crowd, [NO_THIRD, WITH_THIRD], f"{width} wide")
        row: dict[str, Any] = {"width": width, "times 640": width / one_shot.LONG_SIDES[-1]}
        for title, figures in (("without", without), ("with", third)):
            row |= {f"{name}, {title}": figures[name] for name in ("AP", "ms")}
        table.append(row)
    return table


def main() -> None:
    """Prints and writes the tables."""
    if not ANNOTATIONS.exists():
        raise SystemExit(f"needs {ANNOTATIONS}; set PTFAST_DATA to the folder of the data")
    torch.set_num_threads(1)
    ptfast.set_num_threads(1)
    estimator, scenes = (
        RememberedLooks(load_movenet_weights("movenet-multipose").model),
        read_scenes(ANNOTATIONS, IMAGES),
    )
    about = {"data": "coco_mini train2017", "machine": machine()}
    rows = measured(estimator, scenes, [RULE, *fixed(256, 448, 640), *CHANGES], "as they are")
    save(FILE, "images", rows, **about, images=len(scenes))
    ways = [RULE, NO_THIRD, *LARGEST, *fixed(640, 1280, 1920), *CHANGES]
    crowded = {
        f"{columns}x{rows}, ": measured(estimator, crowds(scenes, (columns, rows), FULL_HD), ways, f"{columns}x{rows}")
        for columns, rows in GRIDS
    }
    save(FILE, "crowds", beside(crowded), **about)
    close = close_ups(scenes, FULL_HD)
    rows = measured(estimator, close, [RULE, *fixed(256, 640, 1280), *CHANGES], "close-ups")
    save(FILE, "close-ups", beside({"": rows}), **about, images=len(close))
    save(FILE, "widths", study_widths(estimator, scenes), **about)
    make_tables.write_real_people()


if __name__ == "__main__":
    main()
