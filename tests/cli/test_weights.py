"""ptfast weights, and the names of published weights where other commands take a file. Nothing leaves the machine."""

from __future__ import annotations

import socket
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from ptfast.cli import main
from ptfast.io import read_poses, write_poses
from ptfast.models import Hrnet, HrnetArchitecture
from ptfast.pipeline.weights import NAMES, ZOO, Published, place_of
from ptfast.synthetic import scene

NAME = "hrnet-w32-posetrack18"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[str], list[str], int]:
    """A command's lines on stdout and stderr, and its exit code."""
    try:
        main([*arguments])
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return captured.out.splitlines(), captured.err.splitlines(), code


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a zoo whose server is a closed port of this machine."""
    monkeypatch.setenv("PTFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    for name, published in ZOO.items():
        if published.address is not None:
            monkeypatch.setitem(ZOO, name, replace(published, origin=replace(published.origin, address=address)))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Published:
    """A narrow HRNet with MMPose's names and channels for PoseTrack, as if it were a published one in the cache."""
    torch.manual_seed(0)
    model = Hrnet(HrnetArchitecture(8, 17, "none", 4, 1, (1,), 1))
    torch.nn.init.normal_(model.final_layer.weight, std=1.0)
    weights = {
        ("keypoint_head." if "final" in name else "backbone.") + name: value.squeeze(2) if value.ndim == 5 else value
        for name, value in model.state_dict().items()
    }
    place = place_of(ZOO[NAME])
    place.parent.mkdir(parents=True)
    torch.save({"state_dict": weights}, place)
    published = replace(ZOO[NAME], sha256=sha256(place.read_bytes()).hexdigest()[:8], size=(64, 48))
    monkeypatch.setitem(ZOO, NAME, published)
    return published


