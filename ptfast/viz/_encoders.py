"""Encoders of videos that browsers play: PyAV's where it is installed, else OpenCV's."""

from __future__ import annotations

import os
from fractions import Fraction
from importlib import import_module
from typing import Any, Protocol

import cv2
import numpy as np

_LARGEST_H264 = 4096  # pixels each way that decoders of H.264 take, level 5.2
_CRF_H264, _CRF_VP9 = "18", "28"  # by eye no worse than the images; lower is better and larger
_BITS = 0.25  # a pixel, of OpenH264, which knows no constant quality
_FINEST_RATE = 100_000  # denominator of a rate
_BT709, _BT601, _LIMITED = 1, 6, 1  # FFmpeg's numbers of colour spaces and of the range 16 to 235


class Encoder(Protocol):
    """What images of one size are written with."""

    def write(self, image: np.ndarray) -> None:
        """Appends an image (H, W, 3) uint8 RGB, H and W even."""

    def close(self) -> None:
        """Writes what is left, and the index."""


def open_encoder(name: str, fps: float, size: tuple[int, int]) -> Encoder:
    """An mp4 file to write images to: of H.264 where PyAV is installed, else of VP9.

    PyAV's build decides: x264, else OpenH264, else VP9; images over 4,096 pixels in a direction are always VP9. VP9 by
    OpenCV takes many times as long as any of them: it runs libvpx's slow default, and OpenCV passes on no settings.

    Args:
        name: The file.
        fps: Frames a second.
        size: Width and height of the images, even.

    Raises:
        RuntimeError: There is no PyAV, and OpenCV cannot write VP9 here.
        OSError: The file cannot be written.
    """
    try:
        av: Any = import_module("av")
    except (ImportError, OSError):
        return _OpenCV(name, fps, size)
    codecs = _settings(fps, size)
    codec = next((one for one in codecs if one in av.codecs_available and _encodes(av, one)), None)
    return _OpenCV(name, fps, size) if codec is None else _PyAV(av, name, fps, size, codec, codecs[codec])


def _settings(fps: float, size: tuple[int, int]) -> dict[str, dict[str, str]]:
    """Options of the codecs that such a video may have, the best first."""
    h264 = {
        "libx264": {"preset": "veryfast", "crf": _CRF_H264},
        "libopenh264": {"b": str(round(_BITS * fps * size[0] * size[1]))},
    }
    vp9 = {"libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "b": "0", "crf": _CRF_VP9}}
    return h264 | vp9 if max(size) <= _LARGEST_H264 else vp9


def _encodes(av: Any, codec: str) -> bool:
    try:
        return bool(av.codec.Codec(codec, "w").is_encoder)
    except ValueError:  # PyAV can only decode it
        return False


class _PyAV:
    """PyAV's encoders. The index stands in front, so that players begin before they have the whole file."""

    def __init__(
        self, av: Any, name: str, fps: float, size: tuple[int, int], codec: str, options: dict[str, str]
    ) -> None:
        self._av = av
        self._file = av.open(name, "w", format="mp4", options={"movflags": "+faststart"})
        rate = Fraction(fps).limit_denominator(_FINEST_RATE)
        self._stream = av_stream = self._file.add_stream(codec, rate=rate, options=options)
        av_stream.width, av_stream.height = size
        av_stream.pix_fmt = "yuv420p"
        # swscale converts by BT.601 whatever the size; without a word players take large videos for BT.709.
        context = av_stream.codec_context
        context.colorspace, context.color_range = _BT601, _LIMITED
        context.color_primaries = context.color_trc = _BT709

    def write(self, image: np.ndarray) -> None:
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        self._file.mux(self._stream.encode(frame))

    def close(self) -> None:
        try:
            self._file.mux(self._stream.encode(None))
        finally:
            self._file.close()


class _OpenCV:
    """OpenCV's VP9."""

    def __init__(self, name: str, fps: float, size: tuple[int, int]) -> None:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what goes wrong is said by errors of ours
        self._writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*"vp09"), fps, size)
        if not self._writer.isOpened():
            raise RuntimeError(f"OpenCV {cv2.__version__} cannot write VP9 video of {size[0]} x {size[1]} pixels")

    def write(self, image: np.ndarray) -> None:
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()
