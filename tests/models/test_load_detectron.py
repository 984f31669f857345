"""Networks of Detectron and Detect-and-Track: synthetic blobs of the names and shapes that the released code gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ptfast.models import MaskRcnn3d, load_detectron
from ptfast.models.images import normalise_clips
from ptfast.models.layers import ClipConv, FrozenBatchNorm

Shapes = dict[str, tuple[int, ...]]
LEVELS = (256, 512, 1024, 2048)


def kernel(*shape: int, extent: int | None) -> tuple[int, ...]:
    """A 2D kernel's shape, or that of a kernel of this temporal extent."""
    return shape if extent is None else (*shape[:2], extent, *shape[2:])


def norm(name: str, size: int) -> Shapes:
    return {f"{name}_bn_s": (size,), f"{name}_bn_b": (size,)}


def layer(name: str, *shape: int, extent: int | None = None) -> Shapes:
    """A convolution or a fully connected layer, with its bias."""
    return {f"{name}_w": shape if len(shape) == 2 else kernel(*shape, extent=extent), f"{name}_b": shape[:1]}


def bottlenecks(counts: tuple[int, ...], extent: int | None) -> Shapes:
    shapes, inside = {}, 64
    for stage, count in enumerate(counts):
        narrow = 64 * 2**stage
        for i in range(count):
            prefix = f"res{stage + 2}_{i}"
            convolutions = {
                "branch2a": (narrow, inside, 1, 1), "branch2b": (narrow, narrow, 3, 3),
                "branch2c": (4 * narrow, narrow, 1, 1),
            }  # fmt: skip
            if i == 0:
                convolutions["branch1"] = (4 * narrow, inside, 1, 1)
            for name, shape in convolutions.items():
                shapes[f"{prefix}_{name}_w"] = kernel(*shape, extent=extent)
                shapes |= norm(f"{prefix}_{name}", shape[0])
            inside = 4 * narrow
    return shapes


def keypoint_head(joints: int, inside: int, extent: int | None, enlargement: str) -> Shapes:
    """Eight convolutions, of 4 channels here."""
    shapes: Shapes = {}
    for i in range(8):
        shapes |= layer(f"conv_fcn{i + 1}", 4, 4 if i else inside, 3, 3, extent=extent)
    shapes |= {"kps_score_lowres_w": (4, joints, 4, 4), "kps_score_lowres_b": (joints,)}
    return shapes | {f"{enlargement}_w": (joints, joints, 4, 4), f"{enlargement}_b": (joints,)}


def flat_shapes(counts: tuple[int, int, int, int], extent: int | None) -> Shapes:
    """A 2D network with a pyramid, of 8 channels here; Detect-and-Track's kernels of the body have extent 1."""
    shapes = {"conv1_w": kernel(64, 3, 7, 7, extent=extent), **norm("res_conv1", 64), **bottlenecks(counts, extent)}
    for stage, (count, wide) in enumerate(zip(counts, LEVELS, strict=True), start=2):
        place = f"res{stage}_{count - 1}_sum"
        lateral = "" if stage == 5 else "_lateral"
        shapes |= layer(f"fpn_inner_{place}{lateral}", 8, wide, 1, 1, extent=extent)
        shapes |= layer(f"fpn_{place}", 8, 8, 3, 3, extent=extent)
    shapes |= layer("conv_rpn_fpn2", 8, 8, 3, 3) | layer("rpn_cls_logits_fpn2", 3, 8, 1, 1)
    shapes |= layer("rpn_bbox_pred_fpn2", 12, 8, 1, 1)
    shapes |= layer("fc6", 16, 392) | layer("fc7", 16, 16) | layer("cls_score", 2, 16) | layer("bbox_pred", 8, 16)
    return shapes | keypoint_head(17, 8, None, "kps_score")


