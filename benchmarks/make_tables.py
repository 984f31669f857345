"""Writes the tables and pictures of the README and of docs/ from benchmarks/results/*.json: `make readme-tables`."""

from __future__ import annotations

import json
from pathlib import Path

import method_plots
import method_tables

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"

# Caption, results file, name of ptfast's row, name of the row that it is compared with. Each pair ran in one session.
ROWS = [
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
        "The same, against norfair, which filters motion too",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[norfair-norfair_loop]",
    ),
    (
        "The same, against motpy, likewise",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[motpy-motpy_loop]",
    ),
    (
        "The same, against supervision's ByteTrack, likewise",
        "linking", "test_link_adjacent_frames_by_iou[1]", "test_tracker_library[supervision-supervision_loop]",
    ),
    (
        "10,000 assignments of 15 x 15, costs as in tracking, against lapx's batch",
        "assignment", "test_batches[with_ptfast-15-tracking-1]", "test_batches[with_lapjvr_batch-15-tracking-1]",
    ),
    (
        "The same, against a SciPy loop",
        "assignment", "test_batches[with_ptfast-15-tracking-1]", "test_batches[with_scipy-15-tracking-1]",
    ),
    (
        "10,000 assignments of 15 x 15, random costs, against lapx's batch",
        "assignment", "test_batches[with_ptfast-15-uniform-1]", "test_batches[with_lapjvr_batch-15-uniform-1]",
    ),
]  # fmt: skip

# Caption of rows that hold the other's time themselves, by results file and name.
HELD = {
    ("roi_align", "test_forward[T=3 64x64 100 tubes 7x7-channels_last-to-channels_last-torchvision-1]"): (
        "RoIAlign of 100 tubes of 3 frames, 7 x 7 bins, channels last, against torchvision frame by frame"
    ),
    ("roi_align", "test_forward[T=3 64x64 100 tubes 7x7-contiguous-to-contiguous-torchvision-1]"): (
        "The same with contiguous features and result"
    ),
    ("roi_align", "test_forward[T=8 100x100 1000 tubes 14x14-channels_last-to-channels_last-torchvision-1]"): (
        "RoIAlign of 1,000 tubes of 8 frames, 14 x 14 bins, channels last, against the same"
    ),
    ("roi_align", "test_backward[channels_last-1]"): "The gradient of the first of these, against torchvision's",
    ("heatmap", "test_quarter_against_hrnet[64x17x64x48-1]"): (
        "Decode 64 x 17 heatmaps of 64 x 48 with quarter offsets, against HRNet's code"
    ),
    ("heatmap", "test_against_numpy[taylor-1]"): "The same by DARK's Taylor expansion, against OpenCV and NumPy",
    ("nms", "test_boxes_against_torchvision[1]"): "Non-maximum suppression of 1,000 boxes, against torchvision",
    ("nms", "test_poses_against_hrnet[1000-1]"): "The same of 1,000 poses by OKS, against HRNet's code",
    ("mean_shift", "test_mean_shift[hypotheses-150000-9-False-3000-1]"): (
        "Mean shift of 150,000 sets of 9 points, against scikit-learn"
    ),
    ("mean_shift", "test_mean_shift[crowded-2000-200-True-500-1]"): (
        "Mean shift of 2,000 sets of 200 points, against scikit-learn's bin-seeded mode"
    ),
    ("shortest_path", "test_cheapest_path[viterbi-10]"): (
        "The cheapest path through 10,000 frames of 3 clusters, against SciPy's Dijkstra and the making of its graph"
    ),
    ("joining", "test_against_numpy_and_scipy[1]"): (
        "Join the tracklets of 300 key frames of 20 people, against NumPy and SciPy"
    ),
    ("evaluation", "test_against_the_official_evaluator[18]"): (
        "Read and score 5 sequences (2018 form, with orjson), against poseval, two threads"
    ),
    ("evaluation", "test_against_the_official_evaluator[17]"): "The same with the 2017 form",
    ("evaluation", "test_against_motmetrics"): "CLEAR MOT counts, against motmetrics on the same accumulators",
    ("dropin_pycocotools", "test_evaluation[keypoints, 5000 images-pycocotools]"): (
        "COCOeval of the keypoints of 5,000 images that are loaded, against pycocotools"
    ),
    ("dropin_pycocotools", "test_evaluation[keypoints, 5000 images, loading included-pycocotools]"): (
        "The same with pycocotools' own loading on both sides"
    ),
    ("dropin_torchvision", "test_roi_align[256 channels of 64x64, 1000 boxes, 7x7-1]"): (
        "torchvision's roi_align of 1,000 boxes, 7 x 7 bins, by its own signature"
    ),
}