def test_the_list_has_every_name(fetched: Published, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, _, code = said(capsys, "weights", "list")
    assert code == 0
    assert [line.split()[0] for line in lines[1:-1]] == [*NAMES, *ZOO]
    rows = {line.split()[0]: line for line in lines}
    assert "hrnet            posetrack_15  64x48    fetched      AP 83.4 on PoseTrack18 val" in rows[NAME]
    assert "256x192  to fetch" in rows["hrnet-w48"] and "256x192  by browser" in rows["hrnet-w48-official"]
    assert "192x128  comes along" in rows["clip-tracking"]
    assert lines[-1] == f"Published ones are fetched at their first use, into {cache} (PTFAST_CACHE)."


def test_fetch_says_where_they_are(fetched: Published, capsys: pytest.CaptureFixture[str]) -> None:
    lines, errors, code = said(capsys, "weights", "fetch", NAME, "matcher")
    assert (lines[0], errors, code) == (str(place_of(fetched)), [], 0)
    assert Path(lines[1]).name == "matcher.safetensors" and Path(lines[1]).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fetch", "nothing"), "nothing: expected a name that ptfast weights list shows"),
        (("fetch", "matcher", "raft"), "raft: expected a name that ptfast weights list shows"),
        (("fetch",), "the following arguments are required: name; see ptfast weights fetch --help"),
        ((), "the following arguments are required: ACTION; see ptfast weights --help"),
        (("info", "absent"), "absent: expected a file or a name that ptfast weights list shows; there is no such file"),
        (
            ("fetch", "pose-resnet-152-official"),
            "pose-resnet-152-official: get pose_coco/pose_resnet_152_256x192.pth.tar",
        ),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines, errors, code = said(capsys, "weights", *arguments)
    assert (lines, len(errors), code) == ([], 1, 2) and message in errors[0]


@pytest.mark.parametrize("content", [b"\xef\x00\x9b random bytes", b"[1]", b""])
def test_info_names_a_damaged_card(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "random.safetensors"
    file.write_bytes(b"random bytes")
    file.with_suffix(".json").write_bytes(content)
    _, errors, code = said(capsys, "weights", "info", str(file))
    assert (len(errors), code) == (1, 2) and f"{tmp_path / 'random.json'}: " in errors[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("weights", "fetch", "hrnet-w32"),
        ("track", "{video}", "-o", "{out}", "--method", "clip-tracking", "--weights", "hrnet-w32"),
        ("track", "{video}", "-o", "{out}", "--method", "clip-tracking", "--detector", "keypointrcnn"),
        ("track", "{video}", "-o", "{out}", "--method", "detect-and-track", "--weights", "keypointrcnn"),
        ("train", "pose", "--data", "synthetic", "--out", "{out}", "--weights", "hrnet-w32"),
    ],
)
def test_without_a_network_one_line_says_what_to_do(
    arguments: tuple[str, ...], video: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = ZOO["keypointrcnn" if "keypointrcnn" in arguments else "hrnet-w32"]
    places = {"video": video, "out": tmp_path / ("run" if "train" in arguments else "tracks.json")}
    _, errors, code = said(capsys, *(argument.format(**places) for argument in arguments))
    assert code == 2
    assert f": {published.name}: {published.address}: no connection: " in errors[-1]
    assert errors[-1].endswith(f"; try again, or get it elsewhere and put it at {cache / published.file}")


def test_info_of_a_name_and_of_a_file(fetched: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, _, _ = said(capsys, "weights", "info", NAME)
    known = dict(line.split(maxsplit=1) for line in lines)
    assert known["skeleton"] == "posetrack_15" and known["licence"] == "Apache-2.0" and known["size"] == "64x48"
    assert known["file"] == f"{place_of(fetched)} (fetched)" and known["address"] == fetched.address
    file = tmp_path / "anything"
    file.write_bytes(place_of(fetched).read_bytes())
    lines, _, _ = said(capsys, "weights", "info", str(file))
    assert lines[:3] == [
        "written by    torch.save", f"published as  {NAME}", "network       an HRNet",
    ]  # fmt: skip
    lines, _, _ = said(capsys, "weights", "info", "movenet-thunder")
    assert any(line.startswith("intended use  The pose of one person") for line in lines)
    (tmp_path / "words").write_text("hello")
    assert said(capsys, "weights", "info", str(tmp_path / "words"))[0][0] == "written by    something else"


def test_a_name_tracks_posetracks_joints(
    fetched: Published, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes, out = tmp_path / "boxes.json", tmp_path / "tracks.csv"
    write_poses(scene(3, frames=23, people=1, size=(72, 64)), boxes)
    common = ("track", str(video), "-o", str(out), "--method", "clip-tracking", "--boxes", str(boxes))
    assert said(capsys, *common, "--weights", NAME)[2] == 0
    assert read_poses(out).skeleton.name == "posetrack_15"  # type: ignore[union-attr]
    options = ("--weights", str(place_of(fetched)), "--skeleton", "posetrack_17", "--size", "32x32")
    assert said(capsys, *common, *options)[2] == 0
    assert read_poses(out).skeleton.name == "posetrack_17"  # type: ignore[union-attr]
    for option, wrong, message in (
        (
            "--skeleton",
            "horse",
            "argument --skeleton: expected coco_17, posetrack_15, posetrack_17 or a .json file, got",
        ),
        ("--skeleton", "horse.json", "got horse.json: no such file or directory"),
        ("--size", "384", "argument --size: expected height x width in pixels, such as 384x288, got '384'"),
        ("--size", "0x10", "argument --size: expected height x width in pixels, such as 384x288, got '0x10'"),
        ("--size", "30x30", "size must be multiples of 8, got (30, 30)"),
    ):
        _, errors, code = said(capsys, *common, "--weights", NAME, option, wrong)
        assert code == 2 and message in errors[-1]


def test_a_detector_is_no_pose_network(
    fetched: Published, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("track", str(video), "-o", str(tmp_path / "tracks.json"), "--method", "clip-tracking")
    _, errors, code = said(capsys, *common, "--weights", "keypointrcnn")
    wanted = "an HRNet, a PoseResNet or CorrTrack's pose network"
    expected = f"keypointrcnn: expected {wanted}, got the name of torchvision's keypoint R-CNN"
    assert (errors, code) == ([f"ptfast track: {expected}"], 2)
    _, errors, code = said(capsys, *common, "--detector", str(place_of(fetched)))
    assert errors[-1].endswith(": expected torchvision's keypoint R-CNN, found an HRNet") and code == 2
