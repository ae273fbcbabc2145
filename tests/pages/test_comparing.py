"""Several runs on one page can be told apart: by their labels, by colour, and past the palette by dashes."""

import numpy as np
import pytest

from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Change, Metric, Run
from pages.ui.charts.comparing import choice_text, choices, labels, line_styles
from pages.ui.charts.curves import Record
from pages.ui.charts.figures import compare_option, curve_option
from pages.ui.charts.loss_axis import highest_shown
from pages.ui.frame.colours import run_colour, run_palette
from pages.ui.runs.choosing import title
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


def recipe(**training: object) -> Recipe:
    values = digits_recipe("simple_cnn", 2).model_dump()
    values["training"] |= training
    return Recipe.model_validate(values)


def test_a_choice_that_does_not_matter_is_no_value_and_no_label(home: object) -> None:
    sgd, adam = recipe(optimiser="sgd", momentum=0.9), recipe(optimiser="adam", momentum=0.5)
    assert choices(sgd)["training.momentum"] == 0.9
    assert choices(adam)["training.momentum"] is None
    assert choice_text("training.momentum", None) == "–"
    runs = [store().get(store().create(one, "Same")) for one in (recipe(optimiser="adam", momentum=0.9), adam)]
    assert [label.split(" · ")[1:] for label in labels(runs).values()] == [["Same"]] * 2


def test_zero_that_keeps_the_data_sets_own_reads_so() -> None:
    assert choice_text("data.validation_fraction", 0.0) == "the data set's own"
    assert choice_text("data.image_size", 0) == "the data set's own"
    assert choice_text("data.validation_fraction", 0.2) == "0.2"
    assert choice_text("training.weight_decay", 0.0) == "0"


def points(*losses: float) -> list[list[float]]:
    return [[float(place), loss] for place, loss in enumerate(losses)]


def test_an_exploded_loss_does_not_press_the_others_flat() -> None:
    ordinary, wild = points(2.3, 0.5, 0.1), points(2.3, 40.0, 1e7, 1e7)
    assert highest_shown([]) is None
    assert highest_shown([ordinary, points(10.0)]) is None, "nothing exploded: all is shown"
    assert 2.3 < (highest_shown([ordinary, wild]) or 0) < 5
    assert 2.3 < (highest_shown([points(1e7, 30.0, *[2.3] * 9, 0.1)]) or 0) < 5, "one run that starts so"
    assert 400 < (highest_shown([points(1e7, 1e7, 1e7), points(200, 210, 1e6)]) or 0) < 500
    assert highest_shown([points(float("nan"), float("inf"), 1.0)]) is None


def metrics(*losses: float) -> list[Metric]:
    return [
        Metric(id=1, step=1, kind="validation", epoch=place, loss=loss, accuracy=0.5)
        for place, loss in enumerate(losses, 1)
    ]


def test_both_charts_of_losses_end_above_the_ordinary_ones(home: object) -> None:
    calm, wild = made(home, 1, 2)
    records = {calm.id: Record(metrics(2.0, 1.0)), wild.id: Record(metrics(2.0, 1e7))}
    assert compare_option([calm, wild], records, "loss")["yAxis"]["max"] == pytest.approx(2.5)
    assert compare_option([calm, wild], records, "accuracy")["yAxis"]["max"] is None
    back = Record(metrics(2.0, 1e7, 16.0))
    assert curve_option(wild, back, "loss")["yAxis"]["max"] == pytest.approx(20), "where a single run ends is in sight"
    assert curve_option(calm, records[calm.id], "loss")["yAxis"]["max"] is None


@pytest.mark.parametrize(("second", "shown"), [(1.0, [False, True]), (1.4, [False, True]), (1.41, [True, True])])
def test_rates_of_two_runs_that_stand_close_share_one_label(home: object, second: float, shown: list[bool]) -> None:
    """A label is a fifth of the two epochs wide."""
    runs = made(home, 1, 2)
    records = {
        one.id: Record((), [Change(id=1, step=1, epoch=epoch, name="training.learning_rate", old=0.1, new=new, time=0)])
        for one, epoch, new in zip(runs, (1.0, second), (2.0, 0.001), strict=True)
    }
    series = compare_option(runs, records, "loss")["series"]
    marks = [mark for line in series if "markLine" in line for mark in line["markLine"]["data"]]
    assert [mark["label"]["show"] for mark in marks] == shown
    assert [mark["label"]["formatter"] for mark in marks] == ["rate 2", "rate 0.001"]
