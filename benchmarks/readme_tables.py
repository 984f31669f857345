"""The tables of the README and of docs/benchmarks.md, from benchmarks/results."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Caption, results file, ptfast's row on one thread, and the row that it is compared with, which ran in the same
# session; a row that holds the other's time itself has None. Captions name bars of a chart: each must stand alone.
ROWS: list[tuple[str, str, str, str | None]] = [
    (
        "OKS of 1,000 x 1,000 poses of 17 joints, against ultralytics' kpt_iou",
        "oks", "test_oks[with_ptfast-1000x1000x17-1]", "test_oks[with_ultralytics-1000x1000x17-1]",
    ),
    (
        "OKS of 1,000 frames of 20 x 20 poses of 15 joints, against batched torch",
        "oks", "test_oks[with_ptfast-1000 frames of 20x20x15-1]", "test_oks[with_torch-1000 frames of 20x20x15-1]",
    ),
    (
        "IoU of 1,000 x 1,000 boxes, against pycocotools",
        "boxes", "test_iou[with_ptfast-1000x1000-1]", "test_iou[with_pycocotools-1000x1000-1]",
    ),
    (
        "Non-maximum suppression of 5,000 boxes, against OpenCV",
        "nms", "test_boxes[with_ptfast-5000-1]", "test_boxes[with_opencv-5000-1]",
    ),
    (
        "Cut 64 people of 256 x 192 out of 1080p frames and normalise them, against OpenCV and NumPy",
        "crop", "test_crops[with_ptfast-256x192-1]", "test_crops[with_opencv-256x192-1]",
    ),
    (
        "Link 2,000 frames of 20 people by box overlap, against a NumPy and SciPy loop",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_numpy_and_scipy_loop",
    ),
    (
        "Link 2,000 frames of 20 people by box overlap, against norfair 2.1, which models motion too",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[norfair-norfair_loop]",
    ),
    (
        "Link 2,000 frames of 20 people by box overlap, against motpy, which models motion too",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[motpy-motpy_loop]",
    ),
    (
        "Link 2,000 frames of 20 people by box overlap, against supervision's ByteTrack, which models motion too",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[supervision-supervision_loop]",
    ),
    (
        "10,000 assignments of 15 x 15, costs as in tracking, against lapx's batch",
        "assignment", "test_batches[with_ptfast-15-tracking-1]", "test_batches[with_lapjvr_batch-15-tracking-1]",
    ),
    (
        "10,000 assignments of 15 x 15, costs as in tracking, against a SciPy loop",
        "assignment", "test_batches[with_ptfast-15-tracking-1]", "test_batches[with_scipy-15-tracking-1]",
    ),
    (
        "10,000 assignments of 15 x 15, random costs, against lapx's batch",
        "assignment", "test_batches[with_ptfast-15-uniform-1]", "test_batches[with_lapjvr_batch-15-uniform-1]",
    ),
    (
        "RoIAlign of 100 tubes of 3 frames, 7 x 7 bins, channels last, against torchvision frame by frame",
        "roi_align", "test_forward[T=3 64x64 100 tubes 7x7-channels_last-to-channels_last-torchvision-1]", None,
    ),
    (
        "RoIAlign of 100 tubes of 3 frames, 7 x 7 bins, contiguous, against torchvision frame by frame",
        "roi_align", "test_forward[T=3 64x64 100 tubes 7x7-contiguous-to-contiguous-torchvision-1]", None,
    ),
    (
        "RoIAlign of 1,000 tubes of 8 frames, 14 x 14 bins, channels last, against torchvision frame by frame",
        "roi_align", "test_forward[T=8 100x100 1000 tubes 14x14-channels_last-to-channels_last-torchvision-1]", None,
    ),
    (
        "Gradient of RoIAlign of 100 tubes of 3 frames, 7 x 7 bins, channels last, against torchvision",
        "roi_align", "test_backward[channels_last-1]", None,
    ),
    (
        "Decode 64 x 17 heatmaps of 64 x 48 with quarter offsets, against HRNet's code",
        "heatmap", "test_quarter_against_hrnet[64x17x64x48-1]", None,
    ),
    (
        "Decode 64 x 17 heatmaps of 64 x 48 by DARK's Taylor expansion, against OpenCV and NumPy",
        "heatmap", "test_against_numpy[taylor-1]", None,
    ),
    (
        "Non-maximum suppression of 1,000 boxes, against torchvision",
        "nms", "test_boxes_against_torchvision[1]", None,
    ),
    (
        "Non-maximum suppression of 1,000 poses by OKS, against HRNet's code",
        "nms", "test_poses_against_hrnet[1000-1]", None,
    ),
    (
        "Mean shift of 150,000 sets of 9 points, against scikit-learn, by a few of the sets",
        "mean_shift", "test_mean_shift[hypotheses-150000-9-False-3000-1]", None,
    ),
    (
        "Mean shift of 2,000 sets of 200 points, bin-seeded, against scikit-learn, by a few of the sets",
        "mean_shift", "test_mean_shift[crowded-2000-200-True-500-1]", None,
    ),
    (
        "The cheapest path through 10,000 frames of 3 clusters, against SciPy's Dijkstra and the making of its graph",
        "shortest_path", "test_cheapest_path[viterbi-10-1]", None,
    ),
    (
        "Join the tracklets of 300 key frames of 20 people, against NumPy and SciPy",
        "joining", "test_against_numpy_and_scipy[1]", None,
    ),
    (
        "Read and score 5 sequences (2018 form), against poseval",
        "evaluation", "test_against_the_official_evaluator[18-1]", None,
    ),
    (
        "Read and score 5 sequences (2017 form), against poseval",
        "evaluation", "test_against_the_official_evaluator[17-1]", None,
    ),
    (
        "CLEAR MOT counts, against motmetrics on the same accumulators",
        "evaluation", "test_against_motmetrics[1]", None,
    ),
    (
        "Read PoseTrack JSON of 1,000 frames of 20 people, against pycocotools' COCO",
        "files", "test_read_json", None,
    ),
    (
        "COCOeval of the keypoints of 5,000 images that are loaded, against pycocotools",
        "dropin_pycocotools", "test_evaluation[keypoints, 5000 images-pycocotools]", None,
    ),
    (
        "COCOeval of the keypoints of 5,000 images from their files, against pycocotools",
        "dropin_pycocotools", "test_evaluation[keypoints, 5000 images, loading included-pycocotools]", None,
    ),
    (
        "torchvision's roi_align of 1,000 boxes, 7 x 7 bins, by its own signature",
        "dropin_torchvision", "test_roi_align[256 channels of 64x64, 1000 boxes, 7x7-1]", None,
    ),
]  # fmt: skip

HIGHLIGHTS = (  # captions of the rows that the README shows
    "OKS of 1,000 x 1,000 poses of 17 joints, against ultralytics' kpt_iou",
    "RoIAlign of 100 tubes of 3 frames, 7 x 7 bins, channels last, against torchvision frame by frame",
    "Decode 64 x 17 heatmaps of 64 x 48 with quarter offsets, against HRNet's code",
    "10,000 assignments of 15 x 15, costs as in tracking, against lapx's batch",
    "Link 2,000 frames of 20 people by box overlap, against a NumPy and SciPy loop",
    "Mean shift of 150,000 sets of 9 points, against scikit-learn, by a few of the sets",
    "The cheapest path through 10,000 frames of 3 clusters, against SciPy's Dijkstra and the making of its graph",
    "Read and score 5 sequences (2018 form), against poseval",
    "COCOeval of the keypoints of 5,000 images that are loaded, against pycocotools",
)
EVEN = 0.95  # times as fast from which two libraries count as even


@dataclass(frozen=True)
class Comparison:
    """Seconds of ptfast on one thread and on two, and of another library; the bound's share of the first."""

    caption: str
    seconds: float
    two_threads: float | None
    other: float
    bound_share: float | None


