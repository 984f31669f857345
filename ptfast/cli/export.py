"""ptfast export: networks for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ptfast.cli._shared import check_output, command

NETWORKS = ("movenet",)


def add_export(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast export."""
    parser = command(commands, "export", _export, "Write a network as an ONNX file, for ONNX Runtime and its like.")
    parser.add_argument("network", choices=NETWORKS, help="network")
    parser.add_argument("out", type=Path, metavar="OUT", help="file to write, *.onnx")
    parser.add_argument(
        "--weights", default="movenet-multipose", metavar="FILE",
        help="movenet-multipose, movenet-thunder, or a *.safetensors file with its card beside it",
    )  # fmt: skip


def _export(options: argparse.Namespace) -> None:
    from ptfast.pipeline.onnx import export_movenet
    from ptfast.pipeline.weights import load_movenet_weights

    if options.out.suffix.lower() != ".onnx":
        raise ValueError(f"{options.out}: expected a name that ends in .onnx, got {options.out.suffix or 'no suffix'}")
    check_output(options.out)
    loaded = load_movenet_weights(options.weights)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    export_movenet(loaded.model, options.out)
    print(f"written to {options.out}: input images (B, 3, H, W), of multiples of 32, red, green and blue from 0 to 255")
