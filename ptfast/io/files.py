"""Files and folders of poses: formats by suffix and content, sequences by name, whole files or none."""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from ptfast._files import write_atomic
from ptfast._json import Content, bad_value, describe_keys, elements, outline
from ptfast.io._gather import describe
from ptfast.io._writing import check_writable
from ptfast.io.coco import encode_coco, encode_posetrack18, read_coco
from ptfast.io.coco_results import encode_coco_results, read_coco_results
from ptfast.io.csv_table import encode_csv, read_csv
from ptfast.io.frames import check_distinct_keys, encode_frames, read_frames
from ptfast.io.mot import encode_mot, read_mot
from ptfast.io.parquet_table import read_parquet, write_parquet
from ptfast.io.posetrack17 import encode_posetrack17, read_posetrack17
from ptfast.structures import Poses

# The format of a new file by its suffix; a JSON file that is read says itself what it is.
_BY_SUFFIX = {".json": "posetrack18", ".txt": "mot", ".csv": "csv", ".parquet": "parquet"}
_ENCODERS: dict[str, Callable[[Poses], Iterator[str]]] = {
    "posetrack18": encode_posetrack18,
    "posetrack17": encode_posetrack17,
    "coco": encode_coco,
    "coco_results": encode_coco_results,
    "frames": encode_frames,
    "mot": encode_mot,
    "csv": encode_csv,
}
_JSON_FORMATS = "annolist (PoseTrack 2017), images, annotations and categories (PoseTrack 2018, COCO), frames or a list"
FORMATS = (*_ENCODERS, "parquet")
_SUFFIXES = {name: next((s for s, f in _BY_SUFFIX.items() if f == name), ".json") for name in FORMATS}


def read_poses(path: str | os.PathLike[str], *, format: str | None = None) -> Poses:
    """Reads the poses of one sequence.

    PoseTrack 2017 and 2018 JSON (ground truth and predictions), COCO keypoint annotations and results, the package's
    simple per-frame JSON (`ptfast.io.frames`), MOT text, CSV and Parquet (`ptfast.io.tables`). Values that a file lacks
    are filled: a box is the extent of the joints, a pose's score the mean of the scores of its joints, scores of ground
    truth are 1, a sequence has the name of its file without suffix. Frames come in rising order of their numbers
    (`frame_ids`), which are the file's ids or what names tell.

    Args:
        path: A file, or a folder with one.
        format: "posetrack18", "posetrack17", "coco", "coco_results", "frames", "mot", "csv" or "parquet"; by default
            what the suffix says and, for JSON, the content. In a folder, only files with that format's suffix are read.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: There are several sequences, which `read_sequences` reads, or the content is not as it should be;
            the message gives the file, the place in it, what was expected and what was found.
    """
    sequences = read_sequences(path, format=format)
    if len(sequences) > 1:
        raise ValueError(f"{path}: expected one sequence, found {len(sequences)}; read_sequences reads them")
    return next(iter(sequences.values()))


def read_sequences(path: str | os.PathLike[str], *, format: str | None = None) -> dict[str, Poses]:
    """Reads the poses of all sequences of a folder, or of a file; the rest as in `read_poses`.

    Args:
        path: A folder whose .json, .csv, .parquet and .txt files are read (not those in folders inside it), or a file.
        format: As in `read_poses`.

    Returns:
        Sequences by name, sorted. Those of a folder are named by their files, without suffix; the one of a file by
        itself; those of a PoseTrack 2018 or COCO file whose images have more than one vid_id or video_id or, without
        these, folder, also in a folder, by the folder of each video's images (or else its id).

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: As in `read_poses`, or two files of a folder hold a sequence of the same name.
    """
    path = Path(path)
    _check_format(format)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "No such file or folder", str(path))
    if path.is_dir():
        return _read_folder(path, format)
    found = _read_file(path, format)
    return {found.sequence: found} if isinstance(found, Poses) else found


def write_poses(poses: Poses | Mapping[str, Poses], path: str | os.PathLike[str], *, format: str | None = None) -> None:
    """Writes poses to a file, or a dict of sequences to a folder, one file each, named by the keys.

    Files appear whole or not at all. Reading gives the same Poses, but that ignore regions of which there are none in
    any frame are read as None, and with these limits:

    - "posetrack18", "csv", "parquet": everything. In "posetrack18" 15 joints become 17, track ids count from 0 in
      order of appearance, and absent joints lose their coordinates; frames without names or ids get them.
    - "coco": as "posetrack18", but track ids and joints stay as they are; areas become those of the boxes if there are
      none. Frames without names or ids get them too.
    - "posetrack17": no boxes, areas, image sizes and scores of absent joints; 17 joints become 15, ids as above.
    - "frames": frame names, keypoints, scores, boxes, areas, track ids; head boxes, frame ids, frame sizes, labels and
      ignore regions are lost, and a hidden joint becomes a visible one.
    - "coco_results": as "frames" with frame ids in place of names, without empty frames; COCO's joints alone.
    - "mot": boxes, scores, track ids; frame ids as numbers, one more where they count from 0; empty frames at the end
      are lost.

    Where a format needs names, frames without are called images/val/<sequence>/000000.jpg and so on by their numbers,
    the sequence as PoseTrack's official reader wants it: 000023_bonn stays, walk becomes 000000_mpii_walk (a number,
    mpii, the name). Frames without ids get the numbers of their names or count from 1, in PoseTrack 2018 behind 1 and
    six digits of the sequence, in four digits. A pose without track has no track id in the file; PoseTrack's evaluator
    wants one for every pose.

    Args:
        poses: One sequence, or sequences by name.
        path: The file, or the folder for a dict; folders are made as needed, files in it that are not written stay.
        format: As for `read_poses`; by default what the suffix says, and "posetrack18" for .json and for folders.

    Raises:
        ValueError: The suffix names no format, a value is not finite, an id stands twice in a frame, PoseTrack would
            get more than 10,000 track ids, MOT text would hold no box, or the format cannot hold the skeleton.
    """
    path = Path(path)
    _check_format(format)
    if isinstance(poses, Poses):
        name = format or _format_by_suffix(path)
        if path.is_dir():
            raise ValueError(f"path must name a file for one sequence, got the folder {str(path)!r}")
        targets = {path: poses}
    else:
        name = format or "posetrack18"
        if path.suffix.lower() in _BY_SUFFIX and not path.is_dir():
            raise ValueError(f"path must name a folder for sequences by name, got the file name {str(path)!r}")
        targets = {path / f"{_file_name(key)}{_SUFFIXES[name]}": sequence for key, sequence in poses.items()}
    _write_all({target: sequence.numpy() for target, sequence in targets.items()}, name)