def comparisons(files: dict[str, dict]) -> list[Comparison]:
    """Those of ROWS that were measured."""
    found = []
    for caption, file, ours, theirs in ROWS:
        rows = {row["name"]: row for row in files[file]["rows"]}
        row = rows.get(ours, {})
        other = rows[theirs]["median_s"] if theirs in rows else row.get("peer_seconds")
        if not row or other is None:
            continue
        second = rows.get(re.sub(r"(?<=[\[-])1\]$", "2]", ours)) if ours.endswith("1]") else None
        two = second["median_s"] if second else None
        found.append(Comparison(caption, row["median_s"], two, other, row.get("roofline_share")))
    return found


def highlights(files: dict[str, dict]) -> str:
    """Markdown: the few comparisons of the README, with the machine in one sentence."""
    rows = [row for row in comparisons(files) if row.caption in HIGHLIGHTS]
    return f"{table(rows)}\n\nMedians on {place(files)}, one thread unless a column says otherwise."


def place(files: dict[str, dict]) -> str:
    """The processor that the rows were measured on, and the days."""
    used = [files[name] for name in sorted({row[1] for row in ROWS})]
    days = sorted({file["date"] for file in used})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"{used[0]['processor']} ({used[0]['instruction_set']}), {when}"


def benchmarks(files: dict[str, dict]) -> str:
    """Markdown: plot, machine, comparisons, where others win, quality, GPUs."""
    plot = "![How many times as fast as other libraries](benchmarks.png)"
    quality_rows = files["linking_quality"]["rows"][0]
    return "\n\n".join(
        [plot, machine(files), table(comparisons(files)), losses(files), quality(quality_rows), gpu_tables(files)]
    )


