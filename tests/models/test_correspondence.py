"""CorrTrack's embedding and refinement: the published names, shapes and figures, checkpoints, and narrower ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ptfast.models import (
    CorrespondenceArchitecture,
    CorrespondenceNetwork,
    load_correspondence_network,
    load_correspondences,
    save_weights,
)
from ptfast.models.adapters import CORRESPONDENCES, network_of

from .by_rule import compare, picture, read_record, weights_by_rule

NARROW = CorrespondenceArchitecture(width=0.0625, refinement_width=0.125, joints=3, channels=8)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return read_record("corrtrack")["siamese"]


@pytest.fixture(scope="module")
def published(record: dict[str, Any]) -> CorrespondenceNetwork:
    """In float64, so that its figures are the same on every machine."""
    return load_correspondences(weights_by_rule(record["state_dict"])).double()


def narrow(architecture: CorrespondenceArchitecture = NARROW) -> CorrespondenceNetwork:
    torch.manual_seed(0)
    return CorrespondenceNetwork(architecture)


def test_names_and_shapes_are_the_published_ones(record: dict[str, Any]) -> None:
    with torch.device("meta"):
        state = CorrespondenceNetwork().state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == record["state_dict"]


@torch.inference_mode()
def test_recorded_maps(record: dict[str, Any], published: CorrespondenceNetwork) -> None:
    assert published.architecture == CorrespondenceArchitecture(normalise="published")
    image = picture(128, 128).double()
    queries = torch.tensor(record["queries_yx"]).flip(1)[None, None]
    first, second = published.embed(image).double(), published.embed(image.flip(3)).double()
    affinities = published.affinities(first, second, queries)
    refined = published.refine(first, second, affinities)
    found = {"embedding_a": first, "embedding_b": second, "correlations": affinities[0], "refined": refined[0]}
    for name, output in found.items():
        assert compare(output, record[name]) < 1e-6, name
    assert affinities.flatten(3).argmax(3).flatten().tolist() == record["correlation_argmax"]
    assert refined.flatten(3).argmax(3).flatten().tolist() == record["refined_argmax"]
    # Other inputs give others: other colours, images the other way round, other joints. The last change the refined
    # maps by little, as affinities are small beside embeddings.
    assert compare(published.embed(image.flip(1)), record["embedding_a"]) > 0.01
    for a, b, places, least in ((second, first, queries, 1e-3), (first, second, queries.flip(3), 2e-6)):
        others = published.affinities(a, b, places)
        assert compare(others[0], record["correlations"]) > 1e-3
        assert compare(published.refine(a, b, others)[0], record["refined"]) > least


def test_every_wrapping_of_the_weights(tmp_path: Path) -> None:
    weights = weights_by_rule(narrow().state_dict())
    inner = {name.replace("model.model.", "model.module.model."): value for name, value in weights.items()}
    outer = {f"module.{name}": value for name, value in inner.items()}
    path = tmp_path / "corr.pth.tar"
    torch.save({"epoch": 3, "state_dict": outer}, path)
    for source in (weights, {"state_dict": weights}, inner, outer, path, str(path)):
        model = load_correspondences(source, normalise="l2")
        assert model.architecture == NARROW and not model.training
        assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert load_correspondences(weights).architecture == replace(NARROW, normalise="published")
    assert network_of(weights) == network_of(inner) == CORRESPONDENCES


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model.model.conv1_7x7_s2.weight", None, "weights must have model.model.conv1_7x7_s2.weight, "),
        ("pd.inception_4c_3x3_bn.bias", None, "weights must have pd.inception_4c_3x3_bn.bias, which is missing"),
        ("pd2.inception_4c_3x3.bias", torch.zeros(3), "weights: pd2.inception_4c_3x3.bias is not part of the network"),
        ("pd.Conv2dT_2.conv.bias", torch.zeros(4), "weights: pd.Conv2dT_2.conv.bias must fit pd.Conv2dT_2.conv.bias"),
        ("pd.inception_31_1x1.weight", torch.zeros(3, 1, 1, 1), "weights must be of a network that can be made: ref"),
    ],
)  # fmt: skip
def test_weights_are_complete(name: str, value: Tensor | None, message: str) -> None:
    weights = weights_by_rule(narrow().state_dict())
    weights.pop(name, None)
    if value is not None:
        weights[name] = value
    with pytest.raises(ValueError) as error:
        load_correspondences(weights)
    assert str(error.value).startswith(message)


def test_there_and_back(tmp_path: Path) -> None:
    card = {"skeleton": "", "data": "", "command": "", "seed": 1, "score": {}, "frames": 2, "size": [256, 256]}
    network, path = narrow(), tmp_path / "w.safetensors"
    save_weights(network, path, card)
    got, read = load_correspondence_network(path)
    assert got.architecture == NARROW and not got.training and read["network"] == "correspondences"
    assert all(torch.equal(v, network.state_dict()[n].half().float()) for n, v in got.state_dict().items() if v.ndim)
    with pytest.raises(ValueError, match="card: top level: expected the key 'size', found an object without it"):
        save_weights(network, path, {name: entry for name, entry in card.items() if name != "size"})


@torch.inference_mode()
def test_people_are_refined_each_by_themselves() -> None:
    network = narrow().eval().double()  # rounding grows in random networks
    torch.nn.init.normal_(network.pd.Conv2dT_2.conv.weight, std=0.1)
    first, second = torch.randn(2, 2, 8, 16, 24, generator=torch.Generator().manual_seed(1)).double()
    queries = torch.randint(0, 16, (2, 5, 3, 2), generator=torch.Generator().manual_seed(2))
    maps = network.affinities(first, second, queries)
    together = network.refine(first, second, maps)
    assert together.shape == (2, 5, 3, 16, 24) and together.dtype == torch.float32
    for batch in (1, 3, 100):
        torch.testing.assert_close(network.refine(first, second, maps, batch=batch), together, rtol=1e-4, atol=1e-5)
    alone = network.refine(first[1:], second[1:], maps[1:, 3:4])
    torch.testing.assert_close(alone[0, 0], together[1, 3], rtol=1e-4, atol=1e-5)
    assert float((together[1, 3] - together[1, 2]).abs().max()) > 1e-4
    assert float((together - network.refine(second, first, maps)).abs().max()) > 1e-3
    assert network.refine(first, second, maps[:, :0]).shape == (2, 0, 3, 16, 24)


def test_places_are_peaks_in_image_pixels() -> None:
    refined = torch.full((2, 3, 8, 10), -4.0)
    refined[1, 2, 5, 7], refined[0, 0, 0, 9] = 1.5, -1.0
    places, scores = narrow().locate(refined)
    assert places[1, 2].tolist() == [28, 20] and places[0, 0].tolist() == [36, 0] and places[0, 1].tolist() == [0, 0]
    torch.testing.assert_close(scores[[1, 0, 0], [2, 0, 1]], torch.tensor([1.5, -1.0, -4.0]).sigmoid())


def test_training_reaches_every_parameter() -> None:
    network = narrow()
    first, second = torch.rand(2, 2, 3, 64, 64)
    queries = torch.randint(0, 16, (2, 2, 3, 2))
    affinities, refined = network(first, second, queries)
    assert affinities.shape == refined.shape == (2, 2, 3, 16, 16)
    assert float(refined.detach().abs().max()) < 0.1  # targets are nearly everywhere 0
    (refined.square().mean() + (affinities * torch.rand_like(affinities)).sum()).backward()
    before_norm = {f"{name[:-3]}.bias" for name in dict(network.named_modules()) if name.endswith("_bn")}
    before_norm |= {name for name in network.state_dict() if name.endswith("Conv2dT_1.conv.bias")}
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name
        assert weight.grad.any() or name in before_norm, name  # a norm takes off what these add


def test_a_quarter_of_the_width_is_a_tenth_of_the_weights() -> None:
    full, quarter = CorrespondenceArchitecture(), CorrespondenceArchitecture(width=0.25, refinement_width=0.25)
    with torch.device("meta"):
        many, few = (sum(p.numel() for p in CorrespondenceNetwork(a).parameters()) for a in (full, quarter))
    assert 10 < many / few < 16


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"width": 0.01}, r"width must make 32 \* width a positive whole number, got 0\.01"),
        ({"refinement_width": 0}, r"refinement_width must make 32 \* refinement_width a positive whole number, got 0"),
        ({"joints": 0}, "joints must be between 1 and"),
        ({"channels": 0}, "channels must be between 1 and"),
        ({"normalise": "l1"}, 'normalise must be "l2" or "published", got \'l1\''),
    ],
)
def test_errors(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CorrespondenceNetwork(replace(NARROW, **entries))


def test_errors_of_sizes() -> None:
    network = narrow()
    with pytest.raises(ValueError, match="images must have a height and a width of multiples of 32, got 64 and 60"):
        network.embed(torch.zeros(1, 3, 64, 60))
    first = torch.zeros(2, 8, 16, 16)
    with pytest.raises(ValueError, match=r"queries must have shape \(B, P, K, 2\) with K = 3, got \(2, 1, 4, 2\)"):
        network.affinities(first, first, torch.zeros(2, 1, 4, 2))
    with pytest.raises(ValueError, match=r"affinities must have shape .* with K = 3, B = 2, h = 16, w = 16, got \(1, "):
        network.refine(first, first, torch.zeros(1, 1, 3, 16, 16))
    with pytest.raises(ValueError, match=r"first must have a height and a width of multiples of 8, got \(16, 12\)"):
        network.refine(first[..., :12], first[..., :12], torch.zeros(2, 1, 3, 16, 12))
    with pytest.raises(ValueError, match="batch must be between 1 and"):
        network.refine(first, first, torch.zeros(2, 1, 3, 16, 16), batch=0)
