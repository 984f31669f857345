from __future__ import annotations

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import iou_matrix, tube_iou_matrix
from ptfast.reference import boxes as reference

SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (131, 257)]  # 257 is over two blocks of columns, 131 over one of rows


def boxes(*shape: int, dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    """Boxes of which some overlap, some touch, some are empty and some inverted."""
    random = np.random.default_rng([seed, *shape])
    corner = random.integers(0, 30, (*shape, 2))
    return np.concatenate([corner, corner + random.integers(-2, 20, (*shape, 2))], -1).astype(dtype) / dtype(3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_iou_matrix_equals_reference_to_the_bit(n: int, m: int, dtype: type) -> None:
    a, b = boxes(n, dtype=dtype), boxes(m, dtype=dtype, seed=1)
    result = iou_matrix(a, b)
    assert result.shape == (n, m) and result.dtype == dtype
    np.testing.assert_array_equal(result, reference.iou_matrix(a, b))


@pytest.mark.parametrize("batch", [(4,), (2, 3), (0,)])
def test_iou_matrix_runs_over_batch_dimensions(batch: tuple[int, ...]) -> None:
    a, b = boxes(*batch, 5), boxes(*batch, 21, seed=1)
    np.testing.assert_array_equal(iou_matrix(a, b), reference.iou_matrix(a, b))


def test_iou_of_known_boxes() -> None:
    a = np.float32([[0, 0, 2, 2]])
    b = np.float32([[0, 0, 2, 2], [1, 1, 3, 3], [2, 0, 4, 2], [1, 1, 1, 1], [2, 2, 0, 0]])
    np.testing.assert_array_equal(iou_matrix(a, b), np.float32([[1, 1 / 7, 0, 0, 0]]))
    assert iou_matrix(b[3:], b[3:]).max() == 0  # an empty union


@pytest.mark.parametrize("coordinate", range(4))
def test_iou_is_nan_for_a_nan_coordinate_alone(coordinate: int) -> None:
    a = boxes(20)
    a[3, coordinate] = np.nan
    is_nan = np.zeros((20, 20), bool)
    is_nan[3] = is_nan[:, 3] = True
    np.testing.assert_array_equal(np.isnan(iou_matrix(a, a)), is_nan)


def test_iou_takes_strided_and_integer_input() -> None:
    a = boxes(40)[::2]
    np.testing.assert_array_equal(iou_matrix(a, a[:, ::-1][:, ::-1]), reference.iou_matrix(a, a))
    whole = np.array([[0, 0, 4, 4], [2, 0, 6, 4]])
    assert iou_matrix(whole, whole).dtype == np.float64
    assert iou_matrix(whole, whole)[0, 1] == 1 / 3


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("t", [1, 3, 8])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_tube_iou_matrix_equals_reference_to_the_bit(n: int, m: int, t: int, masked: bool) -> None:
    a, b = boxes(n, t), boxes(m, t, seed=1)
    random = np.random.default_rng(2)
    valid = [random.random((size, t)) < 0.7 for size in (n, m)] if masked else [None, None]
    if masked:
        a[~valid[0]] = b[~valid[1]] = np.nan  # must not matter
    np.testing.assert_array_equal(tube_iou_matrix(a, b, *valid), reference.tube_iou_matrix(a, b, *valid))


def test_tube_iou_runs_over_batches_and_is_0_without_frames() -> None:
    a, b = boxes(2, 3, 5, 4), boxes(2, 3, 6, 4, seed=1)
    np.testing.assert_array_equal(tube_iou_matrix(a, b), reference.tube_iou_matrix(a, b))
    np.testing.assert_array_equal(tube_iou_matrix(boxes(2, 0), boxes(3, 0)), np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: iou_matrix(boxes(3, 5), boxes(3)), r"b must have shape \(3, M, 4\), got \(3, 4\)"),
        (lambda: iou_matrix(np.zeros((3, 5)), boxes(3)), r"a must have shape \(\.\.\., N, 4\), got \(3, 5\)"),
        (lambda: iou_matrix(boxes(2, 3), boxes(3, 3)), r"b must have shape \(2, M, 4\), got \(3, 3, 4\)"),
        (lambda: tube_iou_matrix(boxes(2, 3), boxes(2, 4)), r"b must have shape \(M, 3, 4\), got \(2, 4, 4\)"),
        (
            lambda: tube_iou_matrix(boxes(2, 3), boxes(2, 3), b_valid=np.ones((2, 2))),
            r"b_valid must have shape \(2, 3\), got \(2, 2\)",
        ),
    ],
)
def test_wrong_shapes_are_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_other_float_types_are_refused(convert) -> None:
    with pytest.raises(TypeError, match="a must have dtype float32 or float64, got float16"):
        iou_matrix(convert(np.zeros((2, 4), np.float16)), convert(np.zeros((2, 4), np.float16)))


def test_threads_do_not_change_a_bit() -> None:
    a, results = boxes(1500), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(iou_matrix(a, a))
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_give_detached_tensors_of_the_same_numbers(dtype: torch.dtype) -> None:
    a, b = (torch.as_tensor(boxes(6, 3, seed=seed)).to(dtype).requires_grad_() for seed in (0, 1))
    valid = torch.rand(6, 3) < 0.5
    for result, expected in [
        (iou_matrix(a, b), reference.iou_matrix(a.detach().numpy(), b.detach().numpy())),
        (
            tube_iou_matrix(a, b, a_valid=valid),
            reference.tube_iou_matrix(a.detach().numpy(), b.detach().numpy(), a_valid=valid.numpy()),
        ),
    ]:
        assert result.dtype == dtype and not result.requires_grad
        np.testing.assert_array_equal(result.numpy(), expected)


def test_torch_operations_pass_opcheck() -> None:
    a, b = torch.as_tensor(boxes(2, 5)), torch.as_tensor(boxes(2, 7, seed=1)[:, ::2])
    torch.library.opcheck(torch.ops.ptfast.iou_matrix.default, (a, b))
    torch.library.opcheck(torch.ops.ptfast.tube_iou_matrix.default, (a, a, torch.ones(2, 5, dtype=torch.uint8), None))


def test_compiles_into_one_graph() -> None:
    a, b = torch.as_tensor(boxes(5, 3)), torch.as_tensor(boxes(5, 3, seed=1))
    compiled = torch.compile(lambda a, b: iou_matrix(a, b).sum() + tube_iou_matrix(a, b).sum(), fullgraph=True,
                             backend="aot_eager")  # fmt: skip
    assert compiled(a, b) == iou_matrix(a, b).sum() + tube_iou_matrix(a, b).sum()