def table(rows: list[Comparison]) -> str:
    """Markdown: one line a comparison."""
    lines = ["| | ptfast | 2 threads | the other | times as fast | of the bound |", "|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        two = _time(row.two_threads) if row.two_threads else ""
        share = f"{100 * row.bound_share:.0f} %" if row.bound_share and row.bound_share > 0.005 else ""
        ratio = f"{row.other / row.seconds:,.{int(row.other < 10 * row.seconds)}f}"
        lines.append(f"| {row.caption} | {_time(row.seconds)} | {two} | {_time(row.other)} | {ratio} | {share} |")
    return "\n".join(lines)


def losses(files: dict[str, dict]) -> str:
    """Markdown: groups of all benchmarks in which another library is faster than ptfast."""
    worse = {}
    for file in files.values():
        rows = [row for row in file.get("rows", []) if "median_s" in row]
        for row in rows:
            label = row.get("group") or row["name"].removeprefix("test_")
            rivals = [r for r in rows if r.get("group") == row.get("group") and _without_peer(r) == _without_peer(row)]
            fastest = min(rivals, key=lambda rival: rival["median_s"])
            if "ptfast" in row["name"] and "ptfast" not in fastest["name"]:
                worse[label, _peer(fastest)] = row["median_s"], fastest["median_s"]
            if row.get("times_as_fast", 1) < EVEN:
                worse[label, row.get("peer", "the other")] = row["median_s"], row["peer_seconds"]
    if not worse:
        return "In no group of the benchmarks is another library the faster one."
    lines = ["| Where another library is faster | which | ptfast | the other |", "|---|---|---:|---:|"]
    lines += [f"| {label} | {peer} | {_time(a)} | {_time(b)} |" for (label, peer), (a, b) in worse.items()]
    return "\n".join(lines)


def _peer(row: dict) -> str:
    """The library in a name such as test_oks[with_torch-20x20x15-1]."""
    inside = row["name"].partition("[")[2].removesuffix("]")
    return inside.removeprefix("with_").split("-")[0] or row["name"]


def _without_peer(row: dict) -> str:
    return row["name"].replace(_peer(row), "")


def gpu_tables(files: dict[str, dict]) -> str:
    """Markdown: a table for each GPU that benchmarks/gpu_check.py has measured."""
    tables = [gpu_table(file) for file in files.values() if "device" in file]
    return "\n\n".join(tables) or "CUDA kernels: not yet measured on a GPU."


def gpu_table(figures: dict) -> str:
    bandwidth = f"{figures['copy_gb_per_s']:,.0f} GB/s copied"
    lines = [f"| {figures['device']}, {figures['date']}, {bandwidth} | time | share of its bound | times as fast as |"]
    lines.append("|---|---:|---:|---|")
    for row in figures["rows"]:
        share = f"{100 * row['bound_share']:.0f} %" if row["bound_share"] else ""
        peers = ", ".join(f"{peer}: {times['times_as_fast']:.1f}" for peer, times in row["peers"].items())
        lines.append(f"| {row['name']} | {_time(row['seconds'])} | {share} | {peers} |")
    return "\n".join(lines)


def quality(figures: dict) -> str:
    """Markdown: official scores of linked detections, and wrong links on annotated poses at several frame rates."""
    lines = ["| Detections of 15 real sequences, linked | MOTA | switches |", "|---|---:|---:|"]
    lines += [f"| {row['method']} | {row['mota']:.1f} | {row['switches']:.0f} |" for row in figures["detections"]]
    rows = [row for row in figures["annotated"] if row["set"] == "somof/val"]
    strides = sorted({row["stride"] for row in rows})
    titles = " | ".join({1: "wrong links, every frame", 2: "every 2nd"}.get(n, f"every {n}th") for n in strides)
    lines += ["", f"| Annotated poses of 36 fast clips, linked | {titles} |", "|---|" + "---:|" * len(strides)]
    for method in dict.fromkeys(row["method"] for row in rows):
        shares = [row["wrong_links_percent"] for row in rows if row["method"] == method]
        lines.append(f"| {method} | " + " | ".join(f"{share:.2f} %" for share in shares) + " |")
    return "\n".join(lines)


def machine(files: dict[str, dict]) -> str:
    used = [files[name] for name in sorted({row[1] for row in ROWS})]
    newest = max(used, key=lambda file: file["date"])
    names = (
        "ptfast", "numpy", "scipy", "torch", "torchvision", "opencv-python", "ultralytics", "pycocotools", "lapx",
        "faster-coco-eval", "scikit-learn", "networkx", "norfair", "motpy", "supervision", "trackers", "motmetrics",
        "msgspec", "orjson", "pyarrow", "pandas",
    )  # fmt: skip
    versions = {name: found for file in used for name, found in file["versions"].items() if name in names}
    parts = [f"Python {newest['python']}", *(f"{name} {versions[name]}" for name in names if name in versions)]
    return (
        f"Medians on {place(files)}, {', '.join(parts)}. All on "
        "one thread, unless a column says otherwise. `make bench` measures them again; both times of a line come from "
        "one run, and the results are compared before they are timed. The bound is what the bytes and operations that "
        "cannot be avoided would take at the rates of copying, arithmetic and exponentials that this machine was "
        "measured to reach."
    )


def _time(seconds: float) -> str:
    for limit, unit, factor in ((1e-3, "us", 1e6), (1, "ms", 1e3)):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"
