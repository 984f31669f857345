"""Tables of the methods' pages in docs/, from benchmarks/results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import method_plots

DOCS = Path(__file__).parents[1] / "docs"
FIGURE_5 = "clip-tracking-figure-5.png"
QUEUE_LENGTH = "simple-baselines-queue-length.png"

STUDIES = {
    "test-set": "The test set: the 20 videos of `ptfast.synthetic.load_test_set()` "
    "(`python benchmarks/study_detect_and_track.py test-set`)",
    "windows": "Dense and chunked windows, validation videos (`... windows`)",
    "initialisation": "2D against 3D, from the same 2D weights and with equal further steps (table 6 of the paper; "
    "`... initialisation`)",
    "threshold": "Threshold on detections (table 1; `... threshold`)",
    "matcher": "Hungarian against greedy (table 2; `... matcher`)",
    "cost": "What detections are compared by (table 3; `... cost`)",
    "perfect": "Upper bounds (table 4; `... perfect`)",
}

CLIP_STUDIES = {
    "test-set": "The test set (`python benchmarks/study_clip_tracking.py test-set`)",
    "components": "Linking and merging, validation videos (table 7 of the paper; `... components`)",
    "filters": "Where 3D filters are, from the same 2D weights and with equal further steps (table 8; `... filters`)",
    "recall": "Recall of people's boxes at an overlap of a half: of the detector, of the poses in its boxes, and of "
    "all poses that its boxes lead to in the frames around; a pose's box is the extent of its joints (table 9; "
    "`... recall`)",
    "length": "Clip length (figure 5a; `... length`)",
    "step": "Frames between key frames (figure 5b; `... step`)",
}

SIMPLE_BASELINES = {
    "table-5": "The test set, with a strong detector and with a weak one, which misses 30 % of the strong one's boxes "
    "(table 5 of the paper in kind; `python benchmarks/study_simple_baselines.py table-5`)",
    "table-5, clip-tracking-2d": "The same with a better pose network, the single-frame HRNet of clip tracking (`... "
    "settings table-5 --weights clip-tracking-2d`)",
    "exact-flow": "The first network's rows with the renderer's flow (`... exact-flow`)",
    "misses": "Whom propagation could bring back at most: people of the test set whom the detectors miss, and what the "
    "pose network sees of them in their true boxes (`... misses`)",
    "length": "L_Q, S_Multi-flow with propagation (`... length`)",
    "settings": "What was chosen between, on films of training seeds: the sum of the four scores decides, and "
    "within 0.25 of the best the usual settings, first of thresholds on boxes and joints, then of the other settings "
    "one after the other (`... settings`)",
    "settings, clip-tracking-2d": "The same for the better pose network",
    "cuts": "What is taken for another scene: percentage of pairs of frames that are taken for what they are not, by "
    "sparse flow and by DIS at 480 wide, on films and pictures that train and two real videos "
    "(`python benchmarks/tune_cuts.py`)",
    "still": "The NMS's threshold for real people: pictures of coco_mini train, each shown three times; AP and number "
    "of the last frame's poses, with all boxes of NanoDet and with 30 % of the last frame's missed "
    "(`python benchmarks/tune_propagation.py`)",
    "real": "PoseTrack val 470979_bonn, 41 frames of four people, with NanoDet and Thunder, beside `online` with the "
    "same networks. Every third of the detector's boxes is missed in the lower half. The official MOTA counts a frame "
    "in which nobody is found as one false pose (`... real`)",
    "time": "Time of everything but the two networks, 960x540 pixels, eight people of whom the detector misses 30 %; "
    "that of the stages is the processor's (`... time`)",
    "linear": "Ever longer videos of eight people, with a network that costs nothing: processor time and memory "
    "(`... linear`)",
    "table-2": "The pose network by itself, on validation videos with true boxes: crops, transposed convolutions, "
    "their kernels and depth (table 2 of the paper in kind, with the letters and APs of its rows; at a quarter of the "
    "width, trained from scratch for few steps). mAP is PoseTrack's, PCKh the percentage of joints within half a head "
    "size, and a crop's time that of one look, unmirrored (`python benchmarks/study_pose_resnet.py --out run/table-2`)",
}

KEYTRACK = {
    "links": "Wrong links, the percentage of people annotated in two successive frames who are not linked with "
    "themselves, on somof/val at full rate and where every second, fourth or eighth frame is kept (`python "
    "benchmarks/study_keytrack.py links --out run/keytrack`)",
    "robust": "The same where joints are off by 4 % of a person's longer side, in the standard deviation, and one in "
    "five is lost (`... robust`)",
    "detections": "Official scores of a detector's poses on posetrack/val, at link's thresholds (`... detections`)",
    "settings": "Frames looked back and the matcher, somof/val at a stride of 4 (section 5.1 of the paper; `... "
    "settings`)",
}

REAL_PEOPLE = {
    "coco": "Pictures: AP, AP50 and AR of keypoints on 79 pictures of COCO val2017, by pycocotools "
    "(`python benchmarks/study_real_people.py --part coco`)",
    "lspet": "Joints in known boxes: percentage within a fifth of the torso (PCK), people of Leeds Sports Pose "
    "Extended. Of the 14 joints that are annotated, two are the head's, which are extrapolated by the rule below; it "
    "was chosen on every second of these pictures, and the second column is of the others. The torso is the diagonal "
    "from the left shoulder to the right hip, in the last column the longer of the two. MultiPose sees the box alone, "
    "too (`... --part lspet`)",
    "posetrack": "41 frames of PoseTrack val 470979_bonn, four people who cross. People found at OKS 0.5, poses that "
    "are nobody, how often a person's id changes, and the official mAP and MOTA (`... --part posetrack`)",
    "videos": "Videos without annotations (`... --part videos`)",
}

FLOW = {
    "films": "The first films of the test set, 256x256 pixels, one frame to the next (`python benchmarks/study_flow.py "
    "--part films`)",
    "posetrack": "PoseTrack val 470979_bonn, 40 pairs of frames, four people; the truth is where annotators placed the "
    "joints (`... --part posetrack`)",
    "time": "Milliseconds a frame at 960x540 pixels with eight people, by the shorter side at which images are "
    "seen (`... --part time`)",
    "check": "How far off a joint may be after going there and back again, on films of training seeds "
    "(`... --part check`)",
    "window": "Width and height of what Lucas-Kanade compares around a joint, where its steps end, and the shorter "
    "side at which it sees images, on the same films and on a larger one",
}

HEAD_JOINTS = {
    "all of the face": "Which part of the face the line goes to. Factors are chosen on every second picture, shares of "
    "head joints within half a head size are of the others (`python benchmarks/tune_head_joints.py`)",
    "one ear absent": "The same, without the ear of the lower score",
    "score": "Which score ranks right head joints before wrong ones: AP, of the people who choose",
    "the rule": "The rule, on the people who had no part in choosing it",
}

SIZES = {
    "images": "80 images of COCO train2017 as they are, 640 pixels and less: the rule as it stands, fixed sizes, and "
    "the rule with one value changed (`python benchmarks/tune_sizes.py`)",
    "crowds": "Crowds: the same images side by side on 1920x1080 pixels, 4x3 of them and 6x5",
    "close-ups": "Close-ups: the largest person of an image, enlarged to 1920x1080 pixels at most",
    "widths": "When one more look is worth it (`ENOUGH_MORE`): crowds of 4x3 on canvases of other widths, without and "
    "with a look at the canvas's own size",
}


def detect_and_track(files: dict[str, dict]) -> str:
    """Markdown: every study that has been run, and the profile."""
    parts = tables(files.get("detect_and_track", {}), STUDIES)
    if "profile_detect_and_track" in files:
        parts.append(profile(files["profile_detect_and_track"], "windowing", "profile_detect_and_track"))
    return "\n\n".join(parts) or "Not measured yet."


def clip_tracking(files: dict[str, dict]) -> str:
    """Markdown: every study of clip tracking that has been run, and figure 5, which is drawn beside the page."""
    studies = files.get("clip_tracking", {})
    parts = tables(studies, CLIP_STUDIES)
    if method_plots.clip_tracking(studies, DOCS / FIGURE_5):
        parts.append(f"![Figure 5: mAP and MOTA against the clips' length and the step between key frames]({FIGURE_5})")
    if "merging_quality" in files:
        parts.append(merging_quality(files["merging_quality"]["rows"][0]["rows"]))
    if "profile_clip_tracking" in files:
        parts.append(profile(files["profile_clip_tracking"], "step", "profile_clip_tracking"))
    return "\n\n".join(parts) or "Not measured yet."


def simple_baselines(files: dict[str, dict]) -> str:
    """Markdown: every part of the study that has been run, and the plot of L_Q, which is drawn beside the page."""
    studies = files.get("simple_baselines", {})
    parts = tables(studies, SIMPLE_BASELINES)
    if method_plots.queue_length(studies, DOCS / QUEUE_LENGTH):
        parts.append(f"![mAP and MOTA against L_Q, for both detectors]({QUEUE_LENGTH})")
    return "\n\n".join(parts) or "Not measured yet."


def online(files: dict[str, dict]) -> str:
    """Markdown: frames a second of the online method beside others, and of each of its stages."""
    figures = files.get("profile_online")
    if figures is None:
        return "Not measured yet."
    shown = [{name: cell for name, cell in row.items() if not isinstance(cell, list)} for row in figures["rows"]]
    about = f"{figures['processor']}, {figures['threads']} threads, images of {figures['size']} pixels, "
    about += f"{figures['frames']} frames of {figures['video']}, {figures['date']}"
    return (
        f"**All by turns** (`python benchmarks/profile_online.py VIDEO`; {about})\n\n{table(shown)}\n\n"
        f"**Each stage by itself, float32**\n\n{table(figures['stages'])}"
    )


def tables(studies: dict[str, Any], titles: dict[str, str]) -> list[str]:
    """The tables of those studies that have been run, in the order of the titles."""
    return [f"**{title}**\n\n{table(studies[name]['rows'])}" for name, title in titles.items() if name in studies]


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table, numbers to the right; a row may lack some cells."""
    names = list(rows[0])
    numeric = [all(isinstance(row.get(name, 0), int | float) for row in rows) for name in names]
    lines = [_line(names), "|" + "|".join("---:" if number else "---" for number in numeric) + "|"]
    return "\n".join([*lines, *(_line([row.get(name, "") for name in names]) for row in rows)])


