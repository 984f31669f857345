"""What the drop-in shares with lap and lapx: ties of integer costs, and all that lapx takes beyond lap."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import lap as dropin
from ptfast.dropin import patched


@pytest.fixture
def lap() -> ModuleType:
    return peer("lap")


def ties(size: int, dtype: Any) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 3, (size, size)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8, np.uint8, np.uint64, bool, np.float32, np.float16])
@pytest.mark.parametrize("size", [1, 4, 9, 40, 99, 150])
def test_integer_costs_with_ties_choose_as_floats_do(size: int, dtype: Any) -> None:
    cost = ties(size, dtype)
    found, expected = dropin.lapjv(cost), dropin.lapjv(cost.astype(np.float64))
    assert all(map(np.array_equal, found, expected))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float32])
@pytest.mark.parametrize("size", [4, 9, 40, 99])
def test_ties_of_small_problems_are_the_originals(lap: ModuleType, size: int, dtype: Any) -> None:
    cost = ties(size, dtype)
    assert all(map(np.array_equal, dropin.lapjv(cost), lap.lapjv(cost.astype(np.float64))))


def test_a_limit_without_extend_cost_is_as_in_the_one_installed(lap: ModuleType) -> None:
    cost = np.array([[3.0, 1, 9], [2, 8, 9]])
    outcomes: list[Any] = []
    for solve in (dropin.lapjv, lap.lapjv):
        try:
            outcomes.append([np.asarray(part).tolist() for part in solve(cost, cost_limit=5.0)])
        except ValueError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    if hasattr(lap, "lapjvx"):  # lapx
        assert outcomes[0] == [3.0, [1, 0], [1, 0, -1]]


def test_a_limit_without_extend_cost_is_an_error_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropin, "original", lambda module, attribute: None)
    with pytest.raises(ValueError, match="Square cost array expected"):
        dropin.lapjv(np.ones((2, 3)), cost_limit=1.0)


def test_other_names_are_those_of_the_one_installed(lap: ModuleType) -> None:
    for name in ("lapmod", "LARGE", *(name for name in lap.__all__ if name != "lapjv")):
        assert getattr(dropin, name) is getattr(lap, name) or getattr(dropin, name) == getattr(lap, name)
    with pytest.raises(AttributeError):
        _ = dropin.no_such_function


def test_lapx_works_on_while_it_is_patched(lap: ModuleType) -> None:
    if not hasattr(lap, "lapjvx"):
        pytest.skip("needs lapx")
    cost = ties(6, np.float64)[:, :4]
    names = [name for name in lap.__all__ if name.startswith("lapjv") and "batch" not in name and name != "lapjv"]
    names.remove("lapjvc")  # which has no extend_cost
    expected = [float(getattr(lap, name)(cost, extend_cost=True, return_cost=True)[0]) for name in names]
    with patched("lap"):
        found = [float(getattr(lap, name)(cost, extend_cost=True, return_cost=True)[0]) for name in names]
        assert lap.lapjv(cost, cost_limit=2.0, return_cost=False)[0].shape == (6,)
    assert found == expected
    assert len(names) >= 5
