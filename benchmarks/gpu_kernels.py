"""The kernels that gpu_check.py times: what each is given, what it moves, and who else can do it.

Every case gives a Call: ours, its peers by name, and the bytes that must at least be read and written, each once.
Exponentials bound OKS instead.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast import Poses, link
from ptfast.ops import assign, crop_tubes, heatmap_peaks, iou_matrix, nms, oks_matrix, tube_roi_align
from ptfast.synthetic import crowd

DEVICE = "cuda"
STRIDE = 8


def close(ours: Any, theirs: Any) -> None:
    """The default agreement: the terms are the same, their order and rounding are not."""
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


@dataclass(frozen=True)
class Call:
    """A timed call with the calls and bounds that it is compared with."""

    ours: Callable[[], Any]
    peers: dict[str, Callable[[], Any]] = field(default_factory=dict)
    moved: float = 0.0  # bytes
    exponentials: float = 0.0
    agree: Callable[[Any, Any], None] = close
    host: bool = False  # whether the host takes part, so that whole calls are timed
    host_peers: bool = False  # the same of peers alone


def seconds_of(function: Callable[[], Any], host: bool) -> float:
    """Median seconds of a call: of a captured graph of ten, so that the host's part does not count, or of all of it."""
    function()
    torch.cuda.synchronize()
    if host:
        return statistics.median(wall_seconds(function) for _ in range(9))
    graph, calls = torch.cuda.CUDAGraph(), 10
    with torch.cuda.graph(graph):
        for _ in range(calls):
            function()
    return statistics.median(event_seconds(graph.replay) / calls for _ in range(15))


def wall_seconds(function: Callable[[], Any]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def event_seconds(function: Callable[[], Any]) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3


def copy_bandwidth() -> float:
    """Bytes read and written a second by a copy of 1 GiB."""
    source = torch.ones(1 << 28, device=DEVICE)
    target = torch.empty_like(source)
    return 2 * source.nbytes / statistics.median(event_seconds(lambda: target.copy_(source)) for _ in range(15))


def exponential_rate() -> float:
    """Exponentials a second: 16 a clock on each multiprocessor; infinite where torch does not tell the clock."""
    properties = torch.cuda.get_device_properties(0)
    clock = 1e3 * getattr(properties, "clock_rate", 0)
    return 16 * properties.multi_processor_count * clock or float("inf")


def run_case(name: str, case: Callable[[], Call], bandwidth: float) -> dict:
    """One row of the results; peers that do not run are named with their error."""
    call = case()
    ours = seconds_of(call.ours, call.host)
    bound = max(call.moved / bandwidth, call.exponentials / exponential_rate())
    peers, absent = {}, {}
    for peer, theirs in call.peers.items():
        try:
            result = theirs()
        except (ImportError, RuntimeError) as error:  # not installed, or too large for it
            absent[peer] = str(error).splitlines()[0]
            continue
        call.agree(call.ours(), result)
        del result
        seconds = seconds_of(theirs, call.host or call.host_peers)
        peers[peer] = {"seconds": seconds, "times_as_fast": seconds / ours}
    share = bound / ours if bound else None
    return {"name": name, "seconds": ours, "bound_s": bound or None, "bound_share": share,
            "peers": peers, "absent": absent}  # fmt: skip


def tubes_of(count: int, frames: int, side: int) -> Tensor:
    """(M, T, 4) people who take 15 to 60 % of the frame's height."""
    generator = torch.Generator().manual_seed(0)
    image = side * STRIDE
    height = image * (0.15 + 0.45 * torch.rand(count, 1, 1, generator=generator))
    half = torch.cat([height * (0.3 + 0.3 * torch.rand(count, 1, 1, generator=generator)), height], -1) / 2
    centre = (
        image * torch.rand(count, 1, 2, generator=generator) + torch.randn(count, frames, 2, generator=generator) * 4
    )
    return torch.cat([centre - half, centre + half], -1).to(DEVICE)


def boxes_in_frames(tubes: Tensor, dtype: torch.dtype) -> Tensor:
    """(T * M, 5) as torchvision takes them: the frame, then the box."""
    frame = torch.arange(tubes.shape[1], device=DEVICE).view(-1, 1, 1).expand(-1, len(tubes), 1)
    return torch.cat([frame, tubes.transpose(0, 1)], -1).flatten(0, 1).to(dtype)


def torchvision_pool(features: Tensor, rois: Tensor, bins: int) -> Tensor:
    """(M, C, T, R, R) of features (T, C, H, W), all frames in one call."""
    from torchvision.ops import roi_align

    pooled = roi_align(features, rois, bins, 1 / STRIDE, 2)
    return pooled.unflatten(0, (len(features), -1)).permute(1, 2, 0, 3, 4)


def torchvision_pool_looped(features: Tensor, rois: Tensor, bins: int) -> Tensor:
    """The same, a call for each frame."""
    from torchvision.ops import roi_align

    per_frame = rois.unflatten(0, (len(features), -1)).clone()
    per_frame[..., 0] = 0
    frames = zip(features.split(1), per_frame, strict=True)
    return torch.stack([roi_align(x, boxes, bins, 1 / STRIDE, 2) for x, boxes in frames], 2)


def roi_align(frames: int, side: int, count: int, bins: int, dtype: torch.dtype) -> Call:
    features = torch.randn(1, 256, frames, side, side, device=DEVICE, dtype=dtype)
    laid_out, images = (
        features.contiguous(memory_format=torch.channels_last_3d),
        features[0].transpose(0, 1).contiguous(),
    )
    tubes, index = tubes_of(count, frames, side), torch.zeros(count, dtype=torch.int64, device=DEVICE)
    rois = boxes_in_frames(tubes, dtype)
    tolerance = 1e-3 if dtype == torch.float32 else 0.3  # torchvision's boxes and sums are half precision too

    def agree(ours: Tensor, theirs: Tensor) -> None:
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)

    return Call(
        lambda: tube_roi_align(laid_out, tubes, index, output_size=bins, spatial_scale=1 / STRIDE),
        {
            "torchvision over all frames": lambda: torchvision_pool(images, rois, bins),
            "torchvision frame by frame": lambda: torchvision_pool_looped(images, rois, bins),
        },
        moved=features.element_size() * (features.numel() + count * frames * 256 * bins**2),
        agree=agree,
    )


