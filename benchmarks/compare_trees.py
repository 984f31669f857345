"""Compares this tree's benchmarks with an earlier tree's, run by turns, so that both meet the same noise.

python benchmarks/compare_trees.py ../earlier bench_oks.py bench_linking.py -k "not torchvision"

The earlier tree is a checkout with its native core built into it. Both use this environment's packages. Rows of other
libraries, which are the same code in both trees, say how much of a difference is noise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

HERE = Path(__file__).parents[1]
RESULT = HERE / "benchmarks/results/compare_trees.json"
Times = dict[str, list[float]]
"""Each round's least seconds of a row, by the row's full name."""


def main() -> None:
    """Runs the modules by turns, prints every row's ratio, and writes all of them."""
    arguments = parser().parse_args()
    modules = arguments.modules or sorted(path.name for path in (HERE / "benchmarks").glob("bench_*.py"))
    times: tuple[Times, Times] = defaultdict(list), defaultdict(list)
    turns = [(module, tree) for module in modules for _ in range(arguments.rounds) for tree in (0, 1)]
    for module, tree in tqdm(turns, unit="run", disable=None):
        for name, seconds in rows((HERE, arguments.earlier.resolve())[tree], module, arguments.k, arguments.seconds):
            times[tree][name].append(seconds)
    ratios = {name: ratio(times[0][name], times[1][name]) for name in times[0] if name in times[1]}
    for name, value in sorted(ratios.items(), key=lambda row: -row[1]):
        print(f"{value:5.2f}  {min(times[0][name]) * 1e6:12,.1f} us  {name}")
    missing = sorted(set(times[0]) ^ set(times[1]))
    print(f"{len(ratios)} rows: the median takes {statistics.median(ratios.values()):.3f} of the earlier time")
    print(f"{len(missing)} rows that one tree alone has or that failed there: {', '.join(missing) or 'none'}")
    about = {"earlier": revision(arguments.earlier), "tree": revision(HERE), "modules": modules, "rows": arguments.k}
    RESULT.write_text(json.dumps(about | {"ratios": ratios, "missing": missing}, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    result.add_argument("earlier", type=Path, help="a checkout of the earlier tree, with its native core")
    result.add_argument("modules", nargs="*", help="files of benchmarks/, all by default")
    result.add_argument("-k", default="test", metavar="EXPRESSION", help="rows to run, as pytest takes them")
    result.add_argument("--rounds", type=int, default=3, help="runs of each module and tree")
    result.add_argument("--seconds", default="0.1", help="of a row, in a run")
    return result


def rows(tree: Path, module: str, expression: str, seconds: str) -> Iterable[tuple[str, float]]:
    """Each row of a module with its least seconds in one run; rows that fail, as where a demanded ratio is missed, too.

    Raises:
        SystemExit: The module could not be run at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "pytest", f"benchmarks/{module}", "--benchmark-only", "-q", "-k", expression]
        command += [f"--benchmark-max-time={seconds}", f"--benchmark-json={file}"]
        environment = os.environ | {"PYTHONPATH": str(tree)}
        run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if run.returncode not in (0, 1, 5):  # 1: a row failed; 5: the expression chooses none of this module
            said = f"{run.stdout[-1000:]}{run.stderr[-1000:]}"
            sys.exit(f"{tree}/benchmarks/{module}: expected pytest to run it, got {said}")
        found = json.loads(file.read_text())["benchmarks"] if file.exists() and file.stat().st_size else []
    return [(row["fullname"], row["stats"]["min"]) for row in found]


def ratio(new: list[float], old: list[float]) -> float:
    """The least time of one tree by that of the other."""
    return min(new) / min(old)


def revision(tree: Path) -> str:
    """The commit that is checked out in a tree."""
    command = ["git", "-C", str(tree), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
