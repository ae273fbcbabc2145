"""What is left of an imported data set whose files are damaged: mended where that is certain, else recovered in part.

The content hash says whether a data set is as it was. Labels, splits and descriptions lie in the folder a second time;
pixels do not, as they are most of the bytes.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import IMAGES, META, SPLITS, ImageDataset, channel_statistics, pixel_digest
from cnn_core.errors import DamagedDatasetError
from cnn_core.into_place import move_into_place

SPARE = "spare"  # folder of second copies
LABELS = "labels.npy"
COPIED = (META, LABELS, *(f"{split}.npy" for split in SPLITS))
MOST = 10**10  # images, pixels or seconds: more is damage
HEADER = 128  # bytes before the pixels
NOT_KEPT = "The original files are not kept here: who has them can import them again, under another name."


def keep_spare(folder: Path) -> None:
    """Copy what is small, once: a later copy might be one of damage."""
    (folder / SPARE).mkdir(exist_ok=True)
    for name in COPIED:
        if (folder / name).is_file() and not (folder / SPARE / name).exists():
            shutil.copyfile(folder / name, folder / SPARE / name)


def descriptions(folder: Path) -> Iterator[dict[str, Any]]:
    """What is known of a version besides its images: from the file, its copy, and the report of the import."""
    for path in (folder / "about.json", folder / SPARE / "about.json"):
        if is_whole(description := read_object(path)) and fits(folder, description):
            yield description
    report, meta = read_object(folder / "report.json"), read_object(folder / META) or read_object(folder / SPARE / META)
    try:
        name, _, version = str(report["title"]).rpartition(" · v")
        description = {
            "id": report["dataset"],
            "name": name or version,
            "version": int(version) if name else 1,
            "created": folder.stat().st_mtime,
            "channels": report["shape"][0],
            "size": report["shape"][1],
            "images": sum(sum(splits.values()) for splits in report["kept"].values()),
            "classes": len(report["kept"]),
            "content_hash": report.get("content_hash") or meta["content_hash"],
        }
    except (OSError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return
    if is_whole(description) and fits(folder, description):
        yield description


def is_whole(description: dict[str, Any]) -> bool:
    """Whether a description has what every version has, and nothing in it is absurd."""
    needed, counts = ("id", "name", "content_hash"), ("channels", "size", "images", "classes")
    texts = all(isinstance(description.get(name), str) for name in needed)
    texts = texts and all(isinstance(description.get(name, ""), str) for name in ("made_by", "parent", "note"))
    numbers = all(_is_count(description.get(name)) and description[name] > 0 for name in counts)
    numbers = numbers and all(_is_count(description.get(name, 1)) for name in ("version", "looks"))
    created = description.get("created", 0.0)
    return texts and numbers and (_is_count(created) or (isinstance(created, float) and 0 <= created <= MOST))


def fits(folder: Path, description: dict[str, Any]) -> bool:
    """Whether a description is of the version in this folder, which is named after its id and the size of its images;
    images are grey or in colour."""
    return folder.name == f"{description['id']}-{description['size']}" and description["channels"] in (1, 3)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


@dataclass(frozen=True)
class Shape:
    """What the description of a data set says of its images."""

    title: str
    count: int
    channels: int
    size: int
    content_hash: str


def mend(folder: Path, shape: Shape) -> ImageDataset:
    """The data set as it was, from its files and their copies; what was damaged is written anew.

    Raises DamagedDatasetError with what can be recovered where the content hash says that something is lost.
    """
    pixels = _pixels(folder, shape)
    if len(pixels) == shape.count:
        for meta in _metas(folder):
            digest = pixel_digest(pixels, tuple(meta["classes"]))
            for labels, splits in _labels_and_splits(folder, shape, meta):
                if _completed(digest, labels, splits) == shape.content_hash:
                    _write(folder, pixels, labels, splits, meta | {"content_hash": shape.content_hash})
                    return ImageDataset.open(folder)
    raise _loss(folder, shape, len(pixels))


def remains(folder: Path, shape: Shape) -> ImageDataset:
    """The images that are left with their labels and splits, in a data set that is not on disk yet.

    Raises DamagedDatasetError when there are none.
    """
    pixels = _pixels(folder, shape)
    for meta in _metas(folder) if len(pixels) else ():
        for labels, splits in _labels_and_splits(folder, shape, meta):
            left = {split: places[places < len(pixels)] for split, places in splits.items()}
            if all(len(places) for places in left.values()):
                return ImageDataset(
                    name=folder.name.rsplit("-", 1)[0],
                    image_size=shape.size,
                    images=pixels,
                    folder=folder,
                    labels=labels[: len(pixels)],
                    classes=tuple(meta["classes"]),
                    splits=left,
                    content_hash="",
                    mean=(),
                    std=(),
                    fit=meta.get("fit", "crop"),
                )
    raise _loss(folder, shape, 0)


def _loss(folder: Path, shape: Shape, left: int) -> DamagedDatasetError:
    try:
        left = len(remains(folder, shape).labels) if left else 0
    except DamagedDatasetError as error:
        return error
    if left:
        what = f"{left:,} of its {shape.count:,} images can be recovered as a new version, on the page Your images."
    elif len(_pixels(folder, shape)):
        what = "Which class and split its images belong to is lost, so nothing can be recovered."
    else:
        what = "Its images are lost, so nothing can be recovered."
    return DamagedDatasetError(f"The files of {shape.title} in {folder} are damaged. {what} {NOT_KEPT}", left)


def _pixels(folder: Path, shape: Shape) -> NDArray[np.uint8]:
    """The whole images in the file, whatever its header says; (0, C, S, S) where there are none."""
    one = (shape.channels, shape.size, shape.size)
    try:
        held = ((folder / IMAGES).stat().st_size - HEADER) // math.prod(one)
        count = min(max(held, 0), shape.count)
        if count:
            return np.memmap(folder / IMAGES, np.uint8, "c", HEADER, (count, *one))
    except OSError:
        pass
    return np.zeros((0, *one), np.uint8)


def _metas(folder: Path) -> Iterator[dict[str, Any]]:
    """Descriptions with class names: the file, its copy, and what follows from the report of the import."""
    for path in (folder / META, folder / SPARE / META):
        meta = read_object(path)
        if isinstance(meta.get("classes"), list) and all(isinstance(name, str) for name in meta["classes"]):
            yield meta
    kept = read_object(folder / "report.json").get("kept")
    if isinstance(kept, dict):
        yield {"classes": list(kept), "fit": "crop"}


def _labels_and_splits(
    folder: Path, shape: Shape, meta: dict[str, Any]
) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]]:
    """Every combination of files and copies that could be."""
    count, classes = shape.count, meta["classes"]
    labels = [found for found in _arrays(folder, LABELS) if _are_labels(found, count, len(classes))]
    labels += _labels_of_paths(folder, count, classes)
    each = [[found for found in _arrays(folder, f"{split}.npy") if _are_places(found, count)] for split in SPLITS]
    for lost in range(len(SPLITS)):  # what is in no other split
        others = [split for place, split in enumerate(each) if place != lost]
        each[lost] += [np.setdiff1d(np.arange(count), np.concatenate(pair)) for pair in itertools.product(*others)]
    for found, *parts in itertools.product(labels, *each):
        if np.array_equal(np.sort(np.concatenate(parts)), np.arange(count)):
            yield found, dict(zip(SPLITS, parts, strict=True))


def _arrays(folder: Path, name: str) -> Iterator[NDArray[np.int64]]:
    for path in (folder / name, folder / SPARE / name):
        try:
            yield np.asarray(np.load(io.BytesIO(path.read_bytes()), allow_pickle=False))
        except Exception:  # numpy raises what it meets in damaged bytes
            continue


def _are_labels(found: NDArray[Any], count: int, classes: int) -> bool:
    return found.shape == (count,) and found.dtype == np.int64 and found.min() >= 0 and found.max() < classes


def _are_places(found: NDArray[Any], count: int) -> bool:
    fits = found.ndim == 1 and found.dtype == np.int64 and 0 < len(found) <= count
    return bool(fits and found.min() >= 0 and found.max() < count)


def _labels_of_paths(folder: Path, count: int, classes: list[str]) -> list[NDArray[np.int64]]:
    """Labels by the class folder in each image's path, where it has exactly one."""
    files = read_object(folder / "items.json").get("file")
    if not isinstance(files, list) or len(files) != count:
        return []
    numbers = {name: number for number, name in enumerate(classes)}
    by_folder = [{numbers[part] for part in str(path).split("/")[:-1] if part in numbers} for path in files]
    if any(len(labels) != 1 for labels in by_folder):
        return []
    return [np.array([labels.pop() for labels in by_folder], np.int64)]


