"""Writes the tables and plots of the README and of docs/ from benchmarks/results/*.json: `make readme-tables`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import method_plots
import method_tables
import readme_tables

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    """Rewrites what stands between the marks."""
    files = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}
    write_between(ROOT / "README.md", "example", example(ROOT / "README.md"))
    write_between(ROOT / "README.md", "benchmarks", readme_tables.highlights(files))
    write_between(ROOT / "docs" / "benchmarks.md", "benchmarks", readme_tables.benchmarks(files))
    ratios = {row.caption: row.other / row.seconds for row in readme_tables.comparisons(files)}
    method_plots.comparisons(ratios, ROOT / "docs" / "benchmarks.png")
    write_between(ROOT / "docs" / "detect-and-track.md", "detect-and-track", method_tables.detect_and_track(files))
    write_between(ROOT / "docs" / "clip-tracking.md", "clip-tracking", method_tables.clip_tracking(files))
    page = ROOT / "docs" / "simple-baselines.md"
    write_between(page, "simple-baselines", method_tables.simple_baselines(files))
    write_real_people()
    write_page("flow", "optical_flow", method_tables.FLOW)
    write_page("keytrack", "keytrack", method_tables.KEYTRACK)
    write_between(ROOT / "docs" / "methods.md", "online", method_tables.online(files))
    rows = files["linear_time"]["rows"]
    write_between(ROOT / "docs" / "long-videos.md", "long-videos", method_tables.long_videos(rows))
    method_plots.long_videos(rows, ROOT / "docs" / "long-videos.png")


def write_real_people() -> None:
    """Rewrites the tables of the page on real people."""
    page = ROOT / "docs" / "real-people.md"
    for name, stem, titles in (
        ("real-people", "real_people", method_tables.REAL_PEOPLE),
        ("head-joints", "tune_head_joints", method_tables.HEAD_JOINTS),
        ("sizes", "tune_sizes", method_tables.SIZES),
    ):
        path = RESULTS / f"{stem}.json"
        studies = json.loads(path.read_text()) if path.exists() else {}
        write_between(page, name, "\n\n".join(method_tables.tables(studies, titles)) or "Not measured yet.")


def write_page(name: str, stem: str, titles: dict[str, str]) -> None:
    """Rewrites the tables of a page in docs/, between marks of its name, from a file of results."""
    path = RESULTS / f"{stem}.json"
    studies = json.loads(path.read_text()) if path.exists() else {}
    text = "\n\n".join(method_tables.tables(studies, titles)) or "Not measured yet."
    write_between(ROOT / "docs" / f"{name}.md", name, text)


def write_between(path: Path, name: str, text: str) -> None:
    """Rewrites the part of a file between two marks of that name."""
    start, end = f"<!-- {name}: written by benchmarks/make_tables.py -->\n", f"<!-- end of {name} -->"
    before, found, rest = path.read_text().partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path}: expected the marks of {name}, found none")
    path.write_text(before + start + text.rstrip() + "\n" + end + after)
    print(f"written to {path}")


def example(path: Path) -> str:
    """Output of the first Python program of a page, as a block of text."""
    code = re.search(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
    if code is None:
        raise ValueError(f"{path}: expected a Python program, found none")
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run(
            [sys.executable, "-c", code[1]], cwd=folder, capture_output=True, text=True, check=True
        )
    return f"```text\n{printed.stdout.rstrip()}\n```"


if __name__ == "__main__":
    main()
