"""Which class and which split each file of a data set belongs to, told by its folders or by a table of labels."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.data.incoming.label_table import read_labels
from cnn_core.data.incoming.labelled import SPLIT_FOLDERS, Labelled, Layout, checked, class_name, pictures_among

__all__ = ["Labelled", "Layout", "read_labels", "read_layout"]

EXPECTED = "Expected is one folder for each class, such as cats/1.jpg, cats/2.jpg, dogs/1.jpg."


def read_layout(paths: Sequence[str]) -> Layout:
    """The classes as ImageFolder takes them: the first folder below the top is the class, however deep a file lies.

    Folders that wrap everything are passed over. Where all at the top are split folders (train; val, valid, validation
    or dev; test; in any case) and train is among two or more of them, they fix the splits. One of them alone counts as
    a wrapping folder. Raises LayoutError for fewer than 2 classes, more than the settings allow, or splits without
    train.
    """
    pictures, ignored, junk = pictures_among(paths)
    below = {path: tuple(part for part in path.split("/") if part) for path in pictures}
    depth = _wrapping_folders(list(below.values()))
    tops = {parts[depth].lower() for parts in below.values() if len(parts) > depth + 1}
    split_at_top = len(tops) > 1 and all(top in SPLIT_FOLDERS for top in tops)
    files = {}
    for path, parts in below.items():
        split = SPLIT_FOLDERS.get(parts[depth].lower()) if split_at_top and len(parts) > depth else None
        inner = parts[depth + split_at_top :]
        name = class_name(inner[0]) if len(inner) > 1 else ""
        if name:
            files[path] = Labelled(name, split)
        else:
            ignored[path] = "It lies outside the class folders."
    return checked(Layout(files, ignored, junk), EXPECTED)


def _wrapping_folders(paths: list[tuple[str, ...]]) -> int:
    """How many folders wrap all others: a single folder at the top that has folders with pictures in it."""
    depth = 0
    while True:
        inside = [parts for parts in paths if len(parts) > depth + 1]
        if len({parts[depth] for parts in inside}) != 1 or all(len(parts) == depth + 2 for parts in inside):
            return depth
        depth += 1
