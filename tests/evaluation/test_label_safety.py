"""Label safety on a network whose answers are known: it says where the light is."""

import numpy as np
import pytest

from cnn_core.data.augmentation.steps import Augmentation, read_steps
from cnn_core.evaluation.label_safety import STRENGTHS, WORST, at_strengths, kinds_to_try, label_safety
from cnn_core.recipe import AugmentSpec

SIDE = 16


def lamps(count: int = 80, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright square at the left (0), right (1), top (2) or bottom (3)."""
    labels = np.arange(count) % 4
    images = np.zeros((count, channels, SIDE, SIDE), np.uint8)
    for image, (row, column) in zip(images, np.array([(6, 1), (6, 11), (1, 6), (11, 6)])[labels], strict=True):
        image[:, row : row + 4, column : column + 4] = 200
    return images, labels


def brightest(images: np.ndarray) -> np.ndarray:
    """float32 (N, 4): how much of the light is in the left, right, top and bottom quarter."""
    light = images.mean(1).astype(np.float64) + 1e-6
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    quarters = [columns < -abs(rows), columns > abs(rows), rows < -abs(columns), rows > abs(columns)]
    sums = np.stack([light[:, quarter].sum(1) for quarter in quarters], axis=1)
    return (sums / sums.sum(1, keepdims=True)).astype(np.float32)


def steps(kind: str, **parameters: float) -> list[Augmentation]:
    return read_steps([AugmentSpec(kind=kind, **parameters)])


def test_a_mirror_changes_exactly_the_classes_that_it_swaps() -> None:
    images, labels = lamps()
    mirrored = [steps("horizontal_flip", probability=1), steps("vertical_flip", probability=1)]
    result = label_safety(images, labels, 4, brightest, mirrored)
    assert result.changed == pytest.approx([0.5, 0.5])
    assert result.per_class.tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert (result.predicted == labels).all()
    assert set(labels[result.worst[0]]) == {0, 1}
    assert (result.predicted_after[0] == 1 - labels[result.worst[0]]).all()
    assert (result.changed_images[0] == images[result.worst[0]][..., ::-1]).all()


def test_what_changes_nothing_is_safe_and_nothing_means_nothing() -> None:
    images, labels = lamps()
    result = label_safety(images, labels, 5, brightest, [[], steps("brightness", amount=0.2), steps("mixup")])
    assert (result.changed == 0).all()
    assert np.isnan(result.per_class[:, 4]).all()
    assert (result.changed_images[0] == images[result.worst[0]]).all()


def test_the_worst_lost_most_of_the_class_first_predicted() -> None:
    images, labels = lamps()
    result = label_safety(images, labels, 4, brightest, [steps("rotation", degrees=180)], seed=1)
    lost = result.confidence[result.worst[0]] - result.confidence_after[0]
    assert result.worst.shape == (1, WORST)
    assert (np.diff(lost) <= 1e-6).all()
    assert 0.5 < result.changed[0] < 0.95  # three quarters of all angles
    again = label_safety(images, labels, 4, brightest, [steps("rotation", degrees=180)], seed=1)
    assert (again.changed_images == result.changed_images).all()


def test_only_images_that_it_classifies_correctly_count() -> None:
    """Half of the lamps at the left are labelled "top": the mirror turns all of these, but only the others can err."""
    images, labels = lamps()
    mislabelled = np.flatnonzero(labels == 0)[::2]
    given = labels.copy()
    given[mislabelled] = 2
    result = label_safety(images, given, 4, brightest, [steps("horizontal_flip", probability=1)])
    assert result.error == pytest.approx(len(mislabelled) / len(labels))
    assert result.correct.tolist() == (given == labels).tolist()
    assert result.changed == pytest.approx([30 / 70])  # 10 at the left and 20 at the right of 70
    assert result.per_class.tolist() == [[1, 1, 0, 0]]
    assert not set(result.worst[0]) & set(mislabelled)


@pytest.mark.parametrize(("wrong", "weak"), [(0, False), (24, False), (25, True), (80, True)])
def test_a_network_is_weak_when_it_errs_on_more_than_thirty_percent(wrong: int, weak: bool) -> None:
    images, labels = lamps(80)
    given = np.where(np.arange(80) < wrong, (labels + 1) % 4, labels)
    result = label_safety(images, given, 4, brightest, [steps("vertical_flip", probability=1)])
    assert result.error == pytest.approx(wrong / 80)
    assert result.weak == weak
    assert np.isnan(result.changed[0]) == (wrong == 80)
    assert np.isnan(result.per_class).all() == (wrong == 80)
    assert result.worst.shape == (1, WORST)


def test_every_kind_is_tried_at_every_strength_with_progress() -> None:
    told: list[float] = []
    images, labels = lamps(8)
    kinds = kinds_to_try(1)
    assert not {"saturation", "hue", "greyscale", "mixup", "cutmix"} & {kind.kind for kind in kinds}
    assert {"saturation", "hue", "greyscale"} < {kind.kind for kind in kinds_to_try(3)}
    result = label_safety(images, labels, 4, brightest, at_strengths(kinds, SIDE), progress=told.append)
    assert result.changed.shape == (len(kinds) * len(STRENGTHS),)
    assert result.worst.shape == (len(result.changed), 8)
    assert told[-1] == 1
    assert np.nanmax(result.per_class) <= 1
