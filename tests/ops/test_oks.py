from __future__ import annotations

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import oks_matrix
from ptfast.reference import oks as reference
from ptfast.skeletons import COCO_17

SIGMAS = np.asarray(COCO_17.sigmas)
SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (131, 67)]  # 67 is over a block of columns, 131 over one of rows
TOLERANCE = {np.float32: {"rtol": 2e-6, "atol": 2e-7}, np.float64: {"rtol": 1e-13, "atol": 1e-15}}


def poses(*shape: int, dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    """People of some 200 pixels, near and far from each other."""
    random = np.random.default_rng([seed, *shape])
    place = random.uniform(0, 300, (*shape[:-1], 1, 2))
    body = np.random.default_rng(1).uniform(-50, 50, (shape[-1], 2))
    return (place + body + random.normal(0, 4, (*shape, 2))).astype(dtype)


def areas(*shape: int, dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(1e3, 2e4, shape).astype(dtype)


def masks(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).random(shape) < 0.6


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_equals_reference(n: int, m: int, dtype: type, masked: bool, pair: bool) -> None:
    a, b = poses(n, 17, dtype=dtype), poses(m, 17, dtype=dtype, seed=1)
    area_b = areas(m, dtype=dtype)
    visible = [masks(n, 17), masks(m, 17, seed=1)] if masked else [None, None]
    if masked:
        a[~visible[0]] = b[~visible[1]] = np.nan  # must not matter
    options = {
        "area": (areas(n, dtype=dtype, seed=1), area_b) if pair else area_b,
        "sigmas": SIGMAS, "a_visible": visible[0], "b_visible": visible[1],
    }  # fmt: skip
    result = oks_matrix(a, b, **options)
    assert result.shape == (n, m) and result.dtype == dtype
    np.testing.assert_allclose(result, reference.oks_matrix(a, b, **options), **TOLERANCE[dtype])


@pytest.mark.parametrize("batch", [(4,), (2, 3), (0,)])
def test_runs_over_batch_dimensions(batch: tuple[int, ...]) -> None:
    a, b, area = poses(*batch, 5, 17), poses(*batch, 18, 17, seed=1), areas(*batch, 18)
    result = oks_matrix(a, b, area=area, sigmas=SIGMAS)
    np.testing.assert_allclose(result, reference.oks_matrix(a, b, area=area, sigmas=SIGMAS), **TOLERANCE[np.float32])


def test_of_known_poses() -> None:
    a, b = np.zeros((1, 2, 2)), np.array([[[3.0, 4.0], [0.0, 0.0]]])
    expected = (np.exp(-25 / (2 * (2 * 0.1) ** 2 * 500)) + 1) / 2
    result = oks_matrix(a, b, area=np.array([500.0]), sigmas=np.array([0.1, 0.05]))
    np.testing.assert_allclose(result, [[expected]], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 5, 17, 41, 133])
def test_equal_poses_have_exactly_1_and_far_ones_nothing(k: int, dtype: type) -> None:
    a = np.random.default_rng(0).uniform(0, 1000, (40, k, 2)).astype(dtype)
    result = oks_matrix(a, a, area=areas(40, dtype=dtype), sigmas=np.full(k, 0.05))
    assert (np.diagonal(result) == 1).all()
    far = oks_matrix(a, a + dtype(1e6), area=areas(40, dtype=dtype), sigmas=np.full(k, 0.05))
    assert (far >= 0).all() and far.max() < 1e-30


@pytest.mark.parametrize("area", [0.0, -3.0, np.nan])
def test_an_area_that_is_not_positive_asks_for_equality(area: float) -> None:
    a = poses(4, 17)
    b = a.copy()
    b[1, 2, 0] += 1
    b[2, :5] += 1
    visible = np.ones((4, 17), bool)
    visible[2, :5] = visible[3] = False
    result = oks_matrix(a, b, area=np.full(4, area), sigmas=SIGMAS, b_visible=visible)
    np.testing.assert_array_equal(result, np.diag([1, 0, 1, 0]))


def test_is_0_without_common_joints() -> None:
    a = poses(1, 2)
    shown, hidden = np.array([[1, 0]]), np.array([[0, 2]])
    assert oks_matrix(a, a, area=np.ones(1), sigmas=np.ones(2), a_visible=shown, b_visible=hidden) == 0
    for convert in (np.asarray, torch.as_tensor):
        a, b, area, sigmas = (convert(x) for x in (poses(2, 1)[:, :0], poses(3, 1)[:, :0], np.ones(3), np.ones(0)))
        assert not oks_matrix(a, b, area=area, sigmas=sigmas).any()


def test_is_nan_for_a_nan_coordinate_that_counts() -> None:
    a, b = poses(20, 17), poses(20, 17, seed=1)
    a[3, 1, 0] = b[4, 2, 1] = np.nan
    is_nan = np.zeros((20, 20), bool)
    is_nan[3] = is_nan[:, 4] = True
    np.testing.assert_array_equal(np.isnan(oks_matrix(a, b, area=areas(20), sigmas=SIGMAS)), is_nan)


def test_takes_strided_input() -> None:
    a, area = poses(10, 17)[::2, :, ::-1], areas(10)[::2]
    result = oks_matrix(a, a, area=area, sigmas=SIGMAS)
    np.testing.assert_allclose(result, reference.oks_matrix(a, a, area=area, sigmas=SIGMAS), **TOLERANCE[np.float32])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": poses(3, 17)[0]}, r"a must have shape \(\.\.\., N, K, 2\), got \(17, 2\)"),
        ({"b": poses(3, 15)}, r"b must have shape \(M, 17, 2\), got \(3, 15, 2\)"),
        ({"area": areas(2)}, r"area must have shape \(3,\), got \(2,\)"),
        ({"area": (areas(2), areas(3))}, r"area\[0\] must have shape \(3,\), got \(2,\)"),
        ({"sigmas": SIGMAS[:15]}, r"sigmas must have shape \(17,\), got \(15,\)"),
        ({"b_visible": masks(3, 3)}, r"b_visible must have shape \(3, 17\), got \(3, 3\)"),
    ],
)
def test_wrong_shapes_are_named(change: dict, message: str) -> None:
    arguments = {"a": poses(3, 17), "b": poses(3, 17), "area": areas(3), "sigmas": SIGMAS} | change
    with pytest.raises(ValueError, match=message):
        oks_matrix(**arguments)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_other_float_types_are_refused(convert) -> None:
    a = convert(poses(2, 17).astype(np.float16))
    with pytest.raises(TypeError, match="a must have dtype float32 or float64, got float16"):
        oks_matrix(a, a, area=convert(areas(2)), sigmas=convert(SIGMAS))


