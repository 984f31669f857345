from __future__ import annotations

import numpy as np
import pytest
import torch

import ptfast
from ptfast.ops import sample_flow
from ptfast.reference import flow as reference

TOLERANCE = {np.float32: {"rtol": 0, "atol": 2e-4}, np.float64: {"rtol": 0, "atol": 1e-12}}  # coordinates below 100


def field(height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng([height, width]).normal(0, 5, (height, width, 2)).astype(dtype)


def places(*shape: int, height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    """Points in and around the image; every third has an integer coordinate, some of them the image's last."""
    random = np.random.default_rng(shape)
    points = random.uniform(-0.2, 1.2, (*shape, 2)) * (width, height)
    whole = random.random((*shape, 1)) < 0.3
    return np.where(whole, np.round(points), points).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (2, 2), (37, 53)])
@pytest.mark.parametrize("shape", [(0,), (1,), (131,), (3, 0, 2), (4, 5, 17)])
def test_equals_reference(shape: tuple, size: tuple, dtype: type) -> None:
    flow, points = field(*size, dtype), places(*shape, height=size[0], width=size[1], dtype=dtype)
    values, inside = sample_flow(flow, points)
    assert values.shape == points.shape and values.dtype == dtype
    assert inside.shape == shape and inside.dtype == bool
    expected, expected_inside = reference.sample_flow(flow, points)
    np.testing.assert_array_equal(inside, expected_inside)
    np.testing.assert_allclose(values, expected, **TOLERANCE[dtype])


def test_the_image_ends_at_its_last_pixels_centres() -> None:
    flow = np.arange(24, dtype=np.float64).reshape(3, 4, 2)
    past = np.nextafter(0, -1)
    points = [(0, 0), (3, 2), (2.5, 1.5), (past, 1), (1, past), (np.nextafter(3, 4), 2), (3, np.nextafter(2, 3))]
    values, inside = sample_flow(flow, np.array(points))
    assert inside.tolist() == [True, True, True, False, False, False, False]
    np.testing.assert_array_equal(values, [(0, 1), (22, 23), (17, 18), *[(0, 0)] * 4])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_point_that_is_no_place_is_outside(axis: int, bad: float) -> None:
    points = np.ones((1, 2), np.float32)
    points[0, axis] = bad
    values, inside = sample_flow(field(4, 4), points)
    assert not inside.any() and (values == 0).all()


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_empty_field_has_no_inside(size: tuple) -> None:
    flow, points = field(*size), np.zeros((3, 2), np.float32)
    assert not sample_flow(flow, points)[1].any()
    tensors = torch.as_tensor(flow).requires_grad_(), torch.as_tensor(points).requires_grad_()
    grads = torch.autograd.grad(sample_flow(*tensors)[0].sum(), tensors)
    assert [(grad == 0).all().item() for grad in grads] == [True, True]


def test_reads_strided_input() -> None:
    flow, points = field(20, 30)[::2, ::-1, ::-1], places(9, 4, height=10, width=30)[::2, :, ::-1]
    values, inside = sample_flow(flow, points)
    expected = reference.sample_flow(flow, points)
    np.testing.assert_allclose(values, expected[0], **TOLERANCE[np.float32])
    np.testing.assert_array_equal(inside, expected[1])


def test_threads_do_not_change_a_bit() -> None:
    points, results = places(100_000, height=60, width=80), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append(sample_flow(field(60, 80), points)[0])
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"flow": np.zeros((4, 5))}, ValueError, r"flow must have shape \(H, W, 2\), got \(4, 5\)"),
        ({"points": np.zeros((4, 3))}, ValueError, r"points must have shape \(\.\.\., 2\), got \(4, 3\)"),
        ({"flow": np.zeros((4, 5, 2), np.float16)}, TypeError,
         "flow must have dtype float32 or float64, got float16"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(change: dict, error: type, message: str, convert) -> None:
    arguments = {"flow": field(4, 5), "points": np.zeros((3, 2), np.float32)} | change
    with pytest.raises(error, match=message):
        sample_flow(**{name: convert(value) for name, value in arguments.items()})


def tensors(height: int = 4, width: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """A flow field and points at least 0.1 from its pixels' rows and columns, where the derivative jumps."""
    random = np.random.default_rng(0)
    points = random.integers(-1, max(height, width), (12, 2)) + random.uniform(0.1, 0.9, (12, 2))
    return torch.as_tensor(field(height, width, np.float64)).requires_grad_(), torch.as_tensor(points).requires_grad_()


@pytest.mark.parametrize("size", [(4, 5), (2, 2)])
def test_gradients_are_those_of_finite_differences(size: tuple) -> None:
    flow, points = tensors(*size)
    assert sample_flow(flow, points)[1].any() and not sample_flow(flow, points)[1].all()
    assert torch.autograd.gradcheck(lambda *inputs: sample_flow(*inputs)[0], (flow, points))


def test_gradients_on_the_last_pixels_and_of_many_points_on_one() -> None:
    flow = torch.as_tensor(field(3, 4, np.float64)).requires_grad_()
    points = torch.tensor([[3.0, 2.0]] * 5, dtype=torch.float64, requires_grad=True)
    grad_flow, grad_points = torch.autograd.grad(sample_flow(flow, points)[0].sum(), (flow, points))
    expected = torch.zeros(3, 4, 2, dtype=torch.float64)
    expected[2, 3] = 5
    torch.testing.assert_close(grad_flow, expected, rtol=0, atol=0)
    slopes = torch.stack([(flow[2, 3] - flow[2, 2]).sum(), (flow[2, 3] - flow[1, 3]).sum()]).detach()
    torch.testing.assert_close(grad_points, slopes.expand(5, 2))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_field_of_one_row_or_column_has_gradients(transposed: bool) -> None:
    flow, points = torch.zeros(1, 3, 2), torch.tensor([[0.25, 0.0]])
    flow = (flow.transpose(0, 1).contiguous() if transposed else flow).requires_grad_()
    values, inside = sample_flow(flow, points.flip(1) if transposed else points)
    assert inside.all()
    (grad,) = torch.autograd.grad(values.sum(), flow)
    assert grad.reshape(3, 2).tolist() == [[0.75, 0.75], [0.25, 0.25], [0, 0]]


def test_torch_operations_pass_opcheck() -> None:
    flow, points = (x.detach() for x in tensors())
    torch.library.opcheck(torch.ops.ptfast.sample_flow.default, (flow, points))
    torch.library.opcheck(torch.ops.ptfast.sample_flow_backward.default, (torch.rand(12, 2).double(), flow, points))


def test_autocast_changes_nothing() -> None:
    inputs = tensors()
    values, _ = sample_flow(*inputs)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(sample_flow(*inputs)[0], values, rtol=0, atol=0)


def test_compiles_into_one_graph_with_its_gradients() -> None:
    inputs = tensors()
    look_up = lambda flow, points: sample_flow(flow, points)[0].square().sum()  # noqa: E731
    compiled = torch.compile(look_up, fullgraph=True, dynamic=True, backend="aot_eager")
    grads = torch.autograd.grad(compiled(*inputs), inputs)
    torch.testing.assert_close(grads, torch.autograd.grad(look_up(*inputs), inputs), rtol=0, atol=0)
