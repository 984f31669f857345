from __future__ import annotations

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import pckh_matrix
from ptfast.reference import pckh as reference

SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (131, 67)]  # 67 is over a block of columns, 131 over one of rows


def poses(*shape: int, dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    """Whole numbers, so that many distances equal the limit."""
    return np.random.default_rng([seed, *shape]).integers(0, 12, (*shape, 2)).astype(dtype)


def heads(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(list(shape)).integers(0, 16, shape).astype(dtype)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_equals_reference_to_the_bit(n: int, m: int, dtype: type, masked: bool) -> None:
    a, b, head_sizes = poses(n, 15, dtype=dtype), poses(m, 15, dtype=dtype, seed=1), heads(m, dtype=dtype)
    random = np.random.default_rng(3)
    visible = [random.random((size, 15)) < 0.6 for size in (n, m)] if masked else [None, None]
    options = {"head_sizes": head_sizes, "a_visible": visible[0], "b_visible": visible[1]}
    if masked:
        a[~visible[0]] = b[~visible[1]] = np.nan  # must not matter
    result = pckh_matrix(a, b, **options)
    assert result.shape == (n, m) and result.dtype == dtype
    np.testing.assert_array_equal(result, reference.pckh_matrix(a, b, **options))


@pytest.mark.parametrize("batch", [(4,), (2, 3), (0,)])
def test_runs_over_batch_dimensions(batch: tuple[int, ...]) -> None:
    a, b, head_sizes = poses(*batch, 5, 15), poses(*batch, 18, 15, seed=1), heads(*batch, 18)
    np.testing.assert_array_equal(
        pckh_matrix(a, b, head_sizes=head_sizes), reference.pckh_matrix(a, b, head_sizes=head_sizes)
    )


def test_a_distance_equal_to_the_limit_is_within() -> None:
    a, b = np.float32([[[0, 0], [0, 0], [0, 0], [0, 0]]]), np.float32([[[3, 4], [0, 5], [3.1, 4], [0, 0]]])
    assert pckh_matrix(a, b, head_sizes=np.float32([10])) == 3 / 4
    assert pckh_matrix(a, b, head_sizes=np.float32([10]), threshold=0.1) == 1 / 4
    assert pckh_matrix(a, b, head_sizes=np.float32([0])) == 1 / 4
    assert pckh_matrix(a, b, head_sizes=np.float32([-1])) == 0


def test_is_0_without_common_joints() -> None:
    a = poses(1, 2)
    shown, hidden = np.array([[True, False]]), np.array([[False, True]])
    assert pckh_matrix(a, a, head_sizes=np.ones(1), a_visible=shown, b_visible=hidden) == 0
    assert pckh_matrix(poses(2, 0), poses(3, 0), head_sizes=np.ones(3)).tolist() == [[0.0] * 3] * 2


def test_is_nan_for_a_nan_that_counts() -> None:
    a, b, head_sizes = poses(20, 3), poses(20, 3, seed=1), heads(20)
    a[3, 1, 0] = b[4, 2, 1] = head_sizes[5] = np.nan
    is_nan = np.zeros((20, 20), bool)
    is_nan[3] = is_nan[:, [4, 5]] = True
    np.testing.assert_array_equal(np.isnan(pckh_matrix(a, b, head_sizes=head_sizes)), is_nan)


def test_takes_strided_input() -> None:
    a = poses(10, 6)[::2, ::-1]
    np.testing.assert_array_equal(
        pckh_matrix(a, a, head_sizes=heads(10)[::2]), reference.pckh_matrix(a, a, head_sizes=heads(10)[::2])
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": poses(3, 4)[0]}, r"a must have shape \(\.\.\., N, K, 2\), got \(4, 2\)"),
        ({"b": poses(3, 5)}, r"b must have shape \(M, 4, 2\), got \(3, 5, 2\)"),
        ({"head_sizes": heads(2)}, r"head_sizes must have shape \(3,\), got \(2,\)"),
        ({"a_visible": np.ones((3, 3))}, r"a_visible must have shape \(3, 4\), got \(3, 3\)"),
        ({"threshold": -0.1}, r"threshold must be at least 0, got -0\.1"),
    ],
)
def test_wrong_arguments_are_named(change: dict, message: str) -> None:
    arguments = {"a": poses(3, 4), "b": poses(3, 4), "head_sizes": heads(3)} | change
    with pytest.raises(ValueError, match=message):
        pckh_matrix(**arguments)


def test_threads_do_not_change_a_bit() -> None:
    a, results = poses(700, 15), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(pckh_matrix(a, a, head_sizes=heads(700)))
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_give_detached_tensors_of_the_same_numbers(dtype: torch.dtype) -> None:
    a = torch.as_tensor(poses(6, 4)).to(dtype).requires_grad_()
    head_sizes, visible = torch.as_tensor(heads(6)), torch.rand(6, 4) < 0.5
    result = pckh_matrix(a, a, head_sizes=head_sizes, b_visible=visible)
    expected = reference.pckh_matrix(
        a.detach().numpy(), a.detach().numpy(), head_sizes=heads(6), b_visible=visible.numpy()
    )
    assert result.dtype == dtype and not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), expected)


def test_torch_operation_passes_opcheck_and_compiles() -> None:
    a, head_sizes = torch.as_tensor(poses(2, 5, 4)), torch.as_tensor(heads(2, 5))
    torch.library.opcheck(torch.ops.ptfast.pckh_matrix.default, (a, a, head_sizes, 0.5, None, torch.ones(2, 5, 4)))
    compiled = torch.compile(
        lambda a: pckh_matrix(a, a, head_sizes=head_sizes).sum(), fullgraph=True, backend="aot_eager"
    )
    assert compiled(a) == pckh_matrix(a, a, head_sizes=head_sizes).sum()
