"""What all sessions know of a live run: exactly what the store has, also after a resume."""

from pathlib import Path

import pytest

from cnn_core.recipe import Recipe
from cnn_core.runs.events import Report, Started
from cnn_core.runs.store import store
from pages.ui.runs import records
from pages.ui.runs.records import Shared


def report(step: int, loss: float) -> Report:
    return Report(
        step=step, epoch=step / 5, loss=loss, train_accuracy=0.5, learning_rate=0.1, images_per_second=9.0, seconds=1.0
    )


def started(step: int) -> Started:
    return Started(step=step, steps=10, device="CPU", precision="float32", dataset_hash="x")


def test_a_live_chart_after_a_resume_has_no_void_point_and_misses_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FRESH", -1.0)
    run_id = store().create(Recipe(), "live", worker="w")
    live = Shared(run_id)

    def losses() -> list[float]:
        live.look()
        return [float(loss) for loss in live._record.column("train", "loss")]

    store().record(run_id, "w", started(0), report(2, 0.2), report(4, 0.4), report(5, 0.5))
    assert losses() == [0.2, 0.4, 0.5]
    store().record(run_id, "w", started(4))
    assert losses() == [0.2, 0.4]
    store().record(run_id, "w", report(5, 0.6), report(6, 0.7))
    assert losses() == [0.2, 0.4, 0.6, 0.7]
    store().record(run_id, "w", started(4), report(5, 0.8), report(6, 0.9))  # as many as there were
    assert losses() == [0.2, 0.4, 0.8, 0.9]
