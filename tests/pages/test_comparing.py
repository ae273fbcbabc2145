"""Several runs on one page can be told apart: by their labels, by colour, and past the palette by dashes."""

import numpy as np
import pytest

from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.colours import run_colour, run_palette
from pages.ui.comparing import labels, line_styles
from pages.ui.curves import Record
from pages.ui.figures import compare_option
from pages.ui.runs import title
from tests.pages.conftest import digits_recipe


def made(home: object, *numbers: int, name: str = "Same", rates: tuple[float, ...] = ()) -> list[Run]:
    """Runs with these numbers, one name, and each its learning rate."""
    runs = []
    for place, number in enumerate(numbers):
        values = digits_recipe("simple_cnn", 2).model_dump()
        values["training"]["learning_rate"] = rates[place] if rates else 0.01
        run = store().get(store().create(Recipe.model_validate(values), name))
        run.number = number
        runs.append(run)
    return runs


@pytest.mark.parametrize("count", [1, 2, 8, 9, 10, 18, 27])
def test_no_two_runs_have_one_line(home: object, count: int) -> None:
    """Numbers that all have one colour of their own, the worst case."""
    runs = made(home, *(1 + 9 * place for place in range(count)))
    styles = line_styles(runs)
    assert len(set(styles.values())) == count
    assert [styles[run.id][1] for run in runs[:9]] == ["solid"] * min(count, 9)
    assert len({colour for colour, _ in styles.values()}) == min(count, len(run_palette()))


def test_a_run_keeps_its_colour_where_it_is_free(home: object) -> None:
    first, other, clash = made(home, 1, 2, 10)
    styles = line_styles([clash, other, first])
    assert styles[first.id] == (run_colour(first), "solid")
    assert styles[other.id] == (run_colour(other), "solid")
    assert styles[clash.id][0] not in (run_colour(first), run_colour(other))


def test_one_name_is_told_apart_by_what_differs(home: object) -> None:
    runs = made(home, 3, 4, 5, rates=(0.01, 0.00001, 0.01))
    assert list(labels(runs).values()) == [
        "#3 · learning rate 0.01 · Same",
        "#4 · learning rate 0.00001 · Same",
        "#5 · learning rate 0.01 · Same",
    ]
    assert list(labels(runs[:1]).values()) == ["Same"]


def test_equal_recipes_are_told_apart_by_their_numbers(home: object) -> None:
    assert list(labels(made(home, 7, 8)).values()) == ["#7 · Same", "#8 · Same"]


def test_a_name_that_looks_like_a_label_is_no_second_one(home: object) -> None:
    runs = [*made(home, 7, 8), *made(home, 9, name="#7 · Same")]
    assert len(set(labels(runs).values())) == 3


def test_curves_have_the_labels_and_styles(home: object) -> None:
    runs = made(home, 1, 10)
    series = compare_option(runs, dict.fromkeys((run.id for run in runs), Record()), "loss")["series"]
    drawn = {line["name"]: (line["color"], line["lineStyle"]["type"]) for line in series}
    assert drawn == {labels(runs)[run.id]: line_styles(runs)[run.id] for run in runs}


def test_a_picker_begins_with_what_tells_a_run_apart(home: object) -> None:
    (run,) = made(home, 12, name="x" * 80)
    run.test_accuracy = float(np.float64(0.98331))
    assert title(run).startswith("#12 · 98.33% · xxx")
