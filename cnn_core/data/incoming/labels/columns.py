"""Which columns of a table hold the file, the label and the split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cnn_core.data.incoming.labels.labelled import ENDINGS, SPLIT_FOLDERS

FILE_WORDS = (  # headings of the column of file names, the surest first
    "filename",
    "file_name",
    "file name",
    "file",
    "filepath",
    "path",
    "image_path",
    "image_name",
    "image",
    "img",
    "picture",
    "photo",
    "image_id",
    "id",
)
LABEL_WORDS = (
    "label",
    "labels",
    "class",
    "class_name",
    "classname",
    "category",
    "target",
    "species",
    "breed",
    "name",
)
SPLIT_WORDS = ("split", "subset", "set", "partition")
ONE_HOT = "one column for each class"
ZEROS, ONES = {"0", "0.0", "0.", "false", ""}, {"1", "1.0", "1.", "true"}
MOSTLY = 0.9  # of the rows have exactly one 1 where columns are one-hot
SAMPLED = 50  # rows that tell which column names the files

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Columns:
    """Positions of the columns. `label` is None where a person has to choose it."""

    names: tuple[str, ...]  # by the headings, or "column 1" …
    headed: str  # "" where the first row is one of data, "known" or "guessed" where it holds headings
    file: int
    split: int | None
    one_hot: tuple[int, ...]  # those that hold 1 for the class of a row and 0 for the others
    label: int | None

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of what may be the label, as `at` takes them."""
        others = (name for at, name in enumerate(self.names) if at not in (self.file, self.split, *self.one_hot))
        return (*([ONE_HOT] if self.one_hot else []), *others)

    @property
    def chosen(self) -> str:
        """What is the label unless a person says otherwise; "" where they have to."""
        if self.label is not None:
            return self.names[self.label]
        return ONE_HOT if self.one_hot else ""


def columns(rows: Rows, is_file: Callable[[str], bool]) -> Columns:
    """The columns of a table with at least one row. `is_file` says whether a cell names a file that is there."""
    width = max(map(len, rows))
    head = [cell.strip() for cell in rows[0]] + [""] * (width - len(rows[0]))
    words = [cell.lower() for cell in head]
    matches = [sum(is_file(_cell(row, at)) for row in rows[:SAMPLED]) for at in range(width)]
    best = max(range(width), key=lambda at: matches[at])
    named = _first(FILE_WORDS, words)
    file = best if named is None or (not matches[named] and matches[best]) else named
    headed = _headed(head, file, named is not None, is_file) if any(matches) or named is not None else ""
    body = rows[1:] if headed else rows
    names = tuple((head[at] if headed else "") or f"column {at + 1}" for at in range(width))
    split = _first(SPLIT_WORDS, words) if headed else _split_without_headings(body)
    others = [at for at in range(width) if at not in (file, split)]
    label = _first(LABEL_WORDS, words, file) if headed else next(iter(others), None)
    one_hot = _one_hot(body, others) if headed and label is None else ()
    if label is None and not one_hot and len(others) == 1:
        label = others[0]
    return Columns(names, headed, file, split, one_hot, label)


def _first(known: Sequence[str], words: Sequence[str], not_at: int = -1) -> int | None:
    return next((words.index(word) for word in known if word in words and words.index(word) != not_at), None)


def _headed(head: Sequence[str], file: int, named: bool, is_file: Callable[[str], bool]) -> str:
    """Whether the first row holds headings: by their words, or because it alone names nothing like a file."""
    if is_file(head[file]) or PurePosixPath(head[file]).suffix.lower() in ENDINGS[1:]:
        return ""
    known = named and len(head) > 1
    return "known" if known else "guessed"


def _split_without_headings(rows: Rows) -> int | None:
    return 2 if all(_cell(row, 2).lower() in SPLIT_FOLDERS for row in rows) else None


def _one_hot(rows: Rows, others: Sequence[int]) -> tuple[int, ...]:
    """The columns of zeros and ones, where nearly every row has one 1."""
    found = tuple(at for at in others if all(_cell(row, at).lower() in ZEROS | ONES for row in rows))
    single = sum(sum(_cell(row, at).lower() in ONES for at in found) == 1 for row in rows)
    return found if len(found) > 1 and single >= MOSTLY * len(rows) > 0 else ()


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""
