"""What the doctor says, each finding with its repairs a click away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cnn_core.models.doctor import Finding, repair_all
from cnn_core.models.layer import Shape
from cnn_core.models.tree import Layers, Path
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.words import count

Change = Callable[[Layers], None]
MOST_REPAIRS = 3
ICONS = {"error": ":red[:material/error:]", "advice": ":orange[:material/lightbulb:]"}


def show(
    findings: Sequence[Finding],
    layers: Layers,
    of: tuple[Shape, int],
    change: Change,
    resize: Callable[[int], None],
    select: Callable[[Path], None],
) -> None:
    """`of`: the shape of the images and the number of classes; `resize` sets the size of the images."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not findings:
        st.markdown(
            ":green[:material/check_circle:] **The doctor finds nothing**: every layer fits, nothing is unwise."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**The doctor**: {_summary(errors, findings)}")
        if len(errors) > 1:
            st.button(
                "Mend all errors", icon=":material/healing:", on_click=_mend, args=(layers, of, change), key="mend"
            )
    for place, finding in enumerate(findings):
        _row(place, finding, layers, change, resize, select)


def _summary(errors: Sequence[Finding], findings: Sequence[Finding]) -> str:
    advice = len(findings) - len(errors)
    parts = [count(len(errors), "error")] if errors else []
    return " and ".join([*parts, *([f"{advice} piece{'s' * (advice != 1)} of advice"] if advice else [])])


def _row(
    place: int,
    finding: Finding,
    layers: Layers,
    change: Change,
    resize: Callable[[int], None],
    select: Callable[[Path], None],
) -> None:
    with st.container(border=True, key=f"finding:{place}", gap="xsmall"):
        where = f"**{_where(finding.path)}**: " if finding.path else ""
        st.markdown(f"{ICONS[finding.severity]} {where}{plain(finding.sentence)}")
        with st.container(horizontal=True, gap="small"):
            for number, repair in enumerate(finding.repairs[:MOST_REPAIRS]):
                first = "primary" if finding.severity == "error" and number == 0 else "secondary"
                st.button(
                    plain(repair.title),
                    key=f"repair:{place}:{number}",
                    type=first,  # type: ignore[arg-type]
                    on_click=lambda repair=repair: change(repair.layers),
                )
            if finding.image_size:
                size = finding.image_size
                st.button(f"Use images of {size}×{size}", key=f"resize:{place}", on_click=resize, args=(size,))
            if finding.path:
                st.button(
                    "Show",
                    key=f"show:{place}",
                    icon=":material/my_location:",
                    type="tertiary",
                    on_click=select,
                    args=(finding.path,),
                )


def _where(path: Path) -> str:
    return "Layer " + ".".join(str(step + 1) for step in path)


def _mend(layers: Layers, of: tuple[Shape, int], change: Change) -> None:
    with errors_shown():
        change(repair_all(layers, *of))
