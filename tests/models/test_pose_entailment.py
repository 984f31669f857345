"""The pose entailment network: its size, its layers beside torch's own, masks, shared work, scores and errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ptfast.models import PoseEntailment, PoseEntailmentArchitecture, PosePairs
from ptfast.models.entailment_layers import EntailmentLayer
from ptfast.models.pose_entailment import CHUNK
from ptfast.models.pose_tokens import GridPlaces
from ptfast.skeletons import POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene

PAPER, BEST = PoseEntailmentArchitecture.paper(), PoseEntailmentArchitecture.best()
SMALL = {"hidden": 16, "intermediate": 8, "layers": 2, "heads": 2, "dropout": 0.0}
KINDS = {
    "grid": replace(PAPER, **SMALL),
    "relative": replace(PAPER, position="relative", **SMALL),
    "grid+relative": replace(PAPER, position="grid+relative", joint_scores=True, **SMALL),
    "linear": replace(PAPER, position="linear", **SMALL),
    "fourier": replace(BEST, paired=False, **SMALL),
    "paired": replace(BEST, paired=True, **SMALL),
}
architectures = pytest.mark.parametrize("architecture", KINDS.values(), ids=KINDS)


def network(architecture: PoseEntailmentArchitecture, skeleton: Skeleton = POSETRACK_15) -> PoseEntailment:
    """A network whose weights are large enough for pairs to differ."""
    torch.manual_seed(0)
    made = PoseEntailment(architecture, skeleton).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
    return made


@pytest.fixture(scope="module")
def poses() -> Poses:
    return detections(scene(5, frames=9, people=6), 5, miss=0, joint_drop=0.2)


def all_pairs(poses: Poses, most: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of rows of different frames, at most so many apart, and how many."""
    frames = np.repeat(np.arange(len(poses)), np.diff(poses.frame_offsets))
    apart = frames[None] - frames[:, None]
    pairs = np.argwhere((apart >= 1) & (apart <= most))
    return pairs, apart[tuple(pairs.T)]


def pairs_of(poses: Poses, pairs: np.ndarray, apart: np.ndarray) -> PosePairs:
    """The pairs as tensors, column by column from the poses."""
    both = np.stack([pairs[:, 1], pairs[:, 0]], 1)
    assert poses.frame_size is not None
    segments = np.stack([0 * apart, apart - 1], 1)
    size = np.tile(poses.frame_size[0], (len(pairs), 1)).astype(np.float32)
    columns = (poses.keypoints[both], poses.joint_visibility[both] > 0, poses.joint_scores[both], segments, size)
    return PosePairs(*map(torch.from_numpy, columns))


def test_it_has_the_papers_number_of_parameters() -> None:
    """0.41 million without an output projection (A.5), and 0.47 with it, of which 0.40 in the layers (table 6)."""
    plain, projected = PoseEntailment(PAPER), PoseEntailment(replace(PAPER, projection=True))

    def millions(module: nn.Module) -> float:
        return round(sum(parameter.numel() for parameter in module.parameters()) / 1e6, 2)

    assert millions(plain) == 0.41 and millions(projected) == 0.47
    assert millions(projected.layers) == 0.40 and millions(plain.embedding) == 0.06 and millions(plain.pooler) == 0.02
    assert sum(parameter.numel() for parameter in plain.parameters()) == 407_042
    assert plain.embedding.places.absolute.num_embeddings == 432
    weights = [parameter for parameter in plain.parameters() if parameter.ndim > 1]
    assert all(abs(weight.std().item() / 0.02 - 1) < 0.15 for weight in weights)


def test_a_layer_is_torchs_own_with_a_projection_and_attention_is_torchs_without() -> None:
    torch.manual_seed(0)
    peer = nn.TransformerEncoderLayer(16, 4, 24, 0.0, "gelu", 1e-12, batch_first=True)
    layer = EntailmentLayer(16, 4, 24, 0.0, projection=True)
    layer.project.load_state_dict({"weight": peer.self_attn.in_proj_weight, "bias": peer.self_attn.in_proj_bias})
    for ours, theirs in (
        (layer.output, peer.self_attn.out_proj), (layer.attention_norm, peer.norm1), (layer.widen, peer.linear1),
        (layer.narrow, peer.linear2), (layer.norm, peer.norm2),
    ):  # fmt: skip
        ours.load_state_dict(theirs.state_dict())
    tokens, visible = torch.randn(3, 7, 16), torch.rand(3, 7) > 0.3
    bias = torch.where(visible, 0.0, -10000.0)[:, None, None]
    found = layer(tokens, layer.project(tokens), bias)
    torch.testing.assert_close(found, peer(tokens, src_key_padding_mask=~visible), atol=1e-5, rtol=1e-5)
    first = layer(tokens, layer.project(tokens), bias, first_alone=True)
    torch.testing.assert_close(first, found[:, :1], atol=1e-6, rtol=1e-6)