EVEN = 0.95  # times as fast from which two libraries count as even


def main() -> None:
    """Rewrites what stands between the marks."""
    files = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
    write_between(ROOT / "README.md", "benchmarks", table(files))
    method_plots.comparisons(comparisons(files), ROOT / "docs" / "benchmarks.png")
    write_between(ROOT / "docs" / "detect-and-track.md", "detect-and-track", method_tables.detect_and_track(files))
    write_between(ROOT / "docs" / "clip-tracking.md", "clip-tracking", method_tables.clip_tracking(files))
    rows = files["linear_time"]["rows"]
    write_between(ROOT / "docs" / "long-videos.md", "long-videos", method_tables.long_videos(rows))
    method_plots.long_videos(rows, ROOT / "docs" / "long-videos.png")


def write_between(path: Path, name: str, text: str) -> None:
    """Rewrites the part of a file between two marks of that name."""
    start, end = f"<!-- {name}: written by benchmarks/make_tables.py -->\n", f"<!-- end of {name} -->"
    before, found, rest = path.read_text().partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path}: expected the marks of {name}, found none")
    path.write_text(before + start + text.rstrip() + "\n" + end + after)
    print(f"written to {path}")


def comparisons(files: dict[str, dict]) -> list[tuple[str, float, float]]:
    """Caption, seconds of ptfast and seconds of the other, a line each."""
    found = []
    for caption, file, ours, theirs in ROWS:
        medians = {row["name"]: row["median_s"] for row in files[file]["rows"]}
        if theirs in medians:
            found.append((caption, medians[ours], medians[theirs]))
    for (file, name), caption in HELD.items():
        row = next((row for row in files[file]["rows"] if row["name"] == name and "peer_seconds" in row), None)
        if row:
            found.append((caption, row["median_s"], row["peer_seconds"]))
    return found


def table(files: dict[str, dict]) -> str:
    """Markdown: the machine, then one line a comparison."""
    lines = ["| One thread | ptfast | the other | times as fast |", "|---|---:|---:|---:|"]
    for caption, ours, theirs in comparisons(files):
        lines.append(f"| {caption} | {_time(ours)} | {_time(theirs)} | {theirs / ours:.{int(theirs < 10 * ours)}f} |")
    parts = [_machine(files), "\n".join(lines), losses(files), quality(files["linking_quality"]["rows"][0])]
    return "\n\n".join([*parts, gpu_tables(files)]) + "\n"


def losses(files: dict[str, dict]) -> str:
    """Markdown: in which groups of all benchmarks another library is faster than ptfast."""
    worse = []
    for file in files.values():
        rows = [row for row in file.get("rows", []) if "median_s" in row]
        for row in rows:
            label = row.get("group") or row["name"].removeprefix("test_")
            rivals = [r for r in rows if r.get("group") == row.get("group") and _without_peer(r) == _without_peer(row)]
            fastest = min(rivals, key=lambda rival: rival["median_s"])
            if "ptfast" in row["name"] and "ptfast" not in fastest["name"]:
                worse.append(f"{label} ({_peer(fastest)}, {row['median_s'] / fastest['median_s']:.1f} times)")
            if row.get("times_as_fast", 1) < EVEN:
                worse.append(f"{label} ({row.get('peer', 'the other')}, {1 / row['times_as_fast']:.1f} times)")
    if not worse:
        return "In no group of the benchmarks is another library the faster one."
    return "Where another library is faster: " + "; ".join(dict.fromkeys(worse)) + "."


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


def _machine(files: dict[str, dict]) -> str:
    used = [files[name] for name in sorted({row[1] for row in ROWS})]
    newest = max(used, key=lambda file: file["date"])
    names = (
        "ptfast", "numpy", "scipy", "torch", "torchvision", "opencv-python", "ultralytics", "pycocotools", "lapx",
        "norfair", "motpy", "supervision",
    )  # fmt: skip
    versions = {name: found for file in used for name, found in file["versions"].items() if name in names}
    return (
        f"Medians on {newest['processor']} ({newest['instruction_set']}), {newest['date']}, "
        f"Python {newest['python']}, "
        + ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
        + ". `make bench` measures them again; both times of a line come "
        "from one run, and the results are compared before they are timed."
    )


def _time(seconds: float) -> str:
    for limit, unit, factor in ((1e-3, "us", 1e6), (1, "ms", 1e3)):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    main()
