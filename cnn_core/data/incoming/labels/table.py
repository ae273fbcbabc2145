"""A table of file names and labels beside the images (CSV), instead of folders."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.encoding import likeliest
from cnn_core.data.incoming.archives.names import LONGEST_PART, can_be_shown
from cnn_core.data.incoming.labels.columns import ONE_HOT, ONES, columns
from cnn_core.data.incoming.labels.files import Finder
from cnn_core.data.incoming.labels.labelled import SPLIT_FOLDERS, Labelled, Layout, checked, class_name, images_among
from cnn_core.errors import ImageError, LabelColumnError, LayoutError
from cnn_core.settings import settings

LARGEST = 20_000_000  # bytes
DELIMITERS = (",", ";", "\t")
MOST_COLUMNS = 100
SNIFFED = 50  # rows that tell the delimiter
EXPECTED = "Expected are lines of file name and label, such as 1.jpg,cat."


def read_labels(csv_bytes: bytes, paths: Sequence[str], label_column: str = "") -> Layout:
    """The classes as a table says them: see `LabelTable`."""
    return LabelTable(csv_bytes, paths).layout(label_column)


class LabelTable:
    """File name, label and perhaps split of images, parted by commas, semicolons or tabs.

    UTF-8, else the encoding that fits best. A first line of headings may name the columns. A file is found by its path,
    by the end of its path, or by its name with or without its ending, where only one file has it. Classes may also
    stand in the headings of columns of zeros and ones. Raises LayoutError for what is no such table.
    """

    def __init__(self, csv_bytes: bytes, paths: Sequence[str]) -> None:
        self._images, self._ignored, self._junk = images_among(paths)
        self._finder = Finder(self._images)
        self._rows = _rows(csv_bytes, self._finder)
        self.columns = columns([row for _, row in self._rows], lambda cell: bool(self._finder.find(cell)[0]))

    def layout(self, label_column: str = "") -> Layout:
        """The classes by the column of this name, or by the one that is likely the label.

        Lines and files that do not find each other are `ignored` with a reason. Raises LabelColumnError where a person
        has to choose, and LayoutError where hardly anything is found and as `read_layout` does.
        """
        label_of = self._label(label_column)
        files: dict[str, Labelled] = {}
        ignored, missing = dict(self._ignored), []
        for line, row in self._rows[bool(self.columns.headed) :]:
            cell, split_cell = _at(row, self.columns.file), _at(row, self.columns.split)
            path, why = self._finder.find(cell)
            label, split = label_of(row), SPLIT_FOLDERS.get(split_cell.lower())
            if not path:
                missing.append(cell)
            elif path in files:
                why = "names a file that a line above has labelled."
            elif isinstance(label, ImageError):
                why = label.reason
            elif split_cell and not split:
                why = "has a split that is not train, validation or test."
            else:
                files[path] = Labelled(label, split)
            if why:
                ignored[f"line {line} of the labels ({shown_name(cell)})"] = f"It {why}"
        if self.columns.headed == "guessed":
            line, row = self._rows[0]
            ignored[f"line {line} of the labels ({shown_name(_at(row, self.columns.file))})"] = "It holds headings."
        for path in self._images:
            if path not in files:
                ignored[path] = "The labels do not mention it, or not in a line that can be used."
        in_order = {path: files[path] for path in self._images if path in files}
        try:
            return checked(Layout(in_order, ignored, self._junk), EXPECTED)
        except LayoutError as error:
            raise LayoutError(f"{error}{self._not_found(missing)}") from None

    def _label(self, label_column: str) -> Callable[[Sequence[str]], str | ImageError]:
        """What gives the label of a row, or why it has none."""
        known = self.columns
        chosen = label_column or known.chosen
        if not chosen or chosen.casefold() not in map(str.casefold, known.choices):
            raise LabelColumnError(
                f"The table of labels has no column {shown_name(chosen)} beside that of the files."
                if chosen
                else "Several columns of the table may be the label.",
                known.choices,
            )
        if chosen == ONE_HOT:
            return lambda row: _only_one(row, known.one_hot, known.names)
        at = next(at for at, name in enumerate(known.names) if name.casefold() == chosen.casefold())
        return lambda row: _usable(_at(row, at))

    def _not_found(self, missing: Sequence[str]) -> str:
        """How many names match no image, with examples; "" where all do."""
        if not missing:
            return ""
        lines = len(self._rows) - bool(self.columns.headed)
        files = f", but the files are called as {shown_name(self._images[0])}" if self._images else ""
        return (
            f" {len(missing):,} of {lines:,} names in the table match no image, such as "
            f"{', '.join(shown_name(cell) for cell in missing[:3])}{files}."
        )


def _only_one(row: Sequence[str], one_hot: Sequence[int], names: Sequence[str]) -> str | ImageError:
    marked = [names[at] for at in one_hot if _at(row, at).lower() in ONES]
    if len(marked) > 1:
        return ImageError("", "has several labels, and an image needs one.")
    return _usable(marked[0] if marked else "")


def _usable(cell: str) -> str | ImageError:
    label = class_name(cell)
    if not label:
        return ImageError("", "has no label.")
    if len(label.encode()) > LONGEST_PART or not can_be_shown(label):
        return ImageError("", "has a label that is too long or cannot be shown.")
    return label


def _at(row: Sequence[str], at: int | None) -> str:
    return row[at].strip() if at is not None and at < len(row) else ""


def _rows(csv_bytes: bytes, finder: Finder) -> list[tuple[int, list[str]]]:
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
        cells = [cell for cell in re.split(rb"[,;\t\r\n]+", csv_bytes) if not cell.isascii()]
        return csv_bytes.decode(likeliest(cells), "replace")


def _fitness(text: str, delimiter: str, finder: Finder) -> tuple[int, int]:
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