def test_position_tokens_are_cells_of_the_image_row_by_row() -> None:
    places = GridPlaces(PAPER)
    shares = torch.tensor([[0, 0], [9.99, 0], [10, 0], [0, 10], [239, 179], [-5, 90], [500, 500]]) / torch.tensor(
        [240, 180]
    )
    assert places.cells(shares).tolist() == [0, 0, 1, 24, 431, 9 * 24, 431]


@architectures
def test_absent_joints_change_nothing(architecture: PoseEntailmentArchitecture, poses: Poses) -> None:
    """The first token among them, which the pooler reads."""
    model, pairs = network(architecture), pairs_of(poses, *all_pairs(poses))
    visible = pairs.visible.clone()
    visible[:, 0, 0] = visible[:, 1, 3] = False
    pairs = replace(pairs, visible=visible)
    absent = ~visible[..., None]
    other = replace(
        pairs,
        keypoints=torch.where(absent, torch.rand_like(pairs.keypoints) * 300, pairs.keypoints),
        joint_scores=torch.where(absent[..., 0], 0.7, pairs.joint_scores),
    )
    torch.testing.assert_close(model(pairs), model(other), atol=1e-5, rtol=1e-5)
    shown = replace(pairs, visible=torch.ones_like(visible))
    assert not torch.allclose(model(pairs), model(shown), atol=1e-3)
    nobody = model(replace(pairs, visible=torch.zeros_like(visible)))
    assert nobody.isfinite().all()


@architectures
def test_scores_are_the_plain_forwards(architecture: PoseEntailmentArchitecture, poses: Poses) -> None:
    model = network(replace(architecture, camera_shift=False))
    pairs, apart = all_pairs(poses)
    assert len(pairs) > CHUNK
    with torch.no_grad():
        expected = torch.softmax(model(pairs_of(poses, pairs, apart)), 1)[:, 1].numpy()
    assert expected.max() - expected.min() > 0.1
    model.train()
    scores = model.match_scores(poses, poses, pairs, apart)
    assert model.training and scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    np.testing.assert_allclose(model.match_scores(poses, poses, pairs[::-1], apart[::-1]), expected[::-1], atol=2e-6)
    some = poses.frame(8)
    late = pairs[:, 1] >= poses.frame_offsets[8]
    moved = pairs[late] - [0, poses.frame_offsets[8]]
    np.testing.assert_allclose(model.match_scores(poses, some, moved, apart[late]), expected[late], atol=2e-6)
    assert model.match_scores(poses, poses, pairs[:0], apart[:0]).shape == (0,)
    rough = model.match_scores(poses, poses, pairs, apart, bfloat16=True)
    assert 0 < np.abs(rough - expected).max() < 0.1


@pytest.mark.parametrize("kind", ["linear", "fourier", "paired"])
def test_continuous_coordinates_are_those_of_the_pair(kind: str, poses: Poses) -> None:
    """Where a pair is in the image, and how large, does not count, and no image size is needed."""
    model, (pairs, apart) = network(KINDS[kind]), all_pairs(poses)
    elsewhere = replace(poses, keypoints=poses.keypoints * 2 + 100, frame_size=None)
    found = [model.match_scores(each, each, pairs, apart) for each in (poses, elsewhere)]
    np.testing.assert_allclose(*found, atol=1e-4)
    wide = replace(poses, keypoints=poses.keypoints * np.array([1.2, 1], np.float32))
    assert np.abs(model.match_scores(wide, wide, pairs, apart) - found[0]).max() > 1e-3


def test_shifts_move_the_earlier_poses(poses: Poses) -> None:
    pairs, apart = all_pairs(poses)
    shifts = np.random.default_rng(0).uniform(-30, 30, (len(pairs), 2)).astype(np.float32)
    for kind in ("grid", "fourier"):
        model = network(KINDS[kind])
        moved = pairs_of(poses, pairs, apart)
        moved.keypoints[:, 1] += torch.from_numpy(shifts)[:, None]
        with torch.no_grad():
            expected = torch.softmax(model(moved), 1)[:, 1].numpy()
        np.testing.assert_allclose(model.match_scores(poses, poses, pairs, apart, shifts=shifts), expected, atol=2e-5)


