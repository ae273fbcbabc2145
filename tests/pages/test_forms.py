"""Widgets follow the fields: limits, scales and what is needed."""

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from cnn_core.recipe import Recipe, TrainingSpec
from cnn_core.spec import fields
from pages.ui.forms import typed, widgets
from pages.ui.frame import words

FIELDS = TrainingSpec.model_fields


@pytest.mark.parametrize("name", FIELDS)
def test_a_person_cannot_type_what_the_recipe_refuses(name: str) -> None:
    for value in widgets.limits(FIELDS[name]):
        if value is not None:
            TrainingSpec(**{name: value})


def test_scales_are_logarithmic() -> None:
    assert widgets.one_two_five(0.01) == pytest.approx([1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2])
    assert widgets.powers_of_two(1, 16) == [1, 2, 4, 8, 16]


def test_a_field_is_needed_only_beside_a_certain_choice() -> None:
    values = TrainingSpec(optimiser="sgd").model_dump()
    assert widgets.needed(FIELDS["momentum"], values)
    assert not widgets.needed(FIELDS["momentum"], values | {"optimiser": "adam"})
    assert widgets.needed(FIELDS["epochs"], values)


@pytest.mark.parametrize(
    ("number", "text"),
    [(263.4, "263"), (999.5, "1,000"), (12_345.6, "12,300"), (0.00001, "0.00001"), (-0.0, "-0"), (float("nan"), "–")],
)
def test_numbers_have_no_exponent(number: float, text: str) -> None:
    assert words.significant(number) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1 kB"),
        (1000, "1 kB"),
        (262_100_000, "262 MB"),
        (999_499_999, "999 MB"),
        (999_500_000, "1 GB"),
        (2.64e9, "2.64 GB"),
        (3e15, "3,000 TB"),
    ],
)
def test_sizes_have_a_prefix_and_a_unit(count: float, text: str) -> None:
    assert words.size(count) == text


def test_differences_and_times() -> None:
    assert [words.points(share) for share in (0.012, 0.0001, 1.0)] == ["1.20 points", "0.01 points", "100.00 points"]
    assert [words.seconds(value) for value in (7.24, 59.9, 60)] == ["7.2 s", "59.9 s", "1 min 0 s"]
    assert [words.value(value) for value in (1e-05, 0.005, "adamw", 12)] == ["0.00001", "0.005", "AdamW", "12"]
    assert words.compact(float("inf")) == "–"


def test_numbers_are_written_for_people() -> None:
    assert [words.compact(value) for value in (0.5, 950, 6830, 4_620_000)] == ["0.5", "950", "6.83k", "4.62M"]
    assert [words.duration(value) for value in (None, 7.2, 80, 7300)] == ["–", "7 s", "1 min 20 s", "2 h 1 min"]
    assert [words.ago(0, now) for now in (5, 300, 7200, 200_000)] == [
        "just now",
        "5 min ago",
        "2 hours ago",
        "2 days ago",
    ]
    assert [words.count(2, word) for word in ("epoch", "class")] == ["2 epochs", "2 classes"]
    assert words.label("training.batch_size") == "Batch size"
    assert words.label("training.ema_decay") == "EMA decay"


@pytest.mark.parametrize(("name", "field"), fields(Recipe))
def test_a_typed_number_is_allowed_where_the_recipe_takes_it(name: str, field: FieldInfo) -> None:
    ends = [end for end in widgets.limits(field, inward=0.0) if end is not None]
    for value in [end + by for end in ends for by in (-1, -1e-9, 0, 1e-9, 1)]:
        if field.annotation in (int, float) and (field.annotation is float or value == int(value)):
            values = Recipe().model_dump()
            place = values[name.split(".")[0]] if "." in name else values
            place[name.split(".")[-1]] = field.annotation(value)
            assert typed.allowed(value, field) == accepted(values), value


def accepted(values: dict[str, object]) -> bool:
    try:
        Recipe.model_validate(values)
    except ValidationError:
        return False
    return True


def test_limits_are_said_in_words() -> None:
    said = {name: typed.span(field) for name, field in fields(Recipe)}
    assert said["training.batch_size"] == "1 to 8,192"
    assert said["training.learning_rate"] == "above 0 and at most 10"
    assert said["training.momentum"] == "at least 0 and below 1"
    assert said["seed"] == "0 to 2,147,483,647"
