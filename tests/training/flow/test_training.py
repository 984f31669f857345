"""Training of FlowNet2-S: that it learns, goes on to the bit, and is scored on films of validation seeds."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ptfast.models import FlowNet2S, FlowNetArchitecture
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.flow import FlowConfig, flow_task, validate_flow
from ptfast.training.flow.augmentation import FlowAugmentation, FlowPair
from ptfast.training.flow.pairs import FRAMES, FilmPairs, flow_film
from ptfast.training.flow.validation import figures
from ptfast.training.loop import train
from ptfast.training.optimisation import learning_rate

TINY = FlowConfig(
    batch=2, steps=4, learning_rate=1e-3, warm_up=2, drops=(3,), epoch=100, size=64, crop=(64, 64), validation_videos=1,
    architecture=FlowNetArchitecture(width=0.03125),
)  # fmt: skip


class Few(Dataset):
    """Some pairs again and again, and Ctrl-C with that of a number."""

    def __init__(self, pairs: list[FlowPair], number: int = -1) -> None:
        self.pairs, self.number = pairs, number

    def __getitem__(self, index: int) -> FlowPair:
        if index == self.number:
            os.kill(os.getpid(), signal.SIGINT)
        return self.pairs[index % len(self.pairs)]


@pytest.fixture(scope="module")
def pairs() -> list[FlowPair]:
    films = FilmPairs(TINY)
    return [films[index] for index in range(4)]


def same_weights(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.parametrize("workers", [0, 1])
def test_going_on_is_exact_to_the_bit(pairs: list[FlowPair], tmp_path: Path, workers: int) -> None:
    task = flow_task(TINY)
    whole, _ = train(task, Few(pairs), None, workers=0)
    if workers:
        train(task, Few(pairs), tmp_path, workers=workers, minutes=0)  # one step
    else:
        with pytest.raises(KeyboardInterrupt, match="a checkpoint after 2 of 4 steps"):
            train(task, Few(pairs, 2), tmp_path, workers=0)  # in the second step
    assert 0 < read_checkpoint(tmp_path / "checkpoint.pt")["step"] < 4
    torch.manual_seed(99)  # must not matter
    model, done = train(task, Few(pairs), tmp_path, workers=workers)
    assert done == 4 and same_weights(model.state_dict(), whole.state_dict())


def test_a_step_moves_every_weight_by_no_more_than_the_learning_rate(pairs: list[FlowPair]) -> None:
    task = flow_task(replace(TINY, steps=1))
    torch.manual_seed(TINY.seed)
    before = task.network().state_dict()
    model, _ = train(task, Few(pairs), None, workers=0)
    moved = {name: (value - before[name]).abs().max().item() for name, value in model.state_dict().items()}
    assert all(0 < value < 1.1 * learning_rate(TINY, 0) for value in moved.values()), moved


def test_it_learns(pairs: list[FlowPair]) -> None:
    config = replace(TINY, batch=4, steps=60, learning_rate=5e-3, warm_up=0, drops=())
    task = flow_task(config)
    torch.manual_seed(config.seed)
    models = task.network(), train(task, Few(pairs), None, workers=0)[0]
    with torch.no_grad():
        before, after = (task.losses(model)(*task.arguments(model, pairs, torch.device("cpu"))) for model in models)
    assert after.sum() < 0.6 * before.sum()


def test_arguments_are_the_pairs_in_their_order(pairs: list[FlowPair]) -> None:
    first, second, flow, weight = flow_task(TINY).arguments(nn.Identity(), pairs[:3], torch.device("cpu"))
    assert (
        first.shape == second.shape == (3, 3, 64, 64) and flow.shape == (3, 64, 64, 2) and weight.dtype == torch.float32
    )
    np.testing.assert_array_equal(first[1].permute(1, 2, 0), pairs[1].first)
    np.testing.assert_array_equal(second[1].permute(1, 2, 0), pairs[1].second)
    np.testing.assert_array_equal(flow[2], pairs[2].flow)
    np.testing.assert_array_equal(weight[2], pairs[2].weight)


class Constant(nn.Module):
    """Gives the same flow everywhere."""

    multiple = 64

    def __init__(self, x: float, y: float) -> None:
        super().__init__()
        self.flow = nn.Parameter(torch.tensor([x, y]), requires_grad=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.flow[None, :, None, None].expand(len(first), 2, *first.shape[2:])


def test_validation_is_the_endpoint_error_on_films_of_validation_seeds() -> None:
    config = replace(TINY, validation_videos=2)
    zero, other = (validate_flow(Constant(*flow), config) for flow in ((0.0, 0.0), (30.0, -40.0)))  # type: ignore[arg-type]
    assert zero["epe"] == zero["still"] == other["still"] and zero["epe_people"] == zero["still_people"]
    fields, people = [], []
    for film in (flow_film(seed, config) for seed in (VALIDATION_SEEDS, VALIDATION_SEEDS + 1)):
        for frame in (0, FRAMES - 2):
            flow, known = film.flow(frame)
            fields.append(flow[known])
            people.append(film.owners(frame)[known] >= 0)
    off = np.linalg.norm(np.concatenate(fields) - [30, -40], axis=1)
    assert other["epe"] == pytest.approx(off.mean(), abs=1e-3) and 40 < other["epe"] < 60
    assert other["epe_people"] == pytest.approx(off[np.concatenate(people)].mean(), abs=1e-3) != other["epe"]


def test_peoples_pixels_are_scored_apart() -> None:
    found = figures(np.array([1.0, 2, 3, 6]), np.array([4.0, 4, 0, 0]), np.array([True, False, False, True]))
    assert found == {"epe": 3.0, "still": 2.0, "epe_people": 3.5, "still_people": 2.0}
    assert figures(np.ones(2), np.ones(2), np.zeros(2, bool))["epe_people"] == 0


def test_a_whole_film_is_a_crop_too() -> None:
    config = replace(TINY, augmentation=FlowAugmentation(shift=50.0))
    pair = FilmPairs(config)[0]  # there is no room for a shift
    assert pair.first.shape == (64, 64, 3) and np.abs(pair.flow[pair.weight > 0]).max() < 40
    assert isinstance(flow_task(config).network(), FlowNet2S)
