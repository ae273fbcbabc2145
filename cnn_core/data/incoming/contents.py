"""What files hold: their classes by folders, or by a table that came with them or lies among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.archive import Files
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.labels.labelled import Layout, is_junk
from cnn_core.data.incoming.labels.layout import read_layout
from cnn_core.data.incoming.labels.table import LabelTable
from cnn_core.errors import ImageError, LayoutError

TABLES = (".csv", ".tsv")


def tables_inside(files: Files) -> list[str]:
    """Paths of what may be tables of labels among the files."""
    paths = [entry.path for entry in files.entries()]
    return [path for path in paths if PurePosixPath(path).suffix.lower() in TABLES and not is_junk(path)]


def label_table(files: Files, spec: ImportSpec, table: bytes | None = None) -> LabelTable | None:
    """The table that gives the labels: `table`, else the one among the files that was chosen, else None.

    Raises LayoutError when it is no table of labels.
    """
    if table is None and spec.labels_inside:
        table = _inside(files, spec.labels_inside)
    return None if table is None else LabelTable(table, [entry.path for entry in files.entries()])


def layout_of(files: Files, spec: ImportSpec, table: bytes | None = None) -> Layout:
    """Class and split of each file, with what was no file to read among those left out.

    Raises LayoutError, naming the tables among the files where the folders do not say what the classes are.
    """
    found = label_table(files, spec, table)
    if found:
        layout = found.layout(spec.label_column)
    else:
        try:
            layout = read_layout([entry.path for entry in files.entries()])
        except LayoutError as error:
            if tables := tables_inside(files):
                raise LayoutError(f"{error} The labels may be in the table {tables[0]} among the files.") from None
            raise
    return replace(layout, ignored=files.skipped() | layout.ignored)


def _inside(files: Files, path: str) -> bytes:
    for _, data in files.read({path}):
        if isinstance(data, ImageError):
            raise LayoutError(str(data))
        return data
    raise LayoutError(f"There is no table {shown_name(path)} among the files. Choose another, or the folders.")