def backward_of(pool: Callable[[Tensor], Tensor], features: Tensor) -> Callable[[], Tensor]:
    """The backward pass alone, of a result and an incoming gradient made beforehand."""
    features = features.detach().requires_grad_()
    result = pool(features)
    incoming = torch.ones_like(result)
    return lambda: torch.autograd.grad(result, features, incoming, retain_graph=True)[0]


def roi_align_backward(frames: int, side: int, count: int, bins: int) -> Call:
    features = torch.randn(1, 256, frames, side, side, device=DEVICE)
    laid_out, images = (
        features.contiguous(memory_format=torch.channels_last_3d),
        features[0].transpose(0, 1).contiguous(),
    )
    tubes, index = tubes_of(count, frames, side), torch.zeros(count, dtype=torch.int64, device=DEVICE)
    rois = boxes_in_frames(tubes, torch.float32)
    return Call(
        backward_of(lambda x: tube_roi_align(x, tubes, index, output_size=bins, spatial_scale=1 / STRIDE), laid_out),
        {"torchvision over all frames": lambda: backward_of(lambda x: torchvision_pool(x, rois, bins), images)()},
        moved=4 * (features.numel() + count * frames * 256 * bins**2),
        agree=lambda ours, theirs: close(ours[0].transpose(0, 1), theirs),
        host=True,
    )


def heatmaps(batch: int, height: int, width: int, refine: str) -> Call:
    maps = torch.rand(batch, 17, height, width, device=DEVICE)

    def agree(ours: tuple[Tensor, Tensor], theirs: Tensor) -> None:
        torch.testing.assert_close(ours[1], theirs)

    return Call(
        lambda: heatmap_peaks(maps, refine=refine),
        {"torch's max and argmax, not refined": lambda: maps.flatten(2).max(-1).values},
        moved=maps.nbytes,
        agree=agree,
    )


def oks(batch: int, count: int, joints: int) -> Call:
    place = torch.rand(batch, count, 1, 2, device=DEVICE) * 1000
    a = place + torch.rand(batch, count, joints, 2, device=DEVICE) * 80
    area, sigmas = torch.rand(batch, count, device=DEVICE) * 1e4 + 5e3, torch.full((joints,), 0.07, device=DEVICE)

    def broadcasting() -> Tensor:
        squared = (a[:, :, None, :, 0] - a[:, None, :, :, 0]).square() + (
            a[:, :, None, :, 1] - a[:, None, :, :, 1]
        ).square()
        return (-squared / (2 * (2 * sigmas) ** 2 * area[:, None, :, None])).exp().mean(-1)

    return Call(
        lambda: oks_matrix(a, a, area=area, sigmas=sigmas),
        {"broadcasting": broadcasting},
        moved=4 * (2 * a.numel() + batch * count**2),
        exponentials=batch * count**2 * joints,
    )