def tube_shapes() -> Shapes:
    """The 3D ResNet-18 without a pyramid: no temporal extent in conv1, res2 and the box head's res5."""
    shapes: Shapes = {"conv1_w": (64, 3, 1, 7, 7), **norm("res_conv1", 64)}
    inside = 64
    for stage, extent in ((2, 1), (3, 3), (4, 3), (5, 1)):
        wide = 64 * 2 ** (stage - 2)
        for i in range(2):
            shapes[f"res{stage}_{i}_branch2a_w"] = (wide, inside, extent, 3, 3)
            shapes[f"res{stage}_{i}_branch2b_w"] = (wide, wide, extent, 3, 3)
            shapes |= norm(f"res{stage}_{i}_branch2a", wide) | norm(f"res{stage}_{i}_branch2b", wide)
            if inside != wide:
                shapes[f"res{stage}_{i}_branch1_w"] = (wide, inside, 1, 1, 1)
                shapes |= norm(f"res{stage}_{i}_branch1", wide)
            inside = wide
    shapes |= layer("conv_rpn", 256, 256, 3, 3, extent=3) | layer("rpn_cls_logits_1", 12, 256, 1, 1, extent=1)
    shapes |= layer("rpn_bbox_pred_1", 48, 256, 1, 1, extent=1)
    shapes |= layer("cls_score_1", 2, 512, 1, 1, extent=1) | layer("bbox_pred_1", 8, 512, 1, 1, extent=1)
    return shapes | keypoint_head(17, 256, 3, "kps_score_prefinal")


def filled(shapes: Shapes) -> dict[str, np.ndarray]:
    """Random blobs, and the enlargement's fixed ones."""
    generator = np.random.default_rng(0)
    blobs = {}
    for name, shape in shapes.items():
        blobs[name] = generator.standard_normal(shape, np.float32) / np.float32(max(np.prod(shape[1:]), 4) ** 0.5)
    side = np.array([0.25, 0.75, 0.75, 0.25], np.float32)
    for name in ("kps_score", "kps_score_prefinal"):
        if f"{name}_w" in blobs:
            blobs[f"{name}_w"] = np.eye(17, dtype=np.float32)[:, :, None, None] * (side[:, None] * side)
            blobs[f"{name}_b"][:] = 0
    return blobs


def tensors(blobs: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(blob) for name, blob in blobs.items()}


@pytest.fixture(scope="module")
def flat_blobs() -> dict[str, np.ndarray]:
    return filled(flat_shapes((3, 4, 6, 3), None))


@pytest.fixture(scope="module")
def tube_blobs() -> dict[str, np.ndarray]:
    return filled(tube_shapes())


@pytest.fixture(scope="module")
def flat(flat_blobs: dict[str, np.ndarray]) -> MaskRcnn3d:
    return load_detectron(flat_blobs)


@pytest.fixture(scope="module")
def tubes(tube_blobs: dict[str, np.ndarray]) -> MaskRcnn3d:
    return load_detectron(tube_blobs)


def learnt(model: MaskRcnn3d) -> Iterator[torch.Tensor]:
    """Every parameter without the zeros around kernels, and the norms' scales and biases."""
    for module in model.modules():
        own = dict(module.named_parameters(recurse=False))
        if isinstance(module, FrozenBatchNorm):
            own = {"weight": module.weight, "bias": module.bias}
        for weight in own.values():
            if isinstance(module, ClipConv) and weight.ndim == 5:
                weight = weight[:, :, weight.flatten(3).any(3).any(1).any(0)]
            yield weight