def test_threads_do_not_change_a_bit() -> None:
    a, area, results = poses(700, 17), areas(700), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(oks_matrix(a, a, area=area, sigmas=SIGMAS))
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(*results)


def tensors(n: int, m: int, k: int) -> tuple[torch.Tensor, ...]:
    """Poses within a few sigmas of each other, where gradients are large: a, b, the areas of both, and sigmas."""
    random = torch.Generator().manual_seed(0)
    a, b = (torch.rand(size, k, 2, generator=random, dtype=torch.float64) * 10 for size in (n, m))
    area_a, area_b = (torch.rand(size, generator=random, dtype=torch.float64) * 900 + 100 for size in (n, m))
    return a.requires_grad_(), b.requires_grad_(), area_a, area_b, torch.full((k,), 0.1, dtype=torch.float64)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("pair", [False, True])
def test_gradients_are_those_of_finite_differences(pair: bool, masked: bool) -> None:
    a, b, area_a, area_b, sigmas = tensors(3, 4, 5)
    options = {"area": (area_a, area_b) if pair else area_b, "sigmas": sigmas}
    if masked:
        options |= {"a_visible": torch.as_tensor(masks(3, 5)), "b_visible": torch.as_tensor(masks(4, 5))}
    assert torch.autograd.gradcheck(lambda a, b: oks_matrix(a, b, **options), (a, b))


def test_gradients_add_over_batches_and_strides() -> None:
    a, b, _, area, sigmas = tensors(4, 6, 5)
    whole = oks_matrix(a.view(2, 2, 5, 2), b.view(2, 3, 5, 2), area=area.view(2, 3), sigmas=sigmas)
    weights = torch.rand(3, 2, 2, dtype=torch.float64).permute(2, 1, 0)
    grads = torch.autograd.grad((whole * weights).sum(), (a, b))
    parts = [oks_matrix(a[2 * i : 2 * i + 2], b[3 * i : 3 * i + 3], area=area[3 * i : 3 * i + 3], sigmas=sigmas)
             for i in range(2)]  # fmt: skip
    expected = torch.autograd.grad(sum((part * weights[i]).sum() for i, part in enumerate(parts)), (a, b))
    torch.testing.assert_close(grads, expected)


def test_a_degenerate_area_has_no_gradient() -> None:
    a, b, _, area, sigmas = tensors(2, 2, 5)
    oks_matrix(a, b, area=area * 0, sigmas=sigmas).sum().backward()
    assert a.grad.abs().max() == 0 and b.grad.abs().max() == 0


def test_torch_operations_pass_opcheck() -> None:
    a, b, area_a, area_b, sigmas = (x.detach() for x in tensors(3, 4, 5))
    visible = torch.ones(3, 5, dtype=torch.uint8)
    inputs = (a, b, area_a, area_b, sigmas, visible, None)
    torch.library.opcheck(torch.ops.ptfast.oks_matrix.default, inputs)
    torch.library.opcheck(torch.ops.ptfast.oks_matrix_backward.default, (torch.rand(3, 4).double(), *inputs))


def test_compiles_into_one_graph_with_its_gradient() -> None:
    a, b, _, area, sigmas = tensors(3, 4, 5)
    compiled = torch.compile(
        lambda a, b: oks_matrix(a, b, area=area, sigmas=sigmas).sum(), fullgraph=True, backend="aot_eager"
    )
    grads = torch.autograd.grad(compiled(a, b), (a, b))
    torch.testing.assert_close(
        grads, torch.autograd.grad(oks_matrix(a, b, area=area, sigmas=sigmas).sum(), (a, b)), rtol=0, atol=0
    )
