"""Features in the place of images: the same order, one variant of each image an epoch, the same after a new start."""

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed import rows as rows_module
from cnn_core.data.feed.batches import Batches
from cnn_core.data.feed.features import FeatureBatches
from cnn_core.data.feed.rows import Rows, place_for
from cnn_core.recipe import AugmentSpec

CPU = torch.device("cpu")
ROTATION = read_steps([AugmentSpec(kind="rotation", degrees=180)])
MIXED = read_steps([AugmentSpec(kind="mixup")])


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def pixels(images: Tensor) -> Tensor:
    return images.float().flatten(1)


def filled(digits: ImageDataset, chunk: int = 100, compute=pixels, **options) -> FeatureBatches:  # type: ignore[no-untyped-def]
    values = {"split": "train", "batch_size": 128, "shape": (64,), "place": "memory", "seed": 5, "shuffle": True}
    batches = FeatureBatches(digits, **(values | options))
    assert list(batches.fill(compute, chunk))[-1] == batches.images * batches.variants
    return batches


def order_of(batches: FeatureBatches, epoch: int) -> Tensor:
    """Positions of the images of an epoch in the split."""
    return batches._order(epoch)[: len(batches) * batches.batch_size]


@pytest.mark.parametrize("batch_size", [128, 1373, 1374, 8192])
@pytest.mark.parametrize("shuffle", [True, False])
def test_without_augmentation_batches_are_those_of_the_images(
    digits: ImageDataset, batch_size: int, shuffle: bool
) -> None:
    """1,374 training images: one size leaves a single image over."""
    images = Batches(digits, "train", batch_size, seed=5, shuffle=shuffle)
    features = filled(digits, batch_size=batch_size, shuffle=shuffle)
    assert (len(features), features.images, features.batch_size) == (len(images), images.images, images.batch_size)
    for epoch, start in ((0, 0), (3, 0), (1, len(images) // 2)):
        pairs = zip(features.epoch(epoch, start), images.epoch(epoch, start), strict=True)
        for (rows, labels), (pictures, truth) in pairs:
            assert torch.equal(rows, pixels(pictures))
            assert torch.equal(labels, truth)


def test_as_many_epochs_as_variants_take_each_variant_once(digits: ImageDataset) -> None:
    def number(images: Tensor) -> Tensor:
        """Which call it was: all rows of a variant are computed before those of the next."""
        nonlocal done
        done += len(images)
        return torch.full((len(images), 1), float((done - 1) // len(digits.splits["train"])))

    done = 0
    batches = filled(digits, 57, number, shape=(1,), variants=4, augment=ROTATION, batch_size=1374)
    for first in (0, 4):
        taken = torch.empty(1374, 4)
        for epoch in range(4):
            rows, _ = next(batches.epoch(first + epoch))
            taken[order_of(batches, first + epoch), epoch] = rows[:, 0]
            assert rows.unique(return_counts=True)[1].min() > 250  # of 344 expected: no epoch has one variant only
        assert torch.equal(taken.sort(dim=1).values, torch.arange(4.0).expand(1374, 4))
        orders = taken.unique(dim=0)
        assert len(orders) == 24  # each image has its own order


def test_every_variant_has_draws_of_its_own_and_its_own_label(digits: ImageDataset) -> None:
    batches = filled(digits, variants=3, augment=ROTATION, batch_size=1374)
    labels = torch.from_numpy(digits.labels[digits.splits["train"]])
    seen = []
    for epoch in range(3):
        rows, truth = next(batches.epoch(epoch))
        by_image = torch.empty_like(rows)
        by_image[order_of(batches, epoch)] = rows
        assert torch.equal(truth, labels[order_of(batches, epoch)])
        seen.append(by_image)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (seen[a] != seen[b]).any(dim=1).float().mean() > 0.95


@pytest.mark.parametrize("augment", [ROTATION, MIXED], ids=["rotation", "mixup"])
def test_computed_again_they_are_the_same(digits: ImageDataset, augment: list) -> None:  # type: ignore[type-arg]
    options = {"variants": 2, "augment": augment}
    first = filled(digits, **options)
    torch.manual_seed(77)
    broken = FeatureBatches(digits, "train", 128, (64,), "memory", seed=5, shuffle=True, **options)
    next(broken.fill(pixels, 100))  # and left
    again, other = filled(digits, **options), filled(digits, seed=6, **options)
    for left, right in zip(first.epoch(1, 3), again.epoch(1, 3), strict=True):
        assert torch.equal(left[0], right[0])
        assert torch.equal(left[1], right[1])
    assert not torch.equal(next(first.epoch())[0], next(other.epoch())[0])


def test_mixed_images_bring_their_shares_of_classes(digits: ImageDataset) -> None:
    """With one image a class, the features say what was mixed."""
    batches = filled(digits, variants=2, augment=MIXED)
    blank, labels = FeatureBatches(digits, "train", 128, (64,), "memory", augment=MIXED).blank()
    assert (blank.shape, labels.shape, labels.dtype) == ((128, 64), (128, 10), torch.float32)
    mixed = 0
    for _, shares in batches.epoch():
        assert torch.allclose(shares.sum(1), torch.ones(len(shares)))
        mixed += int(((shares > 0).sum(1) == 2).sum())
    assert mixed > 0.7 * batches.images  # partners are drawn from all classes, not from neighbours in the file


@pytest.mark.parametrize("place", ["memory", "file"])
def test_rows_come_back_from_wherever_they_lie(home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "RELEASE_BYTES", 4000)  # pages are given back again and again
    values = torch.randn(50, 3, 4, 4)
    rows = Rows(50, (3, 4, 4), CPU, place)  # type: ignore[arg-type]
    order = torch.randperm(50)
    for chosen in order.split(7):
        rows.put(chosen, values[chosen].double())
    assert torch.equal(rows.take(order), values[order])
    rows.take(order).zero_()
    assert torch.equal(rows.take(torch.arange(50)), values)


def test_a_file_of_rows_has_no_name_and_takes_its_room_at_once(home: Path) -> None:
    rows = Rows(1000, (64,), CPU, "file")
    assert list((home / "scratch").iterdir()) == []
    assert rows._map.nbytes == 256_000
    if hasattr(os, "posix_fallocate"):
        with pytest.raises(OSError, match=r"space|large"):
            Rows(2**40, (64,), CPU, "file")  # 256 TB


def test_a_lot_goes_to_the_disk() -> None:
    assert place_for(rows_module.MEMORY_BYTES, CPU) == "memory"
    assert place_for(rows_module.MEMORY_BYTES + 1, CPU) == "file"
