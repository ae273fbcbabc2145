"""Data sets: the list of them, fetching one, and making one of a person's images."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from cnn_core.command_line.files import read_at_most, require_file_or_folder
from cnn_core.command_line.output import print_counter, print_line, print_report
from cnn_core.data.catalogue.library import Progress, is_ready, prepare
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.incoming.archives.archive import Files, open_archive, open_folder
from cnn_core.data.incoming.archives.encoding import ENCODINGS
from cnn_core.data.incoming.contents import layout_of, tables_inside
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.labels.labelled import Layout
from cnn_core.errors import LabelColumnError, LayoutError, PlaygroundError
from cnn_core.spec import parse

LABELS_MEGABYTES = 100  # 10 million rows of ten letters


def datasets(options: argparse.Namespace) -> None:
    if options.get:
        dataset = prepare(options.get, options.size, _print_progress)
        print_line(
            {"dataset": dataset.name, "hash": dataset.content_hash, "shape": dataset.shape, "classes": dataset.classes}
        )
        return
    for source in dataset_sources:
        about = {"title": source.title, "images": source.images, "classes": source.classes, "licence": source.licence}
        print_line({"dataset": source.name, "ready": is_ready(source.name), **about})


def _print_progress(progress: Progress) -> None:
    print_line({"event": "progress", **asdict(progress)})


def import_dataset(options: argparse.Namespace) -> None:
    path = Path(options.path)
    require_file_or_folder(path)
    files = open_folder(path, checked=False) if path.is_dir() else open_archive(path, options.encoding)
    inside = options.labels if options.labels in tables_inside(files) else ""
    chosen = {"size": options.size, "fit": options.fit, "colour": "greyscale" if options.greyscale else None}
    chosen |= {"encoding": options.encoding, "label_column": options.label_column, "labels_inside": inside}
    spec = parse(ImportSpec, {name: value for name, value in chosen.items() if value is not None}, "import")
    beside = options.labels and not inside
    table = read_at_most(options.labels, LABELS_MEGABYTES, "label table") if beside else None
    layout = _layout(files, spec, table)
    report = import_images(
        files, layout, spec, options.name, made_by=options.made_by, onto=options.add_to, progress=print_counter
    )
    print_report(asdict(report))
    print(report.dataset)


def _layout(files: Files, spec: ImportSpec, table: bytes | None) -> Layout:
    """The layout by what was asked for; where that leaves a choice, the option to make it with is named."""
    if encodings := files.encodings():
        others = f"; others that fit: {', '.join(encodings[1:])} (--encoding)" if encodings[1:] else ""
        print(f"Names are read as {ENCODINGS[encodings[0]]}{others}.", file=sys.stderr)
    try:
        return layout_of(files, spec, table)
    except LabelColumnError as error:
        raise PlaygroundError(f"{error} Name it with --label-column.") from None
    except LayoutError as error:
        tables = [] if table or spec.labels_inside else tables_inside(files)
        raise PlaygroundError(f"{error} Use it with --labels {tables[0]}." if tables else str(error)) from None
