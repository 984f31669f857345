# The compiled extension, which ptfast/_native.py alone imports. `make stub` writes this file, tests/test_stubs.py
# compares it with the built extension. Functions with `_cuda_` or `cuda_` in their names exist where with_cuda is True.
from collections.abc import Sequence
from typing import Annotated, Any

class LinkOptions:
    def __init__(
        self,
        *,
        cost: str,
        greedy: bool,
        velocity: bool,
        lookback: int,
        horizon: int,
        max_cost: float,
        joints: int,
        sigmas: Sequence[float],
        max_tracks: int,
    ) -> None: ...

class OnlineLinker:
    def __init__(self, options: LinkOptions, function: Any, first_id: int) -> None: ...
    def lost_tracks(self) -> list[int]: ...
    def next_id(self) -> int: ...
    def pairs(self) -> int: ...
    def update(self, columns: Annotated[Sequence[int], "FixedSize(5)"], count: int, ids: int) -> None: ...

def address(array: Any) -> int: ...
def all_finite_cpu_float32(values: int, n: int) -> bool: ...
def assign_cpu_float32(
    costs: Any, sizes: Annotated[Sequence[int], "FixedSize(3)"], max_cost: float, greedy: bool, column_of_row: Any
) -> int: ...
def assign_cuda_float32(
    costs: int,
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    max_cost: float,
    greedy: bool,
    column_of_row: int,
    device: int,
    stream: int,
) -> int: ...
def assign_ragged_cpu_float32(
    costs: Any, rows: Any, columns: Any, max_cost: float, greedy: bool, column_of_row: Any
) -> int: ...
def clear_match_cpu(
    inputs: Annotated[Sequence[Any], "FixedSize(10)"], k: int, outputs: Annotated[Sequence[Any], "FixedSize(4)"]
) -> None: ...
def count_rows(rows: Any, columns: Any, costs: int) -> int: ...
def crop_tubes_backward_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(5)"],
    sizes: Annotated[Sequence[int], "FixedSize(7)"],
    colours: Annotated[Sequence[float], "FixedSize(6)"],
    unbiased: bool,
    grad_frames: int,
) -> None: ...
def crop_tubes_backward_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(5)"],
    sizes: Annotated[Sequence[int], "FixedSize(7)"],
    colours: Annotated[Sequence[float], "FixedSize(6)"],
    unbiased: bool,
    grad_frames: int,
    device: int,
    stream: int,
) -> int: ...
def crop_tubes_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(7)"],
    colours: Annotated[Sequence[float], "FixedSize(6)"],
    unbiased: bool,
    out: int,
) -> None: ...
def crop_tubes_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(7)"],
    colours: Annotated[Sequence[float], "FixedSize(6)"],
    unbiased: bool,
    out: int,
    device: int,
    stream: int,
) -> int: ...
def cuda_driver_version() -> int: ...
def cuda_error(status: int) -> str: ...
def cuda_runtime_version() -> int: ...
def find_predecessors_cuda_float32(
    columns: Annotated[Sequence[int], "FixedSize(5)"],
    frame_offsets: int,
    sigmas: int,
    joints_seen: int,
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    cost: str,
    greedy: bool,
    lookback: int,
    max_cost: float,
    predecessor: int,
    has_successor: int,
    device: int,
    stream: int,
) -> int: ...
def flip_average_cpu_bfloat16(
    inputs: Annotated[Sequence[int], "FixedSize(2)"],
    partners: Sequence[int],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    shift: bool,
    out: int,
) -> None: ...
def flip_average_cuda_bfloat16(
    inputs: Annotated[Sequence[int], "FixedSize(2)"],
    partners: Sequence[int],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    shift: bool,
    out: int,
    device: int,
    stream: int,
) -> int: ...
def hand_down_ids(frame_offsets: Any, max_tracks: int, ids: Any) -> None: ...
def heatmap_peaks_cpu_bfloat16(
    inputs: Annotated[Sequence[int], "FixedSize(2)"],
    partners: Sequence[int],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    shift: bool,
    refine: int,
    blur_kernel: int,
    coordinates: int,
    scores: int,
) -> None: ...
def heatmap_peaks_cuda_bfloat16(
    inputs: Annotated[Sequence[int], "FixedSize(2)"],
    partners: Sequence[int],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    shift: bool,
    refine: int,
    blur_kernel: int,
    coordinates: int,
    scores: int,
    device: int,
    stream: int,
) -> int: ...
def iou_matrix_cpu_float32(a: int, b: int, batch: int, n: int, m: int, out: int) -> None: ...
def iou_matrix_cuda_float32(a: int, b: int, batch: int, n: int, m: int, out: int, device: int, stream: int) -> int: ...
def link_video(
    columns: Annotated[Sequence[int], "FixedSize(5)"], frame_offsets: Any, options: LinkOptions, function: Any, ids: Any
) -> int: ...
def num_threads() -> int: ...
def oks_matrix_backward_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(8)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    grad_a: int,
    grad_b: int,
) -> None: ...
def oks_matrix_backward_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(8)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    grad_a: int,
    grad_b: int,
    device: int,
    stream: int,
) -> int: ...
def oks_matrix_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(7)"], sizes: Annotated[Sequence[int], "FixedSize(4)"], out: int
) -> None: ...
def oks_matrix_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(7)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    out: int,
    device: int,
    stream: int,
) -> int: ...
def oks_nms_cpu_float32(
    poses: Annotated[Sequence[int], "FixedSize(4)"], n: int, k: int, threshold: float, kept: int
) -> int: ...
def oks_nms_cuda_float32(
    poses: Annotated[Sequence[int], "FixedSize(4)"],
    order: int,
    n: int,
    k: int,
    threshold: float,
    outputs: Annotated[Sequence[int], "FixedSize(3)"],
    device: int,
    stream: int,
) -> int: ...
def pckh_matrix_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(5)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    threshold: float,
    out: int,
) -> None: ...
def pckh_matrix_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(5)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    threshold: float,
    out: int,
    device: int,
    stream: int,
) -> int: ...
def probe_exp(count: int) -> float: ...
def rank_scores_cpu(scores: Any, offsets: Any, order: Any) -> None: ...
def sample_flow_backward_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    outputs: Annotated[Sequence[int], "FixedSize(3)"],
) -> None: ...
def sample_flow_backward_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    outputs: Annotated[Sequence[int], "FixedSize(3)"],
    device: int,
    stream: int,
) -> int: ...
def sample_flow_cpu_float32(
    flow: int, points: int, sizes: Annotated[Sequence[int], "FixedSize(3)"], values: int, inside: int
) -> None: ...
def sample_flow_cuda_float32(
    flow: int,
    points: int,
    sizes: Annotated[Sequence[int], "FixedSize(3)"],
    values: int,
    inside: int,
    device: int,
    stream: int,
) -> int: ...
def set_num_threads(count: int) -> None: ...
def soft_oks_nms_cpu_float32(
    poses: Annotated[Sequence[int], "FixedSize(4)"],
    n: int,
    k: int,
    count: int,
    threshold: float,
    kept: int,
    rescored: int,
) -> None: ...
def soft_oks_nms_cuda_float32(
    poses: Annotated[Sequence[int], "FixedSize(4)"],
    n: int,
    k: int,
    count: int,
    threshold: float,
    left: int,
    kept: int,
    rescored: int,
    device: int,
    stream: int,
) -> int: ...
def tube_iou_matrix_cpu_float32(
    inputs: Annotated[Sequence[int], "FixedSize(4)"], sizes: Annotated[Sequence[int], "FixedSize(4)"], out: int
) -> None: ...
def tube_iou_matrix_cuda_float32(
    inputs: Annotated[Sequence[int], "FixedSize(4)"],
    sizes: Annotated[Sequence[int], "FixedSize(4)"],
    out: int,
    device: int,
    stream: int,
) -> int: ...
def tube_nms_cpu_float32(tubes: int, scores: int, n: int, t: int, threshold: float, kept: int) -> int: ...
def tube_nms_cuda_float32(
    tubes: int,
    scores: int,
    order: int,
    n: int,
    t: int,
    threshold: float,
    outputs: Annotated[Sequence[int], "FixedSize(3)"],
    device: int,
    stream: int,
) -> int: ...
def tube_roi_align_backward_cpu_bfloat16(
    grad_out: tuple[int, Annotated[Sequence[int], "FixedSize(5)"]],
    tubes: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(6)"],
    sampling_ratio: int,
    aligned: bool,
    grads: Sequence[tuple[int, Annotated[Sequence[int], "FixedSize(5)"], int, int, float]],
) -> None: ...
def tube_roi_align_backward_cuda_bfloat16(
    grad_out: tuple[int, Annotated[Sequence[int], "FixedSize(5)"]],
    tubes: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(6)"],
    sampling_ratio: int,
    aligned: bool,
    grads: Sequence[tuple[int, Annotated[Sequence[int], "FixedSize(5)"], int, int, float]],
    device: int,
    stream: int,
) -> int: ...
def tube_roi_align_cpu_bfloat16(
    levels: Sequence[tuple[int, Annotated[Sequence[int], "FixedSize(5)"], int, int, float]],
    tubes: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(6)"],
    sampling_ratio: int,
    aligned: bool,
    out: tuple[int, Annotated[Sequence[int], "FixedSize(5)"]],
) -> None: ...
def tube_roi_align_cuda_bfloat16(
    levels: Sequence[tuple[int, Annotated[Sequence[int], "FixedSize(5)"], int, int, float]],
    tubes: Annotated[Sequence[int], "FixedSize(3)"],
    sizes: Annotated[Sequence[int], "FixedSize(6)"],
    sampling_ratio: int,
    aligned: bool,
    out: tuple[int, Annotated[Sequence[int], "FixedSize(5)"]],
    device: int,
    stream: int,
) -> int: ...

