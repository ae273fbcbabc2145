"""Which maps of a layer matter, and for which class: a table to be read as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cnn_core.inspection.ablation import Ranking, ablate
from pages.ui.frame import layout, words
from pages.ui.frame.errors import plain
from pages.ui.inside import edits, validation
from pages.ui.inside.look import Look
from pages.ui.runs.choosing import weights_version

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

SECONDS = 30.0  # until no further batch is begun
MOST_MAPS, MOST_CLASSES = 128, 20  # rows and columns of the table
FELL, ROSE = (232, 89, 12), (37, 99, 235)  # orange and blue of the theme's palette
STRONGEST = 0.75  # opacity: the digits stay legible
HELP = (
    "Ablation: each one is silenced alone, and all images are classified again. Orange: the fraction of images that "
    "are right fell, so it is needed. Blue: it rose. One without a change is not needed by itself; others may do its "
    "work."
)


def ranking(look: Look, address: str) -> Ranking | None:
    """Of a layer of the saved network, where somebody has measured it."""
    dataset = validation.usable(look)
    kept = [] if dataset is None else _slot(look, dataset.content_hash, address)
    return kept[0] if kept else None


def show(look: Look, address: str, name: str) -> None:
    """A button that measures the layer's maps, then the table; a row that is ticked is a silenced map."""
    dataset = validation.usable(look)
    if dataset is None:
        return
    each = edits.noun(look.network.network, address)
    with layout.card(f"Which {each}s matter", HELP):
        found = ranking(look, address)
        if found is None:
            st.caption(
                f"Silences the {each}s of “{plain(name)}” one after the other and measures what falls, on at most "
                f"{validation.RANKED:,} validation images and for about {SECONDS:.0f} s."
            )
            if st.button(f"Rank the {each}s of this layer", icon=":material/leaderboard:", key="surgery-rank"):
                _measure(look, address)
            return
        _table(look, found, each)


def table(found: Ranking, classes: Sequence[str], each: str = "Map") -> tuple[pd.DataFrame, list[int]]:
    """One row a map, those that matter most first, with differences in points; and the map of each row, 0-based."""
    import pandas as pd

    rows = [int(unit) for unit in found.order[:MOST_MAPS]]
    present = np.flatnonzero(~np.isnan(found.recall))
    total = np.abs(found.recall_fall[:, present]).sum(axis=0)
    shown = np.sort(present[np.argsort(-total, kind="stable")][:MOST_CLASSES])
    columns = {
        each: [unit + 1 for unit in rows],
        "Changed": found.changed[rows],
        "Accuracy": -100 * found.accuracy_fall[rows],
    }
    falls = {_unique(classes, int(label), columns): -100 * found.recall_fall[rows, label] for label in shown}
    return pd.DataFrame(columns | falls), rows


def _measure(look: Look, address: str) -> None:
    dataset = validation.usable(look)
    assert dataset is not None
    chosen = np.random.default_rng(validation.SEED).permutation(validation.positions(look, dataset, validation.RANKED))
    bar = st.progress(0.0, "Starting …")
    found = ablate(
        look.network.network,
        look.network.batches(dataset.images, chosen, validation.together(look.network.network)),
        dataset.labels[chosen],
        address,
        lambda done: bar.progress(min(done, 1.0), f"Silencing one map after the other: {done:.0%}"),
        SECONDS,
    )
    _slot(look, dataset.content_hash, address)[:] = [found]
    st.rerun()


def _table(look: Look, found: Ranking, each: str) -> None:
    frame, rows = table(found, look.network.classes, each.capitalize())
    quiet, key = edits.silenced_units(look.run, found.address), f"surgery-ranking:{edits.turn(look.run)}"
    ticked = [place for place, unit in enumerate(rows) if unit in quiet]
    st.dataframe(
        _styled(frame),
        hide_index=True,
        height=min(38 + 35 * len(frame), 460),
        column_config=_columns(),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        on_select=lambda: _ticked(look, found.address, rows, key),
        key=key,
        alt="What falls when each map is silenced",
    )
    dead = int((found.changed == 0).sum())
    whole = f", the first {len(rows)} of {len(found.changed):,} {each}s" if len(rows) < len(found.changed) else ""
    st.caption(
        f"Difference in points on {words.count(found.images, 'validation image')}{whole}. Tick a row to silence its "
        f"{each}. {words.count(dead, each)} changed no prediction."
    )


def _ticked(look: Look, address: str, rows: Sequence[int], key: str) -> None:
    chosen = {rows[place] for place in st.session_state[key]["selection"]["rows"] if place < len(rows)}
    edits.set_silenced(look.run, address, chosen, set(rows))


def _styled(frame: pd.DataFrame) -> Styler:
    changes = frame.columns[2:]
    largest = float(np.abs(frame[changes].to_numpy()).max(initial=0)) or 1.0
    return frame.style.map(lambda change: _shade(change / largest), subset=changes).format(_signed, subset=changes)


def _signed(points: Any) -> str:
    return f"{points:+.1f}".replace("-", "−") if round(points, 1) else "0"


def _shade(change: float) -> str:
    """-1…1 as a background."""
    red, green, blue = FELL if change < 0 else ROSE
    return f"background-color: rgba({red}, {green}, {blue}, {abs(change) * STRONGEST:.3f})"


def _columns() -> dict[str, Any]:
    return {
        **{each: st.column_config.NumberColumn(width=64) for each in ("Map", "Output")},
        "Changed": st.column_config.NumberColumn(help="Images whose prediction is another one without it.", width=72),
    }


def _unique(classes: Sequence[str], label: int, taken: dict[str, object]) -> str:
    """A class's name as a column: distinguished from the other columns and from classes of the same name."""
    name = classes[label]
    return f"{name} ({label + 1})" if name in taken or classes.count(name) > 1 else name


def _slot(look: Look, content_hash: str, address: str) -> list[Ranking]:
    return _kept(look.run.id, look.epoch, weights_version(look.run, look.epoch), content_hash, address)


@st.cache_resource(max_entries=64, show_spinner=False)
def _kept(run_id: str, epoch: int | None, version: str, content_hash: str, address: str) -> list[Ranking]:
    """Empty until one viewer has measured it, then for all of them."""
    return []
