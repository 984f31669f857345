"""How commands end: errors, warnings and signals are one line each, with the right exit code and the right help."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses

COMMANDS = ["track", "link", "eval", "convert", "synth", "train", "info", "demo"]


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ptfast info raise an error."""

    def warm_up() -> float:
        raise error

    monkeypatch.setattr("ptfast.cli.info.warm_up", warm_up)


def doing(what: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ptfast info do something."""
    monkeypatch.setattr("ptfast.cli.info.warm_up", lambda: what() or 0.0)


def ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of a command and the one line on stderr."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return end.value.code, lines[0]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            RecursionError("maximum recursion depth exceeded"),
            "expected input that is nested less deeply, found max",
        ),
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate 6.00 GiB"), "out of memory: Unable to allocate 6.00 GiB"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "out of memory: CUDA out of memory. Tried"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory: DefaultCPUAllocator"),
        (OverflowError("int too large\nto convert"), "int too large to convert"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), "'utf-8' codec can't encode"),
        (OSError(28, "No space left on device", "tracks.json"), "tracks.json: no space left on device"),
        (ValueError(), "ValueError"),
    ],
)
def test_expected_errors_are_one_line(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(error, monkeypatch)
    code, said = ended(["info"], capsys)
    assert code == 2 and said.startswith(f"ptfast info: {line}")


@pytest.mark.parametrize("error", [RuntimeError("a fault"), KeyError("a"), AssertionError("a")])
def test_faults_of_the_program_are_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(error, monkeypatch)
    with pytest.raises(type(error)):
        main(["info"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_command_with_their_code(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    doing(lambda: signal.raise_signal(number), monkeypatch)
    assert ended(["info"], capsys) == (code, "ptfast info: interrupted; files that were not finished were not written")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_sigterm_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        doing(lambda: signal.raise_signal(signal.SIGTERM), monkeypatch)
        main(["info"])
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_during_imports_is_one_line(number: str, code: int) -> None:
    script = f"""
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            signal.raise_signal(signal.{number})
sys.meta_path.insert(0, Finder())
signal.signal(signal.SIGINT, signal.default_int_handler)
from ptfast.cli import main
main(["info"])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == code
    assert run.stderr == "ptfast: interrupted; files that were not finished were not written\n"


def test_warnings_are_one_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    doing(lambda: [warnings.warn(text, stacklevel=1) for text in ("first\nof two", "second")] and 0.0, monkeypatch)
    before = warnings.showwarning
    main(["info"])
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["ptfast info: warning: first of two", "ptfast info: warning: second"]
    assert warnings.showwarning is before


@pytest.mark.parametrize("suffix", ["json", "csv", "txt"])
def test_names_that_are_not_utf8_are_written_and_printed(suffix: str, tmp_path: Path) -> None:
    source, out = os.fsencode(tmp_path) + b"/\xff.json", os.fsencode(tmp_path) + b"/\xfe." + suffix.encode()
    try:
        Path(os.fsdecode(source)).write_text('{"0.jpg": [{"keypoints": [1, 2, 1' + ", 3, 4, 1" * 14 + "]}]}")
    except OSError:
        pytest.skip("names are text on this file system")
    command = [sys.executable, "-m", "ptfast", "convert", source, out]
    run = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert run.returncode == 0 and run.stdout.endswith(b"\\udcfe." + suffix.encode() + b"\n")
    assert read_poses(os.fsdecode(out)).frame_offsets.tolist() == [0, 1]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_no_default_where_there_is_none(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "(default: None)" not in printed and "(default: False)" not in printed


def test_help_names_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["link", "--help"])
    assert "(default: oks)" in " ".join(capsys.readouterr().out.split())


def test_help_of_train_says_which_recipes_start_from_published_weights(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "for pose and flow, published ones by name or file" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "help"),
    [
        (["link", "in", "out", "--foo"], "ptfast link --help"),
        (["link", "in"], "ptfast link --help"),
        (["track", "in", "-o", "out", "more", "--lookback", "3"], "ptfast track --help"),
        (["eval", "in", "out", "third"], "ptfast eval --help"),
        (["lynk"], "ptfast --help"),
        ([], "ptfast --help"),
    ],
)
def test_errors_point_to_the_help_that_has_the_answer(
    arguments: list[str], help: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = ended(arguments, capsys)
    assert code == 2 and line.endswith(f"; see {help}")
    assert line.startswith(f"{help.removesuffix(' --help')}: ")


def test_help_goes_to_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()  # which no encoding holds back
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "usage: ptfast" in stream.getvalue()
