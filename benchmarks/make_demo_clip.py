"""Writes the real clip of `ptfast demo`, its card, and the picture of the README.

The source is one-by-one-person-detection.mp4 of https://github.com/intel-iot-devkit/sample-videos, 10 frames a second.
What is kept are three people who come to a table and two who leave it; where they stand and where the room is empty is
cut out. The bytes depend on the version of PyAV, see constraints.txt.

    python benchmarks/make_demo_clip.py one-by-one-person-detection.mp4
    ptfast demo --out demo
    python benchmarks/make_demo_clip.py --picture demo/real_contact_sheet.png
"""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path

import cv2

from ptfast._files import write_atomic
from ptfast.cli.demo import CLIP
from ptfast.io import open_video
from ptfast.viz import write_video

STRETCHES = (range(508, 526), range(679, 695), range(751, 769), range(846, 862), range(930, 942))
SIZE = (640, 360)
PICTURE, QUALITY = Path(__file__).parents[1] / "docs" / "demo.jpg", 88
CARD = {
    "source": "one-by-one-person-detection, Intel: https://github.com/intel-iot-devkit/sample-videos",
    "licence": "CC-BY-4.0, https://creativecommons.org/licenses/by/4.0/",
    "changes": "frames 508 to 525, 679 to 694, 751 to 768, 846 to 861 and 930 to 941 of the source, at 640x360",
    "made_by": "benchmarks/make_demo_clip.py",
}


def make_clip(source: Path) -> None:
    """Cuts, scales and compresses, and writes a card beside the clip."""
    with open_video(source, backend="opencv") as video:
        kept = [frame.image for frame in video if any(frame.index in stretch for stretch in STRETCHES)]
        write_video([cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA) for image in kept], CLIP, fps=video.fps)
    card = CARD | {"sha256": sha256(CLIP.read_bytes()).hexdigest()}
    CLIP.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    print(f"{CLIP}: {len(kept)} frames, {CLIP.stat().st_size:,} bytes")


def make_picture(sheet: Path) -> None:
    """Compresses a contact sheet for the README."""
    with write_atomic(PICTURE) as draft:
        cv2.imwrite(str(draft), cv2.imread(str(sheet)), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the source video, or with --picture a contact sheet")
    parser.add_argument("--picture", action="store_true", help="write docs/demo.jpg of a contact sheet")
    options = parser.parse_args()
    (make_picture if options.picture else make_clip)(options.source)


if __name__ == "__main__":
    main()