def ious(count: int) -> Call:
    boxes = tubes_of(count, 1, 240)[:, 0].contiguous()

    def torchvision_ious() -> Tensor:
        from torchvision.ops import box_iou

        return box_iou(boxes, boxes)

    return Call(lambda: iou_matrix(boxes, boxes), {"torchvision": torchvision_ious}, moved=4 * count**2)


def suppression(count: int) -> Call:
    boxes = tubes_of(count, 1, 240)[:, 0].contiguous()
    scores = torch.rand(count, device=DEVICE)

    def torchvision_nms() -> Tensor:
        from torchvision.ops import nms as theirs

        return theirs(boxes, scores, 0.5)

    return Call(lambda: nms(boxes, scores, 0.5), {"torchvision": torchvision_nms}, host=True)


def assignments(problems: int, size: int) -> Call:
    from scipy.optimize import linear_sum_assignment

    costs = torch.rand(problems, size, size, device=DEVICE)

    def total(columns: Tensor) -> Tensor:
        return costs.gather(2, columns[..., None]).sum((1, 2))

    def on_the_host() -> Tensor:
        found = [linear_sum_assignment(cost)[1] for cost in costs.cpu().numpy()]
        return torch.as_tensor(np.array(found), device=DEVICE)

    return Call(
        lambda: assign(costs),
        {"SciPy on the host": on_the_host},
        agree=lambda ours, theirs: close(total(ours), total(theirs)),
        host_peers=True,
    )


def crops(count: int, height: int, width: int) -> Call:
    frames = torch.randint(0, 256, (8, 1080, 1920, 3), dtype=torch.uint8, device=DEVICE)
    centre = torch.rand(count, 1, 2, device=DEVICE) * torch.tensor([1400, 600], device=DEVICE) + 250
    half = torch.tensor([width, height], device=DEVICE) * 0.9
    tubes, index = torch.cat([centre - half, centre + half], -1), torch.arange(count, device=DEVICE)[:, None] % 8
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Call(
        lambda: crop_tubes(frames, tubes, index, size=(height, width), mean=mean, std=std),
        moved=count * 3 * height * width * 4,
    )


def linking(frames: int, people: int) -> Call:
    poses = crowd(frames=frames, people=people, seed=0)
    on_device = poses.to(DEVICE)

    def agree(ours: Poses, theirs: Poses) -> None:
        assert torch.equal(ours.track_ids.cpu(), torch.as_tensor(theirs.track_ids))

    return Call(
        lambda: link(on_device, motion="none"),
        {"ptfast on the CPU": lambda: link(poses, motion="none")},
        agree=agree,
        host=True,
    )


CASES: dict[str, Callable[[], Call]] = {
    "tube_roi_align T=3 64x64, 100 tubes, 7x7": lambda: roi_align(3, 64, 100, 7, torch.float32),
    "tube_roi_align T=8 100x100, 1000 tubes, 14x14": lambda: roi_align(8, 100, 1000, 14, torch.float32),
    "the same in float16": lambda: roi_align(8, 100, 1000, 14, torch.float16),
    "its gradient in float32": lambda: roi_align_backward(8, 100, 1000, 14),
    "heatmap_peaks 4096x17x96x72, quarter": lambda: heatmaps(4096, 96, 72, "quarter"),
    "heatmap_peaks 64x17x64x48, taylor": lambda: heatmaps(64, 64, 48, "taylor"),
    "oks_matrix 10,000x10,000x17": lambda: oks(1, 10_000, 17),
    "oks_matrix 1,000 frames of 20x20x15": lambda: oks(1000, 20, 15),
    "iou_matrix 10,000x10,000": lambda: ious(10_000),
    "nms of 10,000 boxes": lambda: suppression(10_000),
    "assign 10,000 problems of 15x15": lambda: assignments(10_000, 15),
    "crop_tubes 256 crops of 256x192": lambda: crops(256, 256, 192),
    "link 100,000 frames of 20 people": lambda: linking(100_000, 20),
}
