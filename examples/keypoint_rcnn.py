"""torchvision's keypoint R-CNN finds the people, and ptfast's clip tracking follows their poses.

    pip install torchvision
    python examples/keypoint_rcnn.py video.mp4 --pretrained            # torchvision downloads its weights, once
    python examples/keypoint_rcnn.py                                   # offline: random weights, which find nobody

The default pose network has seen synthetic people alone, as the drawn frames show them; for real ones there is
--pose movenet-thunder, or a published HRNet by name or file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from torchvision.models.detection import keypointrcnn_resnet50_fpn

from ptfast import write_poses
from ptfast.dropin import patched
from ptfast.io import Frame
from ptfast.methods import ClipTracking
from ptfast.pipeline.detectors import Boxes, Detector, each_image
from ptfast.synthetic import render


def detector(pretrained: bool) -> Detector:
    """The network as a detector of ptfast's methods: boxes (N, 4) and scores (N,) of the people in an image."""
    torch.manual_seed(3)
    if pretrained:
        model = keypointrcnn_resnet50_fpn(weights="DEFAULT")
    else:  # its boxes mean nothing, so let them be few
        model = keypointrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, min_size=128, rpn_post_nms_top_n_test=20, box_detections_per_img=2
        )
    model.eval()

    @torch.inference_mode()
    def people(image: np.ndarray) -> Boxes:
        [found] = model([torch.from_numpy(image).permute(2, 0, 1).float() / 255])
        return found["boxes"].numpy(), found["scores"].numpy()

    return each_image(people)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", nargs="?", help="a video or a folder of images; without it a few drawn frames")
    parser.add_argument("--pretrained", action="store_true", help="torchvision's weights instead of random ones")
    parser.add_argument("--pose", default="clip-tracking", help="weights of the pose network")
    parser.add_argument("-o", "--output", default="tracks.json", help="PoseTrack 2018 JSON, CSV, Parquet or MOT text")
    options = parser.parse_args(arguments)
    network, counts = detector(options.pretrained), []

    def counted(frames: Sequence[Frame], keys: Sequence[int]) -> Sequence[Boxes]:
        found = network(frames, keys)
        counts.extend(len(scores) for _, scores in found)
        return found

    method = ClipTracking.load(options.pose, detector=counted)
    video = options.video or list(render(seed=1, frames=6, people=2, size=(192, 192)))
    with patched("torchvision"):  # its RoIAlign and suppression are ptfast's, too
        tracks = method.track(video)
    write_poses(tracks, options.output)
    people = len(set(tracks.track_ids.tolist()))
    print(f"{sum(counts)} boxes in {len(counts)} frames; {people} people tracked -> {options.output}")
    if not options.pretrained:
        print("The detector's weights are random, and so are its boxes: --pretrained takes torchvision's.")


if __name__ == "__main__":
    main()
