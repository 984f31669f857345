"""Reads mutated files with every reader: each must be read rightly or refused in one clean line.

    python tests/fuzz/run.py --files 10000 --seed 0 --seconds 900

A traceback, a wrong result, a crash or a hang is a fault. Files that led to one are kept in --keep, and the exit code
is 1. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mutations import mutate
from samples import write_samples
from tqdm import tqdm

PATIENCE = 30.0  # seconds for one file; the slowest good one takes a tenth of one
START = 120.0  # seconds for a good file, of which the first of its kind waits for imports


@dataclass
class Reader:
    """A process that reads files, started anew when one has ended it.

    Attributes:
        samples: Good files by the name of what reads them; it reads these first.
    """

    samples: dict[str, Path]
    process: subprocess.Popen[str] | None = None

    def read(self, reader: str, path: Path) -> tuple[str, str]:
        """The outcome of one file: read, refused or fault, and what was said."""
        if self.process is None:
            command = [sys.executable, str(Path(__file__).with_name("reading.py"))]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]
            for name, sample in self.samples.items():
                outcome, text = self._ask(name, sample, START)
                if outcome != "read":
                    raise RuntimeError(f"the good file {sample.name} was not read but {outcome}: {text}")
        return self._ask(reader, path, PATIENCE)

    def _ask(self, reader: str, path: Path, patience: float) -> tuple[str, str]:
        assert self.process and self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{reader}\t{path}\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], patience)
        answer = self.process.stdout.readline() if ready else ""
        if answer:
            outcome, text = json.loads(answer)
            return outcome, text
        return "fault", self.end() if ready else f"no answer in {patience:.0f} s; {self.end()}"

    def end(self) -> str:
        """Ends the process, and says how."""
        if self.process is None:
            return ""
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return f"ended with {code}"


def fuzz(files: int, seed: int, seconds: float, keep: Path) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Reads mutated files, each reader's in turn, until there were enough or the time is up.

    Args:
        files: How many.
        seed: Number that decides the mutations.
        seconds: Time limit.
        keep: Folder for the files that led to a fault.

    Returns:
        How many files of each reader had each outcome; and what was said of each fault.
    """
    counts: Counter[tuple[str, str]] = Counter()
    faults: list[str] = []
    end = time.monotonic() + seconds
    with TemporaryDirectory() as folder:
        samples = write_samples(Path(folder))
        reader = Reader(samples)
        for index in tqdm(range(files), unit="file", disable=None):
            name = list(samples)[index % len(samples)]
            content = mutate(samples[name].read_bytes(), np.random.default_rng([seed, index]))
            path = place(Path(folder) / "mutated", samples[name], content)
            outcome, text = reader.read(name, path)
            if outcome == "refused" and (len(text.splitlines()) != 1 or len(text) > 1000):
                outcome, text = "fault", f"not one clean line: {text[:300]!r}"
            counts[name, outcome] += 1
            if outcome == "fault":
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{index}-{path.name}").write_bytes(content)
                faults.append(f"{seed}-{index}-{path.name}: {text}")
                tqdm.write(faults[-1])
            if time.monotonic() > end:
                break
    reader.end()
    return counts, faults


def place(folder: Path, sample: Path, content: bytes) -> Path:
    """Writes a mutated file to a folder of its own, with the file that belongs to it."""
    for old in folder.glob("*"):
        old.unlink()
    folder.mkdir(exist_ok=True)
    for other in (sample.with_suffix(".safetensors"), sample.with_suffix(".json")):
        if sample.stem == "network" and other != sample:
            (folder / other.name).write_bytes(other.read_bytes())
    path = folder / sample.name
    path.write_bytes(content)
    return path


def main() -> None:
    """Runs it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    counts, faults = fuzz(options.files, options.seed, options.seconds, options.keep)
    print(f"{'reader':<14}{'files':>8}{'read':>8}{'refused':>9}{'faults':>8}")
    for name in sorted({name for name, _ in counts}):
        row = [counts[name, outcome] for outcome in ("read", "refused", "fault")]
        print(f"{name:<14}{sum(row):>8}{row[0]:>8}{row[1]:>9}{row[2]:>8}")
    total = sum(counts.values())
    left = (
        f"; {options.files - total:,} left out, as {options.seconds:.0f} s were over" if total < options.files else ""
    )
    print(f"{total:,} files, seed {options.seed}, {len(faults)} faults{left}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
