"""torchvision's keypoint R-CNN in this package: the same boxes, scores and keypoints, recorded and live.

The recorded outputs are those of torchvision 0.28, in float32 on a CPU, for weights and an image that follow a rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast.models import Limits, MaskRcnn3d, load_torchvision
from ptfast.models.detection import batch_indices, classify, propose
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.models.keypoints import decode_bicubic

SHORTER, LONGER, MULTIPLE = 800, 1333, 32  # torchvision's sizes of images

# fmt: off
LEVELS = (  # 24 evenly spaced values of each level
    (
        -0.0275786, -0.0305945, -0.0125614, 0.00433573, -0.00968788, 0.0355073, 0.001059, 0.0195644, 0.0268436,
        -0.0174417, -0.00727123, -0.0359583, -0.0147649, 0.0191257, 0.0194692, -0.0105317, 0.0114604, 0.010047,
        0.00178379, -0.012676, -0.0404772, -0.0171809, 0.0251368, -0.0211244,
    ),
    (
        0.0100235, -0.00262085, -0.00987121, 0.00209901, 0.00929336, -0.00239366, -0.00947179, 0.00223358,
        0.00695138, 0.00733507, -0.00706205, -0.00712379, 0.00732605, 0.00759578, -0.00694833, -0.00739766,
        -0.00246517, 0.00988956, 0.0025268, -0.0095762, -0.0028757, 0.00917568, 0.00254581, -0.00898938,
    ),
    (
        0.00330649, 0.00867673, -0.00123018, -0.0107869, 0.00375576, 0.00953321, -0.00503106, -0.00764813,
        -0.00582619, 0.00862959, 0.00573378, -0.00715966, -0.00610634, 0.00597221, 0.00782268, -0.00882671,
        -0.0105355, -0.00360958, 0.0123017, 0.000973979, -0.0102334, -0.00112266, 0.00934664, 0.00120737,
    ),
    (
        0.00818973, -0.00435104, -0.00989642, 0.00562461, 0.00918735, -0.00607779, -0.00790325, 0.00506339,
        0.00772375, 0.00487809, -0.00770529, -0.00606995, 0.00889715, 0.00588999, -0.00981157, -0.00465654,
        0.00154037, 0.0093131, -0.000683765, -0.00879736, -0.000723348, 0.00973402, 0.00110167, -0.00976667,
    ),
    (
        0.00818973, -0.00434721, -0.00989177, 0.00563104, 0.00918803, -0.00608024, -0.00790172, 0.00506339,
        0.00836297, 0.00488323, -0.00770343, -0.00608827, 0.00889208, 0.00477045, -0.00982279, -0.00712435,
        0.00152923, 0.0093124, -0.000692038, -0.0087904, -0.000726283, 0.00973594, 0.00109233, -0.00830793,
    ),
)
PROPOSALS = (
    (1040.8479, 0, 1066, 14.87211),
    (1044.7837, 4.8044977, 1066, 26.884777),
    (1044.7476, 100.79901, 1066, 122.86443),
    (1044.7808, 632.80402, 1066, 654.88312),
    (1044.8641, 732.77429, 1066, 754.88623),
)
BOXES = (
    (0, 109.4503, 7.9569287, 116.07482),
    (0, 196.9623, 13.271284, 210.82953),
    (317.25177, 229.44098, 320, 236.07045),
    (317.25171, 103.44097, 320, 110.07047),
    (0, 39.846161, 7.9641523, 46.472416),
    (127.53049, 0.23280431, 141.27707, 6.8627825),
    (0, 228.24565, 7.9650731, 234.87245),
    (0, 159.83221, 12.796814, 166.46207),
    (0, 75.845543, 7.9652839, 82.470634),
    (0, 170.65509, 7.9485488, 177.27621),
)
SCORES = (
    0.50043899, 0.50043887, 0.50043881, 0.50043869, 0.50043839, 0.50043839, 0.50043809, 0.50043774, 0.50043762,
    0.5004375,
)
KEYPOINTS = (  # of the first three people
    (
        0.44205162, 110.74641, 0.73675269, 113.3386, 7.5148773, 110.74641, 0.44205162, 113.3386, 0.73675269,
        114.77872, 0.73675269, 110.74641, 0.44205162, 114.77872, 0.44205162, 110.74641, 0.73675269, 114.77872,
        7.5148773, 110.74641, 0.44205162, 113.3386, 1.0314537, 110.74641, 0.73675269, 110.74641, 0.44205162,
        114.77872, 0.44205162, 110.74641, 0.73675269, 114.77872, 7.5148773, 110.74641,
    ),
    (
        0.7372936, 197.69992, 12.533991, 210.0919, 7.8153119, 208.61668, 0.7372936, 207.14143, 1.3271284, 207.14143,
        12.533991, 209.50182, 0.7372936, 207.14143, 0.7372936, 200.65039, 12.533991, 210.0919, 12.533991, 197.69992,
        0.7372936, 207.14143, 1.6220459, 208.61668, 12.533991, 209.50182, 0.7372936, 207.14143, 0.7372936, 200.65039,
        12.533991, 210.0919, 12.533991, 208.61668,
    ),
    (
        317.38919, 230.73804, 319.86258, 235.63811, 319.86258, 230.73804, 317.38919, 233.33218, 319.86258, 234.77339,
        319.86258, 230.73804, 317.38919, 234.77339, 317.38919, 230.73804, 319.86258, 234.77339, 319.86258, 230.73804,
        317.38919, 233.33218, 318.76331, 230.73804, 319.86258, 235.63811, 317.38919, 234.77339, 317.38919, 230.73804,
        319.86258, 234.77339, 319.86258, 230.73804,
    ),
)
LOGITS = (
    (
        0.0101665, 0.00593224, -0.00375831, -0.00960149, -0.00669337, 0.00271811, 0.00964807, 0.00797309,
        -0.000881069, -0.00883543, -0.0083365, -0.000228691, 0.00847845, 0.0093221, 0.00194667, -0.00716189,
        -0.00950877,
    ),
    (
        0.0101691, 0.00591902, -0.00375406, -0.00960148, -0.00671128, 0.00272079, 0.0096479, 0.00797282,
        -0.000897937, -0.00883415, -0.00833644, -0.000222415, 0.00847554, 0.00932185, 0.0019465, -0.00718167,
        -0.00950823,
    ),
    (
        0.0101672, 0.00592157, -0.00375442, -0.00959966, -0.00672782, 0.00272073, 0.00964999, 0.00797425,
        -0.000901014, -0.00883123, -0.00833448, -0.000228274, 0.00847476, 0.00932375, 0.0019482, -0.00718778,
        -0.00950447,
    ),
)
# fmt: on


def shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """torchvision's names and shapes of everything but its norms."""
    yield "backbone.body.conv1.weight", (64, 3, 7, 7)
    for stage, count in enumerate((3, 4, 6, 3)):
        narrow = 64 * 2**stage
        for block in range(count):
            prefix = f"backbone.body.layer{stage + 1}.{block}"
            inside = 4 * narrow if block else max(64, 2 * narrow * (stage > 0))
            yield f"{prefix}.conv1.weight", (narrow, inside, 1, 1)
            yield f"{prefix}.conv2.weight", (narrow, narrow, 3, 3)
            yield f"{prefix}.conv3.weight", (4 * narrow, narrow, 1, 1)
            if block == 0:
                yield f"{prefix}.downsample.0.weight", (4 * narrow, inside, 1, 1)
    layers = {"rpn.head.conv.0.0": (256, 256, 3, 3), "rpn.head.cls_logits": (3, 256, 1, 1)}
    layers |= {"rpn.head.bbox_pred": (12, 256, 1, 1)}
    for level in range(4):
        layers[f"backbone.fpn.inner_blocks.{level}.0"] = (256, 256 * 2**level, 1, 1)
        layers[f"backbone.fpn.layer_blocks.{level}.0"] = (256, 256, 3, 3)
    layers |= {"roi_heads.box_head.fc6": (1024, 12544), "roi_heads.box_head.fc7": (1024, 1024)}
    layers |= {"roi_heads.box_predictor.cls_score": (2, 1024), "roi_heads.box_predictor.bbox_pred": (8, 1024)}
    layers |= {f"roi_heads.keypoint_head.{2 * i}": (512, 512 if i else 256, 3, 3) for i in range(8)}
    for name, shape in layers.items():
        yield f"{name}.weight", shape
        yield f"{name}.bias", shape[:1]
    yield "roi_heads.keypoint_predictor.kps_score_lowres.weight", (512, 17, 4, 4)
    yield "roi_heads.keypoint_predictor.kps_score_lowres.bias", (17,)


