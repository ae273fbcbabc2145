"""Which class and which split each file of a data set belongs to, told by its folders or by a table of labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from cnn_core.data.incoming.labels.labelled import Labelled, Layout, checked, class_name, images_among
from cnn_core.data.incoming.labels.split_folders import (
    Parts,
    first_folders,
    names_only_a_split,
    split_folders,
    split_of,
    wrappers,
    wrappers_of_classes,
)
from cnn_core.data.incoming.labels.table import read_labels
from cnn_core.errors import LayoutError

__all__ = ["Labelled", "Layout", "read_labels", "read_layout"]

EXPECTED = "Expected is one folder for each class, such as cats/1.jpg, cats/2.jpg, dogs/1.jpg."
OUTSIDE = "It lies outside the class folders."
BOXES = {"annotations", "annotation", "labels"}  # folders in which data sets for detection keep their boxes


def read_layout(paths: Sequence[str]) -> Layout:
    """The classes as ImageFolder takes them: the first folder below the top is the class, however deep a file lies.

    Folders that wrap everything are passed over, and a copy of the data set inside itself is left out. Where the
    folders at the top are splits (see `split_folders`), or those in every class are, they fix the splits. One of them
    alone counts as a wrapping folder. Raises LayoutError for fewer than 2 classes, more than the settings allow, splits
    without train, or data sets without class folders.
    """
    images, ignored, junk = images_among(paths)
    below = {path: tuple(part for part in path.split("/") if part) for path in images}
    for path, copy in _nested_copies(below).items():
        ignored[path] = f"Its folder {copy} repeats the folders and file names around it: counted once."
        del below[path]
    depth = wrappers(list(below.values()))
    groups: dict[str, list[Parts]] = defaultdict(list)
    for parts in below.values():
        if len(parts) > depth + 1:
            groups[parts[depth]].append(parts[depth + 1 :])
    splits = split_folders(groups)
    in_classes = not splits or any(first_folders(groups[folder], 0) for folder in splits)
    boxes = next((path for path in ignored if _is_in(path, BOXES)), "")
    if not in_classes or (boxes and len(groups) < 2):
        raise LayoutError(_without_classes(list(splits or groups), boxes))
    found = _in_splits(below, depth, groups, splits) if splits else _in_classes(below, depth)
    files = {}
    for path, labelled in found.items():
        if isinstance(labelled, Labelled):
            files[path] = labelled
        else:
            ignored[path] = labelled
    return checked(Layout(files, ignored, junk), EXPECTED)


def _in_splits(
    below: Mapping[str, Parts], depth: int, groups: Mapping[str, Sequence[Parts]], splits: Mapping[str, str]
) -> dict[str, Labelled | str]:
    """Class and split of each file, or why it has none, where the folders at `depth` are splits."""
    wrapped, trained = {}, set[str]()
    for folder in sorted(splits, key=lambda folder: splits[folder] != "train"):  # training first
        wrapped[folder] = wrappers_of_classes(groups[folder], trained if splits[folder] != "train" else ())
        if splits[folder] == "train":
            trained |= first_folders(groups[folder], wrapped[folder])
    found: dict[str, Labelled | str] = {}
    for path, parts in below.items():
        top = parts[depth] if len(parts) > depth + 1 else ""
        if top and top not in splits:
            found[path] = f"Its folder {top} is none of training, validation and test."
            continue
        inner = parts[depth + 1 + wrapped.get(top, 0) :]
        name = class_name(inner[0]) if top and len(inner) > 1 else ""
        found[path] = Labelled(name, splits[top]) if name else OUTSIDE
    return found


def _in_classes(below: Mapping[str, Parts], depth: int) -> dict[str, Labelled | str]:
    """Class of each file, and its split where every class consists of folders for splits."""
    inside = [parts[depth:] for parts in below.values() if len(parts) > depth + 1]
    seconds = {parts[1] if len(parts) > 2 else "" for parts in inside}
    in_splits = "train" in map(split_of, seconds) and len(seconds) > 1 and all(map(names_only_a_split, seconds))
    found: dict[str, Labelled | str] = {}
    for path, parts in below.items():
        name = class_name(parts[depth]) if len(parts) > depth + 1 else ""
        found[path] = Labelled(name, split_of(parts[depth + 1]) if in_splits else None) if name else OUTSIDE
    return found


def _nested_copies(below: Mapping[str, Parts]) -> dict[str, str]:
    """The files in a folder whose every file is there a second time, under a folder around it; with that folder.

    Such a folder has two or more folders in it, as a class that happens to have another's name has not.
    """
    known = set(below.values())
    sizes: Counter[Parts] = Counter()
    repeated: dict[tuple[Parts, Parts], list[Parts]] = defaultdict(list)
    for parts in below.values():
        for end in range(1, len(parts) - 1):
            sizes[parts[:end]] += 1
            for start in range(end):
                if parts[:start] + parts[end:] in known:
                    repeated[parts[:end], parts[:start]].append(parts[end:])
    copies = {
        folder
        for (folder, _), inner in repeated.items()
        if len(inner) == sizes[folder] and len({parts[0] for parts in inner}) > 1
    }
    return {
        path: "/".join(parts[:end])
        for path, parts in below.items()
        if (end := next((end for end in range(1, len(parts) - 1) if parts[:end] in copies), 0))
    }


def _is_in(path: str, folders: Collection[str]) -> bool:
    return any(part.lower() in folders for part in path.split("/")[:-1])


def _without_classes(folders: Sequence[str], boxes: str) -> str:
    """A sentence on folders that hold images and no classes."""
    what = f"No class folders were found in {' and '.join(folders[:3]) or 'it'}."
    if boxes:
        what += f" This looks like a data set for detection (as COCO or YOLO), with boxes such as in {boxes}."
    return f"{what} What works is one folder for each class, or a table of file names and labels."