@pytest.mark.parametrize("kind", ["flat", "tube"])
def test_every_blob_is_a_parameter(kind: str, request: pytest.FixtureRequest) -> None:
    blobs = request.getfixturevalue(f"{kind}_blobs")
    model = request.getfixturevalue("flat" if kind == "flat" else "tubes")
    unused = sum(blob.size for name, blob in blobs.items() if name.startswith(("kps_score_prefinal", "kps_score_w")))
    unused += sum(blob.size for name, blob in blobs.items() if name == "kps_score_b")
    background = sum(blob.size // 2 for name, blob in blobs.items() if name.startswith("bbox_pred"))
    assert sum(weight.numel() for weight in learnt(model)) == sum(x.size for x in blobs.values()) - unused - background
    assert not model.training


def test_architectures(flat: MaskRcnn3d, tubes: MaskRcnn3d) -> None:
    a, b = flat.architecture, tubes.architecture
    assert (a.depth, a.temporal_kernel, a.pyramid_channels, a.box_head, a.box_channels) == (50, 1, 8, "mlp", 16)
    assert (b.depth, b.temporal_kernel, b.pyramid_channels, b.box_head, b.box_blocks) == (18, 3, None, "block", 2)
    assert a.stride_in_1x1 and not b.stride_in_1x1 and b.output_stride == 16
    for each in (a, b):
        assert each.joints == 17 and each.keypoint_convs == 8 and each.keypoint_channels == 4
        assert each.upsampling == "bilinear" and each.anchor_layout == "detectron"


@torch.inference_mode()
def test_the_first_layers_are_caffe2s(flat: MaskRcnn3d, flat_blobs: dict[str, np.ndarray]) -> None:
    blobs = tensors(flat_blobs)
    frames = torch.randint(0, 256, (1, 1, 32, 48, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    got = flat.body(normalise_clips(frames, mean=flat.architecture.image_mean))

    def affine(x: torch.Tensor, name: str) -> torch.Tensor:
        return x * blobs[f"{name}_bn_s"][:, None, None] + blobs[f"{name}_bn_b"][:, None, None]

    def block(x: torch.Tensor, name: str, stride: int) -> torch.Tensor:
        inner = F.relu(affine(F.conv2d(x, blobs[f"{name}_branch2a_w"], stride=stride), f"{name}_branch2a"))
        inner = F.relu(affine(F.conv2d(inner, blobs[f"{name}_branch2b_w"], padding=1), f"{name}_branch2b"))
        inner = affine(F.conv2d(inner, blobs[f"{name}_branch2c_w"]), f"{name}_branch2c")
        if f"{name}_branch1_w" in blobs:
            x = affine(F.conv2d(x, blobs[f"{name}_branch1_w"], stride=stride), f"{name}_branch1")
        return F.relu(inner + x)

    bgr = frames[0].flip(-1).permute(0, 3, 1, 2) - torch.tensor([102.9801, 115.9465, 122.7717])[:, None, None]
    x = F.max_pool2d(F.relu(affine(F.conv2d(bgr, blobs["conv1_w"], stride=2, padding=3), "res_conv1")), 3, 2, 1)
    for stage, count in ((2, 3), (3, 4)):
        for i in range(count):
            x = block(x, f"res{stage}_{i}", 2 if stage == 3 and i == 0 else 1)
        reach = float(x.abs().max())
        torch.testing.assert_close(got[stage - 2][:, :, 0], x, rtol=1e-4, atol=1e-5 * reach)


def test_where_blobs_go(flat: MaskRcnn3d, tubes: MaskRcnn3d, flat_blobs: Any, tube_blobs: Any) -> None:
    a, b = tensors(flat_blobs), tensors(tube_blobs)
    pairs = [
        (flat.pyramid.inner_blocks[3][0].weight[:, :, 0], a["fpn_inner_res5_2_sum_w"]),
        (flat.pyramid.inner_blocks[0][0].bias, a["fpn_inner_res2_2_sum_lateral_b"]),
        (flat.pyramid.layer_blocks[2][0].weight[:, :, 0], a["fpn_res4_5_sum_w"]),
        (flat.proposals.cls_logits.bias, a["rpn_cls_logits_fpn2_b"]),
        (flat.box_head.fc7.weight, a["fc7_w"]),
        (flat.box_predictor.bbox_pred.weight, a["bbox_pred_w"][4:]),
        (tubes.body.layer2[1].conv2.weight, b["res3_1_branch2b_w"]),
        (tubes.body.layer1[0].conv1.weight[:, :, 1:2], b["res2_0_branch2a_w"]),
        (tubes.box_head.blocks[0].downsample[0].weight, b["res5_0_branch1_w"]),
        (tubes.box_head.blocks[1].bn2.weight, b["res5_1_branch2b_bn_s"]),
        (tubes.proposals.bbox_pred.weight, b["rpn_bbox_pred_1_w"]),
        (tubes.box_predictor.cls_score.weight, b["cls_score_1_w"][:, :, 0, 0, 0]),
        (tubes.box_predictor.bbox_pred.bias, b["bbox_pred_1_b"][4:]),
        (tubes.keypoint_head.convs[7].weight, b["conv_fcn8_w"]),
        (tubes.keypoint_head.heatmaps.weight, b["kps_score_lowres_w"]),
    ]
    for got, expected in pairs:
        assert torch.equal(got, expected)
    assert not tubes.body.layer1[0].conv1.weight[:, :, ::2].any()


def test_norms_are_their_scale_and_bias(flat: MaskRcnn3d, flat_blobs: dict[str, np.ndarray]) -> None:
    found = flat.body.layer3[5].bn2
    scale, bias = (torch.from_numpy(flat_blobs[f"res4_5_branch2b_bn_{kind}"])[:, None, None, None] for kind in "sb")
    given = torch.randn(1, 256, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found(given), given * scale + bias, rtol=2e-7, atol=1e-6)


def test_a_body_of_temporal_extent_1_is_2d() -> None:
    shapes = flat_shapes((3, 4, 23, 3), 1)
    blobs = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items() if name != "kps_score_w"}
    architecture = load_detectron(blobs).architecture
    assert architecture.depth == 101 and architecture.temporal_kernel == 1


def test_other_box_weights(tube_blobs: dict[str, np.ndarray], tubes: MaskRcnn3d) -> None:
    got = load_detectron(tube_blobs, box_weights=(1, 1, 1, 1)).box_predictor.bbox_pred
    factors = torch.tensor([10.0, 10.0, 5.0, 5.0])
    torch.testing.assert_close(got.weight, tubes.box_predictor.bbox_pred.weight * factors[:, None])
    torch.testing.assert_close(got.bias, tubes.box_predictor.bbox_pred.bias * factors)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("conv_rpn_b", None, "blobs must have conv_rpn_b, which is missing"),
        ("kps_score_lowres_w", None, "blobs must have kps_score_lowres_w, which is missing"),
        ("kps_score_lowres_w", np.zeros(3), "blobs: kps_score_lowres_w must have shape (C, K, 4, 4), got (3,)"),
        ("fc1000_w", np.zeros((2, 2)), "blobs: fc1000_w is not part of the network"),
        ("res4_1_branch2b_w", np.zeros((256, 256, 3, 1, 3)), "blobs: res4_1_branch2b_w must fit body.layer3.1.conv2."),
        ("kps_score_prefinal_b", np.ones(17), "blobs: kps_score_prefinal_b must be a bilinear enlargement"),
        ("res3_2_branch2a_w", np.zeros((1, 1)), "blobs must be of a ResNet-18, 50 or 101, got (2, 3, 2) blocks"),
    ],
)
def test_blobs_are_complete(tube_blobs: dict[str, np.ndarray], name: str, value: Any, message: str) -> None:
    blobs = {other: blob for other, blob in tube_blobs.items() if other != name}
    if value is not None:
        blobs[name] = value
    with pytest.raises(ValueError) as error:
        load_detectron(blobs)
    assert str(error.value).startswith(message)


def test_momentum_is_passed_over(tube_blobs: dict[str, np.ndarray]) -> None:
    load_detectron({**tube_blobs, "conv1_w_momentum": np.zeros(3)})
