"""assign and assign_ragged on torch tensors: schema, CPU calls and fake."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import Array, check_dtype
from ptfast.ops._torch._library import define
from ptfast.ops.assignment import assign_array, assign_ragged_arrays


def _assign(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return torch.from_numpy(assign_array(cost.detach().contiguous().numpy(), max_cost, greedy))


def _assign_ragged(flat_costs: Tensor, rows: Tensor, columns: Tensor, max_cost: float, greedy: bool) -> Tensor:
    costs = flat_costs.detach().contiguous().numpy()
    return torch.from_numpy(assign_ragged_arrays(costs, rows.numpy(), columns.numpy(), max_cost, greedy))


def _fake(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return cost.new_empty(cost.shape[:-1], dtype=torch.int64)


def _fake_ragged(flat_costs: Tensor, rows: Tensor, columns: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return flat_costs.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


define("assign(Tensor cost, float max_cost, bool greedy) -> Tensor", cpu=_assign, cuda=None, fake=_fake)
define(
    "assign_ragged(Tensor flat_costs, Tensor rows, Tensor columns, float max_cost, bool greedy) -> Tensor",
    cpu=_assign_ragged,
    cuda=None,
    fake=_fake_ragged,
)


def assign(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    """ptfast.ops.assign for a tensor; shape and options are already checked."""
    _check("assign", "cost", cost)
    return torch.ops.ptfast.assign(cost.detach(), max_cost, greedy)


def assign_ragged(flat_costs: Tensor, rows: Array, columns: Array, max_cost: float, greedy: bool) -> Tensor:
    """ptfast.ops.assign_ragged for tensors; shapes and options are already checked."""
    _check("assign_ragged", "flat_costs", flat_costs)
    sizes = [torch.as_tensor(array, device="cpu") for array in (rows, columns)]
    return torch.ops.ptfast.assign_ragged(flat_costs.detach(), *sizes, max_cost, greedy)


def _check(operation: str, name: str, costs: Tensor) -> None:
    check_dtype(name, costs, ("float32", "float64"))
    if costs.is_cuda:
        raise RuntimeError(f"{operation} on CUDA tensors is not available yet; move the costs to the CPU")
