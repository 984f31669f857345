"""A network in an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ptfast._check import format_shape

Dims = tuple[int | None, ...]
"""A shape, None along axes that are free."""

MOST_IMAGES = 16  # that a network with a free batch axis sees at a time
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxNetwork:
    """A network of one input, images, with what its file says of itself.

    Args:
        path: The file.
        device: Where it runs: "cpu", or "cuda" or "cuda:<number>" where ONNX Runtime has been built for it.

    Attributes:
        path: The same.
        size: (height, width) of the images that it takes, None along sides that are free.
        batch: Images that it takes at a time, or None for any number.
        outputs: Shapes of its outputs by name. The first axis is the batch.
        metadata: What the exporting program wrote into the file, by key.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no ONNX network, one with another input, or the device is not there.
        ImportError: ONNX Runtime is not installed.
    """

    def __init__(self, path: str | Path, device: str | torch.device = "cpu") -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{path}: expected an ONNX file, there is no such file")
        self._session = opened(self.path, torch.device(device))
        given = self._session.get_inputs()
        shapes = [dims(item.shape) for item in given]
        if len(given) != 1 or len(shapes[0]) != 4 or shapes[0][1] not in (3, None) or given[0].type not in DTYPES:
            found = ", ".join(f"{item.name} {format_shape(tuple(item.shape))} {item.type}" for item in given)
            raise ValueError(f"{path}: expected one input (B, 3, H, W) of float32 or float16, found {found or 'none'}")
        self._name, self._dtype = given[0].name, DTYPES[given[0].type]
        self.batch, self.size = shapes[0][0], shapes[0][2:]
        self.outputs: dict[str, Dims] = {item.name: dims(item.shape) for item in self._session.get_outputs()}
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, images: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
        """Runs the network.

        Args:
            images: Inputs (3, h, w) in the network's own colours. Those of one size in a row are run together.

        Returns:
            The outputs of each image by name, without the batch's axis, floating-point ones in float32.

        Raises:
            ValueError: The network does not run on images of that size.
        """
        found: list[dict[str, np.ndarray]] = []
        for batch in batches(images, self.batch or MOST_IMAGES):
            inputs = np.zeros((self.batch or len(batch), *batch[0].shape), self._dtype)  # a fixed batch is filled up
            inputs[: len(batch)] = batch
            outputs = self._run(inputs)
            found += [{name: output[place] for name, output in outputs.items()} for place in range(len(batch))]
        return found

    def _run(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        try:
            outputs = self._session.run(None, {self._name: inputs})
        except Exception as error:  # ONNX Runtime's own have no common class
            raise ValueError(f"{self.path}: does not run on {format_shape(inputs.shape)}: {said(error)}") from error
        return {
            name: output.astype(np.float32, copy=False) if output.dtype.kind == "f" else output
            for name, output in zip(self.outputs, outputs, strict=True)
        }


def require(module: str) -> ModuleType:
    """A module of the extra `onnx`.

    Raises:
        ImportError: It is not installed, or cannot be imported.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ImportError(f"ONNX files need {module}: pip install 'ptfast[onnx]'") from None


def opened(path: Path, device: torch.device) -> Any:
    """ONNX Runtime's session for a file, on as many threads as torch computes on."""
    runtime = require("onnxruntime")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.type == "cuda":
        if "CUDAExecutionProvider" not in runtime.get_available_providers():
            raise ValueError(
                f"device must be cpu, as ONNX Runtime has no CUDA here (onnxruntime-gpu has), got {device}"
            )
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": device.index or 0}))
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; its warnings are about the graph's make
    try:
        return runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's own have no common class
        raise ValueError(f"{path}: expected an ONNX network: {said(error)}") from error


def said(error: Exception) -> str:
    """An error of ONNX Runtime in one line, cut short."""
    return " ".join(str(error).split())[:300]


def dims(shape: Sequence[object]) -> Dims:
    """A shape as ONNX Runtime gives it, where free axes have names."""
    return tuple(side if isinstance(side, int) else None for side in shape)


def batches(images: Sequence[np.ndarray], most: int) -> Iterator[list[np.ndarray]]:
    """Images in order, those of one shape in a row together, at most `most`."""
    for _, group in groupby(images, lambda image: image.shape):
        while batch := list(islice(group, most)):
            yield batch