all_finite_cpu_float64 = all_finite_cpu_float32
assign_cpu_float64 = assign_cpu_float32
assign_cuda_float64 = assign_cuda_float32
assign_ragged_cpu_float64 = assign_ragged_cpu_float32
crop_tubes_backward_cpu_float64 = crop_tubes_backward_cpu_float32
crop_tubes_backward_cuda_float64 = crop_tubes_backward_cuda_float32
crop_tubes_cpu_float64 = crop_tubes_cpu_float32
crop_tubes_cpu_uint8 = crop_tubes_cpu_float32
crop_tubes_cuda_float64 = crop_tubes_cuda_float32
crop_tubes_cuda_uint8 = crop_tubes_cuda_float32
flip_average_cpu_float16 = flip_average_cpu_bfloat16
flip_average_cpu_float32 = flip_average_cpu_bfloat16
flip_average_cpu_float64 = flip_average_cpu_bfloat16
flip_average_cuda_float16 = flip_average_cuda_bfloat16
flip_average_cuda_float32 = flip_average_cuda_bfloat16
flip_average_cuda_float64 = flip_average_cuda_bfloat16
heatmap_peaks_cpu_float16 = heatmap_peaks_cpu_bfloat16
heatmap_peaks_cpu_float32 = heatmap_peaks_cpu_bfloat16
heatmap_peaks_cpu_float64 = heatmap_peaks_cpu_bfloat16
heatmap_peaks_cuda_float16 = heatmap_peaks_cuda_bfloat16
heatmap_peaks_cuda_float32 = heatmap_peaks_cuda_bfloat16
heatmap_peaks_cuda_float64 = heatmap_peaks_cuda_bfloat16
iou_matrix_cpu_float64 = iou_matrix_cpu_float32
iou_matrix_cuda_float64 = iou_matrix_cuda_float32
oks_matrix_backward_cpu_float64 = oks_matrix_backward_cpu_float32
oks_matrix_backward_cuda_float64 = oks_matrix_backward_cuda_float32
oks_matrix_cpu_float64 = oks_matrix_cpu_float32
oks_matrix_cuda_float64 = oks_matrix_cuda_float32
oks_nms_cpu_float64 = oks_nms_cpu_float32
oks_nms_cuda_float64 = oks_nms_cuda_float32
pckh_matrix_cpu_float64 = pckh_matrix_cpu_float32
pckh_matrix_cuda_float64 = pckh_matrix_cuda_float32
sample_flow_backward_cpu_float64 = sample_flow_backward_cpu_float32
sample_flow_backward_cuda_float64 = sample_flow_backward_cuda_float32
sample_flow_cpu_float64 = sample_flow_cpu_float32
sample_flow_cuda_float64 = sample_flow_cuda_float32
soft_oks_nms_cpu_float64 = soft_oks_nms_cpu_float32
soft_oks_nms_cuda_float64 = soft_oks_nms_cuda_float32
tube_iou_matrix_cpu_float64 = tube_iou_matrix_cpu_float32
tube_iou_matrix_cuda_float64 = tube_iou_matrix_cuda_float32
tube_nms_cpu_float64 = tube_nms_cpu_float32
tube_nms_cuda_float64 = tube_nms_cuda_float32
tube_roi_align_backward_cpu_float16 = tube_roi_align_backward_cpu_bfloat16
tube_roi_align_backward_cpu_float32 = tube_roi_align_backward_cpu_bfloat16
tube_roi_align_backward_cpu_float64 = tube_roi_align_backward_cpu_bfloat16
tube_roi_align_backward_cuda_float16 = tube_roi_align_backward_cuda_bfloat16
tube_roi_align_backward_cuda_float32 = tube_roi_align_backward_cuda_bfloat16
tube_roi_align_backward_cuda_float64 = tube_roi_align_backward_cuda_bfloat16
tube_roi_align_cpu_float16 = tube_roi_align_cpu_bfloat16
tube_roi_align_cpu_float32 = tube_roi_align_cpu_bfloat16
tube_roi_align_cpu_float64 = tube_roi_align_cpu_bfloat16
tube_roi_align_cuda_float16 = tube_roi_align_cuda_bfloat16
tube_roi_align_cuda_float32 = tube_roi_align_cuda_bfloat16
tube_roi_align_cuda_float64 = tube_roi_align_cuda_bfloat16
assign_cuda_max: int
compiler: str
cuda_archs: str
instruction_set: str
version: str
with_cuda: bool
