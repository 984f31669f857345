"""Published checkpoints by name: where they are, and what is known of them before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["hrnet", "pose-resnet", "keypoint-rcnn", "raft", "flownet2s"]


@dataclass(frozen=True)
class Origin:
    """Where checkpoints come from.

    Attributes:
        page: The page of their authors that lists them.
        licence: As that page states it.
        address: What comes before each file's path, or None where a browser alone can fetch it.
    """

    page: str
    licence: str
    address: str | None = None


@dataclass(frozen=True)
class Published:
    """A published checkpoint.

    Attributes:
        name: What it is called here.
        network: The network that it is of.
        skeleton: Name of its joints; None for a network without.
        size: Height and width of its crops; None for a network of whole images.
        sha256: First digits of its hash, which its authors put into its name; None where they do not.
        score: What its authors measured, on COCO in detected boxes, on PoseTrack18 in annotated ones.
        origin: Where it comes from.
        path: After the origin's address, or in its folder.
    """

    name: str
    network: Kind
    skeleton: str | None
    size: tuple[int, int] | None
    sha256: str | None
    score: str
    origin: Origin
    path: str

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.path.rpartition("/")[2]

    @property
    def address(self) -> str | None:
        """Address of the file, or None where a browser alone can fetch it."""
        return None if self.origin.address is None else self.origin.address + self.path


S, L = (256, 192), (384, 288)
# MMPose's networks for PoseTrack have 17 channels in the order of posetrack_17, of which nobody has annotated the ears.
COCO, POSETRACK = "coco_17", "posetrack_15"
TORCHVISION = Origin(
    "https://pytorch.org/vision/stable/models.html",
    "BSD-3-Clause for the code; weights may have terms of their own, derived from the data",
    "https://download.pytorch.org/models/",
)
MMPOSE = Origin("https://github.com/open-mmlab/mmpose", "Apache-2.0", "https://download.openmmlab.com/mmpose/")
HRNET = Origin(
    "https://drive.google.com/drive/folders/1hOTihvbyIxsm5ygDpbUuJ7O_tzv4oXjC",
    "MIT (github.com/leoxiaobin/deep-high-resolution-net.pytorch)",
)
BASELINES = Origin(
    "https://drive.google.com/drive/folders/13_wJ6nC7my1KKouMkQMqyr9r1ZnLnukP",
    "MIT for the code, weights for research (github.com/microsoft/human-pose-estimation.pytorch)",
)
FLOWNET2 = Origin(
    "https://github.com/NVIDIA/flownet2-pytorch",
    "Apache-2.0 for the code; weights, converted from Caffe models, have terms of their own",
)
TD, TOP = "v1/body_2d_keypoint/topdown_heatmap/coco/td-hm_", "top_down/"

# fmt: off
ZOO: dict[str, Published] = {published.name: published for published in (
    Published("keypointrcnn", "keypoint-rcnn", COCO, None, "fc266e95", "keypoint AP 65.0, box AP 54.6 on COCO val2017",
              TORCHVISION, "keypointrcnn_resnet50_fpn_coco-fc266e95.pth"),
    Published("hrnet-w32", "hrnet", COCO, S, "81c58e40", "AP 74.9 on COCO val2017",
              MMPOSE, f"{TD}hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth"),
    Published("hrnet-w32-384x288", "hrnet", COCO, L, "ca5956af", "AP 76.1 on COCO val2017",
              MMPOSE, f"{TD}hrnet-w32_8xb64-210e_coco-384x288-ca5956af_20220909.pth"),
    Published("hrnet-w48", "hrnet", COCO, S, "0e67c616", "AP 75.6 on COCO val2017",
              MMPOSE, f"{TD}hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth"),
    Published("hrnet-w48-384x288", "hrnet", COCO, L, "c161b7de", "AP 76.7 on COCO val2017",
              MMPOSE, f"{TD}hrnet-w48_8xb32-210e_coco-384x288-c161b7de_20220915.pth"),
    Published("pose-resnet-50", "pose-resnet", COCO, S, "04af38ce", "AP 71.8 on COCO val2017",
              MMPOSE, f"{TD}res50_8xb64-210e_coco-256x192-04af38ce_20220923.pth"),
    Published("pose-resnet-50-384x288", "pose-resnet", COCO, L, "7b8db90e", "AP 73.1 on COCO val2017",
              MMPOSE, f"{TD}res50_8xb64-210e_coco-384x288-7b8db90e_20220923.pth"),
    Published("pose-resnet-101", "pose-resnet", COCO, S, "065d3625", "AP 72.8 on COCO val2017",
              MMPOSE, f"{TD}res101_8xb64-210e_coco-256x192-065d3625_20220926.pth"),
    Published("pose-resnet-152", "pose-resnet", COCO, S, "0345f330", "AP 73.6 on COCO val2017",
              MMPOSE, f"{TD}res152_8xb32-210e_coco-256x192-0345f330_20220928.pth"),
    Published("pose-resnet-152-384x288", "pose-resnet", COCO, L, "7fbb906f", "AP 75.0 on COCO val2017",
              MMPOSE, f"{TD}res152_8xb32-210e_coco-384x288-7fbb906f_20220927.pth"),
    Published("hrnet-w32-posetrack18", "hrnet", POSETRACK, S, "1ee951c4", "AP 83.4 on PoseTrack18 val",
              MMPOSE, f"{TOP}hrnet/hrnet_w32_posetrack18_256x192-1ee951c4_20201028.pth"),
    Published("hrnet-w32-posetrack18-384x288", "hrnet", POSETRACK, L, "806f00a3", "AP 83.7 on PoseTrack18 val",
              MMPOSE, f"{TOP}hrnet/hrnet_w32_posetrack18_384x288-806f00a3_20211130.pth"),
    Published("hrnet-w48-posetrack18", "hrnet", POSETRACK, S, "b5d9b3f1", "AP 84.6 on PoseTrack18 val",
              MMPOSE, f"{TOP}hrnet/hrnet_w48_posetrack18_256x192-b5d9b3f1_20211130.pth"),
    Published("hrnet-w48-posetrack18-384x288", "hrnet", POSETRACK, L, "5fd6d3ff", "AP 84.6 on PoseTrack18 val",
              MMPOSE, f"{TOP}hrnet/hrnet_w48_posetrack18_384x288-5fd6d3ff_20211130.pth"),
    Published("pose-resnet-50-posetrack18", "pose-resnet", POSETRACK, S, "a62807c7", "AP 81.2 on PoseTrack18 val",
              MMPOSE, f"{TOP}resnet/res50_posetrack18_256x192-a62807c7_20201028.pth"),
    Published("raft-small", "raft", None, None, "01064c6d", "end-point error 1.99 on Sintel train, clean",
              TORCHVISION, "raft_small_C_T_V2-01064c6d.pth"),
    Published("raft-large", "raft", None, None, "1bb1363a", "end-point error 1.38 on Sintel train, clean",
              TORCHVISION, "raft_large_C_T_V2-1bb1363a.pth"),
    Published("hrnet-w32-official", "hrnet", COCO, S, None, "AP 74.4 on COCO val2017",
              HRNET, "pose_coco/pose_hrnet_w32_256x192.pth"),
    Published("hrnet-w32-official-384x288", "hrnet", COCO, L, None, "AP 75.8 on COCO val2017",
              HRNET, "pose_coco/pose_hrnet_w32_384x288.pth"),
    Published("hrnet-w48-official", "hrnet", COCO, S, None, "AP 75.1 on COCO val2017",
              HRNET, "pose_coco/pose_hrnet_w48_256x192.pth"),
    Published("hrnet-w48-official-384x288", "hrnet", COCO, L, None, "AP 76.3 on COCO val2017",
              HRNET, "pose_coco/pose_hrnet_w48_384x288.pth"),
    Published("pose-resnet-50-official", "pose-resnet", COCO, S, None, "AP 70.4 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_50_256x192.pth.tar"),
    Published("pose-resnet-50-official-384x288", "pose-resnet", COCO, L, None, "AP 72.2 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_50_384x288.pth.tar"),
    Published("pose-resnet-101-official", "pose-resnet", COCO, S, None, "AP 71.4 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_101_256x192.pth.tar"),
    Published("pose-resnet-101-official-384x288", "pose-resnet", COCO, L, None, "AP 73.6 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_101_384x288.pth.tar"),
    Published("pose-resnet-152-official", "pose-resnet", COCO, S, None, "AP 72.0 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_152_256x192.pth.tar"),
    Published("pose-resnet-152-official-384x288", "pose-resnet", COCO, L, None, "AP 74.3 on COCO val2017",
              BASELINES, "pose_coco/pose_resnet_152_384x288.pth.tar"),
    Published("flownet2s", "flownet2s", None, None, None, "not stated",
              FLOWNET2, "FlowNet2-S_checkpoint.pth.tar"),
)}
# fmt: on
