"""What became of every file of an import."""

from __future__ import annotations

import streamlit as st

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.data.incoming.import_spec import ImportReport
from pages.ui.address import query
from pages.ui.charts import figures
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import data_uri, strip

ROW = 8  # images beside each class


def asked() -> ImportReport | None:
    """The report of the import that the address names, where there was one."""
    wanted = query.asked("report")
    with errors_shown():
        stored = versions.report(versions.folder_of(versions.about(wanted))) if wanted else {}
        known = {name: stored[name] for name in ImportReport.__dataclass_fields__ if name in stored}
        return ImportReport(**known) if "kept" in known else None
    return None


def show(report: ImportReport) -> None:
    """The figures first, then classes, then what was left out."""
    total = sum(sum(splits.values()) for splits in report.kept.values())
    skipped = sum(entry["count"] for entry in report.skipped.values())
    with layout.card(plain(versions.about(report.dataset).title)):  # it may have been renamed
        figures.facts(
            {
                "Images": f"{total:,}",
                "Classes": str(len(report.kept)),
                "Channels × height × width": words.shape((report.shape[0], report.shape[1], report.shape[2])),
                "Files left out": f"{skipped:,}",
                "Copies": f"{report.copies['count']:,}",
                "Took": words.duration(report.seconds),
            }
        )
        if report.added < report.found:
            st.caption(f"{report.added:,} of the {report.found:,} images found were added; the rest is named below.")
        st.caption(plain(f"{report.colour} {_sizes(report)}"))
        for rule, count in report.scaled.items():
            st.caption(plain(f"{words.count(count, 'image')}: {rule}"))
        with st.container(horizontal=True):
            st.page_link(
                "pages/train.py",
                label="Train on it",
                icon=":material/play_circle:",
                query_params={"data.dataset": report.dataset},
            )
            st.page_link(
                "pages/data.py",
                label="Look at it",
                icon=":material/photo_library:",
                query_params={"dataset": report.dataset},
            )
    with layout.card("Kept"):
        dataset = open_dataset(report.dataset)
        rows = [
            {"Class": name, "Some of them": _some(dataset, label)}
            | {words.label(split): count for split, count in splits.items()}
            for label, (name, splits) in enumerate(report.kept.items())
        ]
        st.dataframe(
            rows,
            hide_index=True,
            height=min(50 * len(rows) + 40, 560),
            row_height=50,
            column_config={"Some of them": st.column_config.ImageColumn(width="large")},
        )
        if report.few:
            st.warning(
                plain(f"Fewer than ten images: {', '.join(report.few[:20])}. A network hardly learns from so few."),
                icon=":material/warning:",
            )
        if report.untested:
            named = ", ".join(report.untested[:20]) + (" …" if len(report.untested) > 20 else "")
            st.warning(
                plain(f"No test images: {named}. How well a network does on them cannot be measured: it shows as –."),
                icon=":material/warning:",
            )
    if report.copies["groups"]:
        with st.expander(f"Copies, pixel by pixel: {report.copies['count']:,}", icon=":material/content_copy:"):
            st.dataframe([{"Same image": " = ".join(group)} for group in report.copies["groups"]], hide_index=True)
    for reason, entry in report.skipped.items():
        with st.expander(plain(f"{words.count(entry['count'], 'file')} left out: {reason}"), icon=":material/block:"):
            st.dataframe([{"File": file} for file in entry["files"]], hide_index=True)


def _some(dataset: ImageDataset, label: int) -> str:
    """A row of training images of a class, as an address."""
    chosen = sample(dataset, "train", label, ROW)
    return data_uri(strip(dataset.images[chosen], ROW, gap=1 + dataset.image_size // 24)) if len(chosen) else ""


def _sizes(report: ImportReport) -> str:
    if not report.originals:
        return ""
    small, middle, large = (words.shape(tuple(report.originals[name])) for name in ("smallest", "median", "largest"))
    if small == large:
        return f"The originals were {small} pixels."
    return f"The originals were {small} to {large} pixels, half of them at most {middle}."
