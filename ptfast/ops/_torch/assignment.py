"""assign and assign_ragged on torch tensors: schema, CPU and CUDA calls, fake."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast import _native
from ptfast._check import Array, as_floats, check_dtype
from ptfast.ops._numpy.assignment import assign_array, assign_ragged_arrays
from ptfast.ops._torch.library import address, as_tensor, call_cuda, define, refuse_cuda

MAX_ON_GPU: int = _native.core.assign_cuda_max  # rows or columns of a problem


def _assign(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return torch.from_numpy(assign_array(as_floats("cost", cost.detach().numpy()), max_cost, greedy))


def _assign_on_gpu(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    cost = cost.contiguous()
    n, m = cost.shape[-2:]
    out = cost.new_empty(cost.shape[:-1], dtype=torch.int64)
    if out.numel():
        call_cuda("assign", cost, address(cost), (out.numel() // n, n, m), max_cost, greedy, address(out))
    return out


def _assign_ragged(flat_costs: Tensor, rows: Tensor, columns: Tensor, max_cost: float, greedy: bool) -> Tensor:
    costs = as_floats("flat_costs", flat_costs.detach().numpy())
    return torch.from_numpy(assign_ragged_arrays(costs, rows.numpy(), columns.numpy(), max_cost, greedy))


def _fake(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return cost.new_empty(cost.shape[:-1], dtype=torch.int64)


def _fake_ragged(flat_costs: Tensor, rows: Tensor, columns: Tensor, max_cost: float, greedy: bool) -> Tensor:
    return flat_costs.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


define("assign(Tensor cost, float max_cost, bool greedy) -> Tensor", cpu=_assign, cuda=_assign_on_gpu, fake=_fake)
define(
    "assign_ragged(Tensor flat_costs, Tensor rows, Tensor columns, float max_cost, bool greedy) -> Tensor",
    cpu=_assign_ragged,
    cuda=None,
    fake=_fake_ragged,
)


def assign(cost: Tensor, max_cost: float, greedy: bool) -> Tensor:
    """ptfast.ops.assign for a tensor whose shape and options are already checked."""
    check_dtype("cost", cost, ("float32", "float64"))
    n, m = cost.shape[-2:]
    if cost.is_cuda and max(n, m) > MAX_ON_GPU:
        raise ValueError(
            f"cost must have at most {MAX_ON_GPU} rows and columns on a GPU, got {n} x {m}; move it to the CPU"
        )
    return torch.ops.ptfast.assign(cost.detach(), max_cost, greedy)


def assign_ragged(flat_costs: Tensor, rows: Array, columns: Array, max_cost: float, greedy: bool) -> Tensor:
    """ptfast.ops.assign_ragged for tensors whose shapes and options are already checked."""
    check_dtype("flat_costs", flat_costs, ("float32", "float64"))
    refuse_cuda("assign_ragged", flat_costs, "costs")
    sizes = [as_tensor(array, None, torch.device("cpu")) for array in (rows, columns)]
    return torch.ops.ptfast.assign_ragged(flat_costs.detach(), *sizes, max_cost, greedy)
