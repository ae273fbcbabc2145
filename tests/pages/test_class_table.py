"""The class table fits a phone."""

import json

from tests.pages.conftest import Open

TABLE = 326  # CSS pixels inside a card on a screen of 390
BOXES = 34  # the column that selects rows


def test_class_precision_recall_and_f1_fit_beside_each_other_on_a_phone(open_page: Open, runs: list[str]) -> None:
    table = open_page("evaluate", run=runs[0]).dataframe[0]
    assert list(table.value.columns) == ["class", "precision", "recall", "f1", "support"]
    columns = json.loads(table.proto.columns)
    assert BOXES + sum(columns[name]["width"] for name in ("class", "precision", "recall", "f1")) <= TABLE
    assert [columns[name]["label"] for name in ("class", "precision", "recall", "f1")] == [
        "Class",
        "Prec.",
        "Recall",
        "F1",
    ]
