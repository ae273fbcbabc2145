"""What became of every file of an import."""

from __future__ import annotations

import streamlit as st

from cnn_core.data.import_spec import ImportReport
from pages.ui import figures, layout, words
from pages.ui.errors import plain


def show(report: ImportReport) -> None:
    """The figures first, then classes, then what was left out."""
    total = sum(sum(splits.values()) for splits in report.kept.values())
    skipped = sum(entry["count"] for entry in report.skipped.values())
    with layout.card(plain(report.title)):
        figures.facts(
            {
                "Pictures": f"{total:,}",
                "Classes": str(len(report.kept)),
                "Channels × height × width": words.shape((report.shape[0], report.shape[1], report.shape[2])),
                "Left out": f"{skipped:,}",
                "Copies": f"{report.copies['count']:,}",
                "Took": words.duration(report.seconds),
            }
        )
        st.caption(plain(f"{report.colour} {_sizes(report)}"))
        with st.container(horizontal=True):
            st.page_link(
                "pages/train.py", label="Train on it", icon=":material/play_circle:",
                query_params={"data.dataset": report.dataset},
            )  # fmt: skip
            st.page_link(
                "pages/data.py", label="Look at it", icon=":material/photo_library:",
                query_params={"dataset": report.dataset},
            )  # fmt: skip
    with layout.card("Kept"):
        rows = [
            {"Class": name, **{words.label(split): n for split, n in kept.items()}}
            for name, kept in report.kept.items()
        ]
        st.dataframe(rows, hide_index=True, height=min(38 * (len(rows) + 1), 400))
        if report.few:
            st.warning(
                plain(f"Fewer than ten pictures: {', '.join(report.few[:20])}. A network hardly learns from so few."),
                icon=":material/warning:",
            )
    if report.copies["groups"]:
        with st.expander(f"Copies, pixel by pixel: {report.copies['count']:,}", icon=":material/content_copy:"):
            st.dataframe([{"Same picture": " = ".join(group)} for group in report.copies["groups"]], hide_index=True)
    for reason, entry in report.skipped.items():
        with st.expander(plain(f"{words.count(entry['count'], 'file')} left out: {reason}"), icon=":material/block:"):
            st.dataframe([{"File": file} for file in entry["files"]], hide_index=True)


def _sizes(report: ImportReport) -> str:
    if not report.originals:
        return ""
    small, middle, large = (words.shape(tuple(report.originals[name])) for name in ("smallest", "median", "largest"))
    if small == large:
        return f"The originals were {small} pixels."
    return f"The originals were {small} to {large} pixels, half of them at most {middle}."
