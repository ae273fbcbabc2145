"""Widgets follow the fields: limits, scales and what is needed."""

import pytest

from cnn_core.recipe import TrainingSpec
from pages.ui import forms, words

FIELDS = TrainingSpec.model_fields


@pytest.mark.parametrize("name", FIELDS)
def test_a_person_cannot_type_what_the_recipe_refuses(name: str) -> None:
    for value in forms.limits(FIELDS[name]):
        if value is not None:
            TrainingSpec(**{name: value})


def test_scales_are_logarithmic() -> None:
    assert forms.one_two_five(0.01) == pytest.approx([1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2])
    assert forms.powers_of_two(1, 16) == [1, 2, 4, 8, 16]


def test_a_field_is_needed_only_beside_a_certain_choice() -> None:
    values = TrainingSpec(optimiser="sgd").model_dump()
    assert forms.needed(FIELDS["momentum"], values)
    assert not forms.needed(FIELDS["momentum"], values | {"optimiser": "adam"})
    assert forms.needed(FIELDS["epochs"], values)


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