def _completed(digest: Any, labels: NDArray[np.int64], splits: dict[str, NDArray[np.int64]]) -> str:
    whole = digest.copy()
    for numbers in (labels, *(splits[split] for split in SPLITS)):
        whole.update(np.ascontiguousarray(numbers, "<i8").data)
    return str(whole.hexdigest())


def _write(
    folder: Path,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    splits: dict[str, NDArray[np.int64]],
    meta: dict[str, Any],
) -> None:
    """Put every file in its place, whole or not at all."""
    header = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": pixels.shape}
    np.lib.format.write_array_header_1_0(header, described)
    with (folder / IMAGES).open("r+b") as file:
        if file.read(HEADER) != header.getvalue():
            file.seek(0)
            file.write(header.getvalue())
    for name, numbers in ((LABELS, labels), *((f"{split}.npy", splits[split]) for split in SPLITS)):
        data = io.BytesIO()
        np.save(data, numbers)
        _replace(folder / name, data.getvalue())
    mean, std = channel_statistics(pixels, splits["train"])
    whole = {"name": folder.name.rsplit("-", 1)[0], "image_size": pixels.shape[2], "mean": mean, "std": std}
    _replace(folder / META, json.dumps(meta | whole, indent=2).encode())


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(data)
    move_into_place(draft, path)


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file, {} where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
