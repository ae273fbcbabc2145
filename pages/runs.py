"""Runs: every run there is; rename, delete, and lay several over each other."""

import streamlit as st

from cnn_core.runs.store import store
from pages.ui.charts import figures
from pages.ui.charts.curves import Record
from pages.ui.frame import layout
from pages.ui.runs import history, results
from pages.ui.runs.choosing import keep_on_show, watch

layout.title("Runs", "Everything that was trained here. Tick rows to rename, delete or compare them.")
runs = store().runs(limit=500)
if not runs:
    watch()
    layout.nothing_yet("Nothing has been trained here yet.")
    st.stop()
ticked = history.table(runs)
if len(ticked) == 1:
    keep_on_show(ticked[0])
if not history.actions(ticked):
    watch()

compared = ticked or history.latest_finished(runs)
if compared:
    st.markdown("#### Side by side" if len(compared) > 1 else "#### This run")
    if not ticked:
        st.caption("The latest finished runs; tick others above.")
    records = {run.id: Record(store().metrics(run.id), store().changes(run.id)) for run in compared}
    figures.compare_curves(records, compared)
    with layout.card("Results", results.RULE):
        results.table(compared)
    if len(compared) > 1:
        with layout.card("What differs in their recipes"):
            history.recipe_differences(compared)
