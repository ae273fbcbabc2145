"""A table of file names and labels beside the pictures (CSV), instead of folders."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archive_names import LONGEST_PART, can_be_shown
from cnn_core.data.incoming.labelled import SPLIT_FOLDERS, Labelled, Layout, checked, class_name, pictures_among
from cnn_core.errors import LayoutError
from cnn_core.settings import settings

LARGEST = 20_000_000  # bytes
DELIMITERS = (",", ";", "\t")
MOST_COLUMNS = 100
SNIFFED = 50  # rows that tell the delimiter
FILE_WORDS = (  # headings of the column of file names, the surest first
    "filename", "file_name", "file name", "file", "filepath", "path", "image_path", "image_name", "image", "img",
    "picture", "photo", "image_id", "id",
)  # fmt: skip
LABEL_WORDS = (
    "label", "labels", "class", "class_name", "classname", "category", "target", "species", "breed", "name",
)  # fmt: skip
SPLIT_WORDS = ("split", "subset", "set", "partition")
EXPECTED = "Expected are lines of file name and label, such as 1.jpg,cat."


def read_labels(csv_bytes: bytes, paths: Sequence[str]) -> Layout:
    """The classes as a table says them: file name, label and perhaps split, parted by commas, semicolons or tabs.

    UTF-8, else Latin-1. A first line of headings may name the columns. A file is found by its path, by the end of its
    path, or by its name where only one file has it. Lines and files that do not find each other are `ignored` with a
    reason. Raises LayoutError for what is no such table, and as `read_layout` does.
    """
    pictures, ignored, junk = pictures_among(paths)
    finder = _Finder(pictures)
    rows = _rows(csv_bytes, finder)
    file_at, label_at, split_at, headed = _columns([row for _, row in rows])
    files: dict[str, Labelled] = {}
    for line, row in rows[headed:]:
        cells = [row[at].strip() if at is not None and at < len(row) else "" for at in (file_at, label_at, split_at)]
        path, why = finder.find(cells[0])
        label, split = class_name(cells[1]), SPLIT_FOLDERS.get(cells[2].lower())
        if path and path in files:
            why = "names a file that a line above has labelled."
        elif path and not label:
            why = "has no label."
        elif path and (len(label.encode()) > LONGEST_PART or not can_be_shown(label)):
            why = "has a label that is too long or cannot be shown."
        elif path and cells[2] and not split:
            why = "has a split that is not train, validation or test."
        elif path:
            files[path] = Labelled(label, split)
        if why:
            ignored[f"line {line} of the labels ({shown_name(cells[0])})"] = f"It {why}"
    for path in pictures:
        if path not in files:
            ignored[path] = "The labels do not mention it, or not in a line that can be used."
    in_order = {path: files[path] for path in pictures if path in files}
    return checked(Layout(in_order, ignored, junk), EXPECTED)


class _Finder:
    """Finds the file that a table means."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = {unicodedata.normalize("NFC", path): path for path in paths}
        self._endings: dict[str, str | None] = {}  # every end of a path -> the path, None where several have it
        for path in self._paths:
            parts = path.split("/")
            for first in range(len(parts)):
                ending = "/".join(parts[first:])
                self._endings[ending] = None if ending in self._endings else self._paths[path]

    def find(self, cell: str) -> tuple[str, str]:
        """The path and "", or "" and why there is none."""
        name = unicodedata.normalize("NFC", cell).replace("\\", "/").removeprefix("./").strip("/")
        if name in self._paths:
            return self._paths[name], ""
        for ending in (name, name.rsplit("/", 1)[-1]):
            if ending in self._endings:
                path = self._endings[ending]
                return (path, "") if path else ("", "fits several files; write the folder too.")
        return "", "names no picture that is there."


def _rows(csv_bytes: bytes, finder: _Finder) -> list[tuple[int, list[str]]]:
    """Line numbers (1 is the first) and cells of all lines that are not empty."""
    text = _text(csv_bytes)
    delimiter = max(DELIMITERS, key=lambda mark: _fitness(text, mark, finder))  # of equals the first
    most, rows = settings().import_files + 1, []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row[:MOST_COLUMNS]))
            if len(rows) > most:
                raise LayoutError(f"The table of labels has more than {most:,} lines, the most accepted. Shorten it.")
    except csv.Error:
        raise LayoutError(
            f"The table of labels cannot be read in line {reader.line_num}: a quotation mark may be open. {EXPECTED}"
        ) from None
    if not rows:
        raise LayoutError(f"The table of labels is empty. {EXPECTED}")
    if all(len(row) < 2 for _, row in rows):
        raise LayoutError(f"The table of labels has only one column. {EXPECTED}")
    return rows


def _text(csv_bytes: bytes) -> str:
    if len(csv_bytes) > LARGEST:
        raise LayoutError(
            f"The table of labels has {len(csv_bytes) / 1e6:.1f} MB; at most {LARGEST // 10**6} MB are accepted. "
            "Keep only the columns of file name and label."
        )
    if b"\0" in csv_bytes:
        raise LayoutError(f"The table of labels is not plain text. Save it as “CSV UTF-8”. {EXPECTED}")
    try:
        return csv_bytes.decode("utf-8-sig")
    except UnicodeDecodeError:
        return csv_bytes.decode("latin-1")


def _fitness(text: str, delimiter: str, finder: _Finder) -> tuple[int, int]:
    """How well a delimiter fits the first rows: rows with a file that is there, and rows of two columns or more."""
    named = wide = 0
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for _, row in zip(range(SNIFFED), reader, strict=False):
            named += len(row) > 1 and any(finder.find(cell.strip())[0] for cell in row)
            wide += len(row) > 1
    except csv.Error:
        return 0, 0
    return named, wide


def _columns(rows: list[list[str]]) -> tuple[int, int, int | None, bool]:
    """Columns of file, label and split, and whether the first row is one of headings.

    Without headings these are the first three, the third only where every cell is a split.
    """
    words = [cell.strip().lower() for cell in rows[0]]

    def column(known: tuple[str, ...]) -> int | None:
        return next((words.index(word) for word in known if word in words), None)

    file_at, label_at = column(FILE_WORDS), column(LABEL_WORDS)
    if file_at is None or label_at is None:
        third = all(len(row) > 2 and row[2].strip().lower() in SPLIT_FOLDERS for row in rows)
        return 0, 1, 2 if third else None, False
    return file_at, label_at, column(SPLIT_WORDS), True