def by_rule(name: str, shape: tuple[int, ...]) -> Tensor:
    """Weights that depend on their name alone."""
    count, shift = math.prod(shape), crc32(name.encode()) % 1000
    index = torch.arange(count, dtype=torch.float64)
    if len(shape) == 1:
        return (0.01 * torch.cos(index + shift)).float()
    wave = torch.cos(index * (1 + shift / 1000) * 2.3 + shift)
    return (math.sqrt(2 * shape[0] / count) * math.sqrt(2) * wave).float().reshape(shape)


def with_norms(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights and, after each convolution of the body, a norm of the identity but for its bias."""
    full = dict(weights)
    for name, weight in weights.items():
        if name.startswith("backbone.body."):
            norm = name.removesuffix(".weight")
            norm = norm[:-1] + "1" if norm.endswith("downsample.0") else norm.replace("conv", "bn")
            full[f"{norm}.weight"] = full[f"{norm}.running_var"] = torch.ones(len(weight))
            full[f"{norm}.running_mean"] = torch.zeros(len(weight))
            full[f"{norm}.bias"] = by_rule(f"{norm}.bias", (len(weight),))
            full[f"{norm}.num_batches_tracked"] = torch.tensor(0)
    return full


def make_image(height: int, width: int) -> Tensor:
    """(3, height, width) within 0 and 1."""
    c, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (3, height, width)), indexing="ij")
    return (0.5 + 0.5 * torch.sin(0.05 * (x + 2 * y) + c)).float()


def as_torchvision_takes(image: Tensor, shorter: int, longer: int) -> tuple[Tensor, tuple[int, int]]:
    """(1, 3, 1, H, W) normalised, resized and padded, and the size without the padding."""
    image = (image - torch.tensor(IMAGE_MEAN)[:, None, None]) / torch.tensor(IMAGE_STD)[:, None, None]
    sides = image.shape[1:]
    factor = min(shorter / min(sides), longer / max(sides))
    size = (int(sides[0] * factor), int(sides[1] * factor))
    image = F.interpolate(image[None], size=size, mode="bilinear", align_corners=False)
    return F.pad(image, (0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE)).unsqueeze(2), size


@torch.inference_mode()
def outputs(
    model: MaskRcnn3d, image: Tensor, shorter: int, longer: int, people: int, max_detections: int
) -> SimpleNamespace:
    """What the network finds, in the image's own pixels, with the keypoints of the first few people."""
    clip, size = as_torchvision_takes(image, shorter, longer)
    limits = Limits(max_detections=max_detections)
    features = model.features(clip)
    proposals = propose(model, features, size, limits)
    ((boxes, scores),) = classify(model, features, proposals, size, limits)
    some = boxes[:people]
    heatmaps = model.heatmaps(features, some, batch_indices([len(some)], some.device))
    keypoints, logits = decode_bicubic(heatmaps[:, :, 0], some[:, 0])
    shrink = torch.tensor([image.shape[2] / size[1], image.shape[1] / size[0]])
    return SimpleNamespace(
        levels=[level[:, :, 0] for level in features],
        proposals=proposals[0][:, 0],
        boxes=boxes[:, 0] * shrink.repeat(2),
        scores=scores,
        keypoints=keypoints * shrink,
        logits=logits,
    )


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return with_norms({name: by_rule(name, shape) for name, shape in shapes()})


@pytest.fixture(scope="module")
def recorded(weights: dict[str, Tensor]) -> SimpleNamespace:
    return outputs(load_torchvision(weights), make_image(240, 320), SHORTER, LONGER, people=3, max_detections=100)


def test_the_recorded_pyramid(recorded: SimpleNamespace) -> None:
    assert [tuple(level.shape[2:]) for level in recorded.levels] == [
        (200, 272), (100, 136), (50, 68), (25, 34), (13, 17)
    ]  # fmt: skip
    for level, values in zip(recorded.levels, LEVELS, strict=True):
        index = [round(i * (level.numel() - 1) / 23) for i in range(24)]
        reach = max(values) - min(values)
        torch.testing.assert_close(level.flatten()[index], torch.tensor(values), rtol=0, atol=1e-4 * reach)


def test_the_recorded_proposals(recorded: SimpleNamespace) -> None:
    assert len(recorded.proposals) == 1000
    assert places(recorded.proposals[:50], torch.tensor(PROPOSALS), 1e-3)


def test_the_recorded_people(recorded: SimpleNamespace) -> None:
    # Many scores are equal to six digits, so that rounding may change the order of people.
    assert len(recorded.boxes) == 100
    index = places(recorded.boxes, torch.tensor(BOXES), 1e-3)
    torch.testing.assert_close(recorded.scores[index], torch.tensor(SCORES), rtol=0, atol=1e-6)


def test_the_recorded_keypoints(recorded: SimpleNamespace) -> None:
    index = places(recorded.boxes[:3], torch.tensor(BOXES[:3]), 1e-3)
    expected = torch.tensor(KEYPOINTS).reshape(3, 17, 2)
    torch.testing.assert_close(recorded.keypoints[index], expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(recorded.logits[index], torch.tensor(LOGITS), rtol=0, atol=2e-6)


def places(found: Tensor, expected: Tensor, tolerance: float) -> list[int]:
    """Where each of the expected boxes stands among those found."""
    away, index = (found[:, None] - expected).abs().amax(-1).min(0)
    assert float(away.max()) <= tolerance
    assert len(set(index.tolist())) == len(expected)
    return index.tolist()


def test_torchvision_itself() -> None:
    detection = pytest.importorskip("torchvision.models.detection", exc_type=(ImportError, RuntimeError))
    options: dict[str, Any] = {"min_size": 96, "max_size": 120, "box_detections_per_img": 6}
    torch.manual_seed(0)
    peer = detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_keypoints=5, **options).eval()
    for module in peer.modules():
        if hasattr(module, "running_var"):  # so small that another eps is seen in the results
            module.eps = 0.0
            module.running_var.uniform_(1e-4, 2e-4)
            module.running_mean.normal_(0, 0.1)
            torch.nn.init.constant_(module.weight, 0.01)
    with torch.inference_mode():
        expected = peer([make_image(60, 90)])[0]
    model = load_torchvision(peer.state_dict(), eps=0.0)
    found = outputs(model, make_image(60, 90), 96, 120, people=6, max_detections=6)
    assert 0 < len(expected["boxes"]) == len(found.boxes)
    torch.testing.assert_close(found.boxes, expected["boxes"], rtol=0, atol=1e-3)
    torch.testing.assert_close(found.scores, expected["scores"], rtol=0, atol=1e-5)
    torch.testing.assert_close(found.keypoints, expected["keypoints"][..., :2], rtol=0, atol=1e-3)
    torch.testing.assert_close(found.logits, expected["keypoints_scores"], rtol=1e-4, atol=1e-5)