def _check_format(format: str | None) -> None:
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")


def _format_by_suffix(path: Path) -> str:
    if path.suffix.lower() not in _BY_SUFFIX:
        raise ValueError(f"path must end in {', '.join(_BY_SUFFIX)} or format be given, got {str(path)!r}")
    return _BY_SUFFIX[path.suffix.lower()]


def _read_folder(folder: Path, format: str | None) -> dict[str, Poses]:
    suffixes = (_SUFFIXES[format],) if format else tuple(_BY_SUFFIX)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))
    if not paths:
        raise bad_value(folder, "folder", f"files that end in {', '.join(suffixes)}", "none")
    sequences: dict[str, Poses] = {}
    for path in paths:
        content = _read_file(path, format)
        for name, poses in {path.stem: content}.items() if isinstance(content, Poses) else content.items():
            if name in sequences:
                raise bad_value(path, f"sequence {name!r}", "one file for each sequence", "a second")
            sequences[name] = poses
    return dict(sorted(sequences.items()))


def _read_file(path: Path, format: str | None) -> Poses | dict[str, Poses]:
    name, file, sequence = format or _format_by_suffix(path), str(path), path.stem
    if name == "parquet":
        return read_parquet(path, sequence)
    text = _read_text(path)
    if name == "mot":
        return read_mot(text.decode(), file, sequence)
    if name == "csv":
        return read_csv(text.decode(), file, sequence)
    return _read_json(text, file, sequence, format)


def _read_text(path: Path) -> bytes:
    """A file's UTF-8 text. ValueError if the file is empty or not UTF-8."""
    text = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if not text or text.isspace():
        raise bad_value(path, "line 1", "poses", "an empty file")
    try:
        if not text.isascii():
            text.decode()
    except UnicodeDecodeError as error:
        raise bad_value(path, f"byte {error.start}", "UTF-8 text", f"{text[error.start]:#04x}") from None
    return text


def _read_json(text: bytes, file: str, sequence: str, format: str | None) -> Poses | dict[str, Poses]:
    """The poses of a JSON text of a format, by default of the one that its outermost keys show."""
    content = outline(text, file)
    if format == "coco_results" or (format is None and isinstance(content, list)):
        return read_coco_results(elements(content, file), file, sequence)
    if not isinstance(content, dict):
        found = "a list" if isinstance(content, list) else describe(content)
        raise bad_value(file, "", _JSON_FORMATS if format is None else "an object", found)
    parts: dict[str, Content] = content
    if format == "posetrack17" or (format is None and "annolist" in parts):
        return read_posetrack17(parts, file, sequence)
    if format in ("posetrack18", "coco"):
        return read_coco(parts, file, sequence, posetrack=format == "posetrack18")
    if format is None and not parts.keys().isdisjoint(("images", "annotations", "categories")):
        return read_coco(parts, file, sequence)
    if format == "frames" or "frames" in parts or (parts and all(isinstance(part, list) for part in parts.values())):
        check_distinct_keys(text, file)
        return read_frames(parts, file, sequence)
    raise bad_value(file, "", _JSON_FORMATS, describe_keys(parts))


def _file_name(key: str) -> str:
    """A key of a dict that is good as the name of a file."""
    if not key or key.startswith(".") or Path(key).name != key:
        raise ValueError(f"poses must have keys that are file names, got {key!r}")
    return key


def _write_all(targets: dict[Path, Poses], format: str) -> None:
    """Writes all files; only when all are whole do they stand in their places."""
    with ExitStack() as drafts:
        for path, poses in targets.items():
            check_writable(poses)
            _write_file(poses, drafts.enter_context(write_atomic(path)), format)


def _write_file(poses: Poses, path: Path, format: str) -> None:
    if format == "parquet":
        write_parquet(poses, path)
        return
    # A name that is not UTF-8, such as a video's, is written with \udc.. for its bytes.
    with path.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(_ENCODERS[format](poses))
