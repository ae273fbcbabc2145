"""Stratified splits, with scikit-learn as oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from cnn_core.data.splits import make_splits, stratified_part

LABELS = np.repeat([0, 1, 2, 3], [500, 333, 100, 67])


@pytest.mark.parametrize("count", [100, 150, 333, 501])
def test_classes_get_the_shares_scikit_learn_gives_them(count: int) -> None:
    part = stratified_part(LABELS, count)
    _, theirs = next(StratifiedShuffleSplit(1, test_size=count, random_state=0).split(LABELS, LABELS))
    assert len(part) == count
    # Equal remainders may fall to another class there, as scikit-learn draws between them.
    assert np.abs(np.bincount(LABELS[part]) - np.bincount(LABELS[theirs])).max() <= 1


@given(st.lists(st.integers(0, 5), max_size=60), st.data())
@settings(max_examples=60, deadline=None)
def test_any_part_has_its_size_no_repeats_and_at_most_one_off_the_exact_share(
    values: list[int], data: st.DataObject
) -> None:
    labels = np.array(values, np.int64)
    count = data.draw(st.integers(0, len(labels)))
    part = stratified_part(labels, count)
    assert len(part) == count == len(set(part.tolist()))
    assert np.array_equal(part, np.sort(part))
    for label in np.unique(labels):
        exact = (labels == label).sum() * count / len(labels)
        assert abs((labels[part] == label).sum() - exact) < 1


def test_a_part_larger_than_the_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take 5 of 4"):
        stratified_part(np.zeros(4, np.int64), 5)


def test_the_source_s_own_test_images_stay_the_test_images() -> None:
    is_test = np.arange(1000) % 5 == 0
    splits = make_splits(LABELS, is_test)
    assert np.array_equal(splits["test"], np.flatnonzero(is_test))
    assert len(splits["validation"]) == 80
    assert len(splits["train"]) == 720


def test_without_test_images_fifteen_in_a_hundred_become_them() -> None:
    splits = make_splits(LABELS, None)
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [765, 85, 150]
    assert np.array_equal(np.sort(np.concatenate(list(splits.values()))), np.arange(1000))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.floats(0.02, 0.5), st.floats(0.02, 0.5))
@settings(max_examples=150, deadline=None)
def test_every_class_keeps_an_image_to_train_on(values: list[int], validation: float, test: float) -> None:
    labels = np.array(values, np.int64)
    splits = make_splits(labels, None, None, validation, test)
    assert set(labels[splits["train"]]) == set(values)
    assert np.array_equal(np.sort(np.concatenate(list(splits.values()))), np.arange(len(labels)))
    beyond_one_each = len(labels) - len(set(values))
    assert len(splits["test"]) >= min(beyond_one_each, 1)
    assert len(splits["validation"]) >= min(beyond_one_each - len(splits["test"]), 1)


@pytest.mark.parametrize(("counts", "train"), [([3, 2], [1, 2]), ([1] * 20, [1] * 20), ([1, 9], [1, 6])])
def test_few_images_go_to_training_first(counts: list[int], train: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    assert np.bincount(labels[make_splits(labels)["train"]]).tolist() == train


def test_what_a_small_class_keeps_is_taken_from_the_others() -> None:
    labels = np.repeat([0, 1, 2], [1, 2, 40])
    splits = make_splits(labels, None, None, 0.2, 0.3)
    assert (len(splits["test"]), len(splits["validation"])) == (13, 6)
    assert len(stratified_part(labels, 43, keep=np.ones(3, np.int64))) == 40


def test_splits_are_the_same_every_time() -> None:
    first, second = make_splits(LABELS, None), make_splits(LABELS, None)
    assert all(np.array_equal(first[name], second[name]) for name in first)
