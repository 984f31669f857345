"""crop_tubes' CUDA kernels, beside the CPU's path and the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import crop_tubes
from ptfast.reference import crop as reference

COLOURS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
BLACK = torch.tensor([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
# An output is a sum of five products of at most 4.5, each rounded.
TOLERANCE = {torch.uint8: 3e-6, torch.float32: 3e-6, torch.float64: 1e-13}


def inputs(m: int, t: int, frame: tuple[int, int, int], dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Frames, boxes inside them, over their edges and outside, from small to larger than a frame, and indices."""
    random = np.random.default_rng([m, t, *frame])
    frames = torch.as_tensor(random.integers(0, 256, (*frame, 3)), dtype=dtype)
    centre = random.uniform(-0.2, 1.2, (m, t, 2)) * frame[:0:-1]
    half = 10 ** random.uniform(-1, 0.2, (m, t, 2)) * frame[:0:-1] / 2
    real = torch.float64 if dtype == torch.float64 else torch.float32
    tubes = torch.as_tensor(np.concatenate([centre - half, centre + half], -1), dtype=real)
    return frames, tubes, torch.as_tensor(random.integers(0, frame[0], (m, t)))


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("m", "t", "frame", "size"),
    [
        (0, 2, (2, 5, 7), (4, 3)),
        (5, 1, (1, 1, 1), (5, 3)),
        (5, 1, (2, 1, 2), (1, 1)),
        (5, 2, (3, 37, 53), (41, 37)),  # 1517 pixels are over a block's 1024
    ],
)
def test_equals_reference(cuda, m: int, t: int, frame: tuple, size: tuple, dtype: torch.dtype, unbiased: bool) -> None:
    arrays = inputs(m, t, frame, dtype)
    options = {"size": size, "unbiased": unbiased, **COLOURS}
    result = crop_tubes(*map(cuda, arrays), **options)
    assert result.is_contiguous()
    expected = reference.crop_tubes(*(x.numpy() for x in arrays), **options)
    np.testing.assert_allclose(result.cpu(), expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("index", [-1, 2, -(2**62), 2**62])
def test_an_index_that_names_no_frame_is_black_and_has_no_gradient(cuda, index: int) -> None:
    frames, tubes, indices = inputs(2, 2, (2, 9, 11), torch.float32)
    frames, tubes = cuda(frames).requires_grad_(), cuda(tubes)
    whole = crop_tubes(frames, tubes, cuda(indices.clone()), size=(4, 3), **COLOURS)
    indices[0, 1] = index
    result = crop_tubes(frames, tubes, cuda(indices), size=(4, 3), **COLOURS)
    torch.testing.assert_close(result[0, :, 1].cpu(), BLACK[:, None, None].expand(3, 4, 3))
    shown = torch.ones_like(whole)
    shown[0, :, 1] = 0
    torch.testing.assert_close(result * shown, whole * shown, rtol=0, atol=0)
    grads = [torch.autograd.grad(x, frames) for x in (result.sum(), (whole * shown).sum())]
    torch.testing.assert_close(*grads, rtol=0, atol=0)


@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (5, 9, 9, 5), (np.nan, 1, 5, 5), (1, 1, np.inf, 5), (1e30, 0, 2e30, 10), (-9, 2, -1, 8)]
)
def test_a_box_that_shows_nothing_is_black(cuda, box: tuple) -> None:
    frames = cuda(torch.full((1, 10, 12, 3), 200, dtype=torch.uint8))
    result = crop_tubes(frames, cuda(torch.tensor([[box]])), cuda(torch.tensor([[0]])), size=(4, 3), **COLOURS)
    torch.testing.assert_close(result[0, :, 0].cpu(), BLACK[:, None, None].expand(3, 4, 3))


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize(
    ("m", "t", "frame", "size"),
    [(0, 2, (2, 5, 7), (4, 3)), (3, 1, (1, 1, 1), (5, 3)), (5, 2, (3, 17, 23), (29, 1)), (5, 2, (3, 17, 23), (7, 31))],
)
def test_gradients_equal_those_on_the_cpu(cuda, m: int, t: int, frame: tuple, size: tuple, unbiased: bool) -> None:
    arrays = inputs(m, t, frame, torch.float64)
    weights = torch.rand(m, 3, t, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def gradient(move) -> Tensor:
        frames, tubes, index = (move(x) for x in arrays)
        frames = frames.clone().requires_grad_()
        crops = crop_tubes(frames, tubes, index, size=size, unbiased=unbiased, **COLOURS)
        return torch.autograd.grad((crops * move(weights)).sum(), frames)[0].cpu()

    with cuda.aside():
        expected = gradient(lambda tensor: tensor)
    torch.testing.assert_close(gradient(cuda), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str) -> None:
    arrays = inputs(5, 2, (3, 37, 53), torch.uint8)
    first = crop_tubes(*arrays, size=(41, 37), **COLOURS)
    emulated_cuda.control.set_order(order, 1)
    torch.testing.assert_close(crop_tubes(*arrays, size=(41, 37), **COLOURS), first, rtol=0, atol=0)


@pytest.mark.cuda
def test_the_gradient_is_the_same_bits_every_time_and_in_a_graph() -> None:
    frames, tubes, index = (x.cuda() for x in inputs(40, 3, (4, 90, 120), torch.float32))
    grad = torch.rand(40, 3, 3, 64, 48, device="cuda")

    def both() -> tuple[Tensor, Tensor]:
        options = ([*COLOURS["mean"], *COLOURS["std"]], False)
        crops = torch.ops.ptfast.crop_tubes(frames, tubes, index, 64, 48, *options)
        return crops, torch.ops.ptfast.crop_tubes_backward(grad, tubes, index, list(frames.shape[:3]), *options)

    expected = both()
    torch.testing.assert_close(both(), expected, rtol=0, atol=0)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = both()
    graph.replay()
    torch.testing.assert_close(captured, expected, rtol=0, atol=0)