def test_a_moving_camera_changes_nothing_where_its_shift_is_removed() -> None:
    truth = scene(7, frames=2, people=6)
    shaken = truth.keypoints.copy()
    shaken[truth.frame_offsets[1] :] += np.float32([9, -4])
    pairs, apart = all_pairs(truth)
    for removed in (True, False):
        model = network(replace(KINDS["fourier"], camera_shift=removed))
        still, moving = (
            model.match_scores(each, each, pairs, apart) for each in (truth, replace(truth, keypoints=shaken))
        )
        assert bool(np.abs(still - moving).max() < 1e-4) is removed


def test_attention_sums_to_one_and_leaves_absent_joints_out(poses: Poses) -> None:
    pairs, apart = all_pairs(poses, 1)
    inputs = pairs_of(poses, pairs, apart)
    maps = network(KINDS["grid"]).attention(inputs)
    assert len(maps) == 2 and maps[0].shape == (len(pairs), 2, 30, 30)
    absent = ~inputs.visible.flatten(1)
    assert absent.any()
    for each in maps:
        torch.testing.assert_close(each.sum(-1), torch.ones(each.shape[:-1]))
        assert each.movedim(3, 1)[absent].max() == 0


def test_poses_of_other_joints_are_refused_by_name(poses: Poses) -> None:
    model, (pairs, apart) = network(KINDS["fourier"]), all_pairs(poses)
    others = poses.to_skeleton(POSETRACK_17)
    message = r"current must have the network's joints, posetrack_15 \(right_ankle, .*\), got posetrack_17 \(nose, .*\)"
    with pytest.raises(ValueError, match=message):
        model.match_scores(poses, others, pairs, apart)
    renamed = replace(poses, skeleton=replace(POSETRACK_15, name="mine"))
    assert len(model.match_scores(renamed, poses, pairs, apart)) == len(pairs)


def test_rows_and_distances_are_whole_numbers(poses: Poses) -> None:
    network, pairs = PoseEntailment(PoseEntailmentArchitecture.best()).eval(), np.array([[0, 1]])
    with pytest.raises(ValueError, match="frames_apart must be whole numbers, got float64"):
        network.match_scores(poses, poses, pairs, np.array([np.nan]))
    with pytest.raises(ValueError, match="pairs must be whole numbers, got float64"):
        network.match_scores(poses, poses, pairs + 0.5, np.array([1]))


def test_wrong_pairs_are_errors(poses: Poses) -> None:
    model, (pairs, apart) = network(KINDS["grid"]), all_pairs(poses)
    unsized, nowhere = replace(poses, frame_size=None), poses.keypoints.copy()
    nowhere[0, poses.joint_visibility[0] > 0] = np.inf
    cases = [
        ((poses, poses, pairs, apart + 1), r"frames_apart must be from 1 to the network's delta, 4, got 5 at \d+"),
        ((poses, poses, pairs, apart - 1), "frames_apart must be from 1 to the network's delta, 4, got 0 at 0"),
        ((poses, poses, pairs, apart[1:]), "frames_apart must have shape"),
        ((poses, poses, pairs.T, apart), r"pairs must have shape \(P, 2\)"),
        (
            (poses, poses, pairs + np.array([0, 10]), apart),
            r"pairs\[:, 1\] must be at least 0 and below \d+, the number of current",
        ),
        ((poses, unsized, pairs, apart), "current must have frame_size, .*dataclasses.replace"),
        ((replace(poses, keypoints=nowhere), poses, pairs, apart), "earlier.keypoints must be finite, got inf"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            model.match_scores(*arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shifts must have shape"):
        model.match_scores(poses, poses, pairs, apart, shifts=np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"position": "cells"}, "position must be one of 'grid', .*, got 'cells'"),
        ({"displacements": True}, "displacements must be False for position 'grid', got True"),
        ({"paired": True}, "paired must be False for position 'grid', got True"),
        ({"heads": 3}, "hidden must be a multiple of the 3 heads, got 128"),
        ({"grid": (0, 18)}, "grid must be between 1 and 4096, got 0"),
        ({"dropout": 1.5}, "dropout must be between 0 and 1, got 1.5"),
        ({"layers": 0}, "layers must be between 1 and 4096, got 0"),
    ],
)
def test_wrong_architectures_are_errors(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PoseEntailmentArchitecture(**entries)