def _line(cells: list[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def merging_quality(rows: list[dict[str, Any]]) -> str:
    """Markdown: mean error and MOTA of each way of merging, a column for each kind of errors."""
    shown: dict[str, dict[str, Any]] = {}
    for row in rows:
        figures = f"{row['error_percent']:.1f} %, {row['mota']:.1f}"
        shown.setdefault(row["merge"], {"merge": row["merge"]})[row["network"]] = figures
    about = (
        "**Merging hypotheses made by jittering annotated poses of real sequences**: mean joint error as a share of "
        "the head size, and MOTA; the columns are kinds of errors, which `benchmarks/jittered_clips.py` states "
        "(`pytest benchmarks/bench_merging_quality.py --benchmark-only`)"
    )
    return f"{about}\n\n{table(list(shown.values()))}"


def long_videos(rows: list[dict[str, Any]]) -> str:
    """Markdown: each subject's longest video for each number of people, and the lookback."""
    shown = [
        {
            "what": row["subject"],
            "people": row["people"],
            "frames": f"{row['rows'][-1]['frames']:,}",
            "seconds": f"{row['rows'][-1]['seconds']:.3g}",
            "frames/s": f"{row['rows'][-1]['frames'] / row['rows'][-1]['seconds']:,.0f}",
            "slope": row.get("slope", ""),
            "peak memory beside the input, MiB": f"{row['rows'][-1]['peak_bytes'] / 2**20:,.0f}",
        }
        for row in rows
        if "subject" in row
    ]
    [lookback] = [row["rows"] for row in rows if row["name"] == "test_lookback"]
    times = [
        {"lookback": row["lookback"], "seconds": f"{row['seconds']:.3g}", "pairs compared": f"{row['pairs']:,}"}
        for row in lookback
    ]
    return (
        "![Time and memory against the frames of a video, and time against the lookback](long-videos.png)\n\n"
        f"{table(shown)}\n\n**Linking 5,000 frames of 20 people, of whom a fifth is missing, against the lookback**"
        f"\n\n{table(times)}"
    )


def profile(figures: dict[str, Any], column: str, script: str) -> str:
    """Markdown: frames a second and the share of each part, a column for each of the rows' `column`."""
    threads = f"{figures['threads']} thread" + ("s" if figures["threads"] > 1 else "")
    about = f"{figures['processor']}, {threads}, {figures['runs_on']}, {figures['date']}"
    parts = list(dict.fromkeys(part for row in figures["rows"] for part in row["percent"]))
    rows: list[dict[str, Any]] = [
        {"": "frames/s"} | {row[column]: row["frames_per_s"] for row in figures["rows"]},
        *(
            {"": f"{part}, %"} | {row[column]: row["percent"].get(part, 0.0) for row in figures["rows"]}
            for part in parts
        ),
    ]
    return f"**Where the time goes** (`python benchmarks/{script}.py`; {about})\n\n{table(rows)}"
