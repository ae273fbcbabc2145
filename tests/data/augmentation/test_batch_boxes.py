"""Erasing against torchvision's, MixUp and CutMix against its transforms with the same drawn values."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as oracle

from cnn_core.data.augmentation import batch_boxes as batch
from cnn_core.data.augmentation.batch_draws import beta, order
from cnn_core.data.augmentation.steps import augment, read_steps
from cnn_core.recipe import AugmentSpec
from tests.data.augmentation.augmented import pictures

ROUNDING = 5e-6
LABELS, CLASSES = torch.tensor([0, 1, 2, 3, 4, 4]), 5


def test_cutout_erases_the_same_square() -> None:
    images, centres = pictures(), torch.tensor([[0, 0], [10, 10], [19, 19], [3, 16], [5, 5], [19, 0]])
    results = batch.erase(images, batch.square(centres, 6))
    for image, (row, column), ours in zip(images, centres.tolist(), results, strict=True):
        top, left = max(0, row - 3), max(0, column - 3)
        assert torch.equal(ours, oracle.erase(image, top, left, row + 3 - top, column + 3 - left, torch.tensor(0.0)))


def test_erasing_boxes_are_those_of_torchvision() -> None:
    images = pictures(500, 1)
    area, ratio, place = torch.rand(500) * 0.3 + 0.02, torch.exp(torch.rand(500) * 2.4 - 1.2), torch.rand(500, 2)
    box = batch.box_of_area(images, area, ratio, place)
    for (top, left, bottom, right), share, shape in zip(box.tolist(), area.tolist(), ratio.tolist(), strict=True):
        height, width = round(np.sqrt(400 * share * shape)), round(np.sqrt(400 * share / shape))
        assert (bottom - top, right - left) == (min(height, 20), min(width, 20))  # they draw again where it is too long
        assert 0 <= top <= bottom <= 20
        assert 0 <= left <= right <= 20
    whole = batch.erase(images, torch.tensor([[2, 3, 9, 20]]).expand(500, -1))
    assert torch.equal(whole[0], oracle.erase(images[0], 2, 3, 7, 17, torch.tensor(0.0)))


def theirs(kind: type[v2.MixUp | v2.CutMix], pair: Tensor, share: float, place: list[int]) -> tuple[Tensor, Tensor]:
    """torchvision's mixture of the first image of a pair with the second, and the shares of two classes."""

    class Drawn:
        def sample(self, shape: tuple[()]) -> float:
            return share

    mixing = kind(num_classes=2)
    mixing._dist = Drawn()
    columns_then_rows = iter([torch.tensor([place[1]]), torch.tensor([place[0]])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randint", lambda *arguments, **named: next(columns_then_rows))
        images, labels = mixing(pair, torch.tensor([0, 1]))
    return images[0], labels[0]


FRACTIONS = torch.tensor([0.0, 0.13, 0.5, 0.77, 0.99, 1.0])
OTHER = torch.tensor([1, 2, 0, 5, 4, 3])


def test_mixup_is_torchvisions() -> None:
    images = pictures()
    ours = batch.mix_up(images, images[OTHER], FRACTIONS)
    for n, share in enumerate(FRACTIONS.tolist()):
        mixed, labels = theirs(v2.MixUp, torch.stack([images[n], images[OTHER[n]]]), share, [0, 0])
        assert torch.allclose(ours[n], mixed, atol=ROUNDING)
        assert torch.allclose(labels, torch.tensor([share, 1 - share]))


def test_cutmix_is_torchvisions() -> None:
    images, centres = pictures(), torch.tensor([[0, 0], [10, 10], [19, 19], [3, 16], [5, 5], [19, 0]])
    ours, left = batch.cut_mix(images, images[OTHER], batch.box_for_fraction(images, FRACTIONS, centres))
    for n, share in enumerate(FRACTIONS.tolist()):
        mixed, labels = theirs(v2.CutMix, torch.stack([images[n], images[OTHER[n]]]), share, centres[n].tolist())
        assert torch.equal(ours[n], mixed)
        assert torch.allclose(labels, torch.stack([left[n], 1 - left[n]]), atol=ROUNDING)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 8.0])
def test_beta_draws_are_distributed_as_they_should(alpha: float) -> None:
    fractions = beta(torch.empty(20_000), alpha, torch.Generator().manual_seed(0)).sort().values.numpy()
    exact = stats.beta(alpha, alpha).ppf((np.arange(20_000) + 0.5) / 20_000)
    assert np.abs(fractions - exact).mean() < 0.01  # of right samples this large it is at most 0.008
    assert np.abs(fractions.mean() - 0.5) < 0.01


def test_an_order_is_a_permutation() -> None:
    drawn = order(torch.empty(100), torch.Generator().manual_seed(0))
    assert sorted(drawn.tolist()) == list(range(100))


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_labels_are_mixed_as_the_images_are(kind: str) -> None:
    """Images that show their own label: the mean of an image says which shares are in it."""
    lamps = torch.eye(CLASSES)[LABELS].view(6, CLASSES, 1, 1).expand(-1, -1, 20, 20)
    steps = read_steps([AugmentSpec(kind=kind, alpha=1.0), AugmentSpec(kind=kind, alpha=2.0)])
    images, fractions = augment(lamps.contiguous(), LABELS, CLASSES, steps, torch.Generator().manual_seed(1))
    assert fractions.shape == (6, CLASSES)
    assert fractions.dtype == torch.float32
    assert torch.allclose(fractions.sum(1), torch.ones(6))
    if kind == "mixup":  # a second box may lie over the first one
        assert torch.allclose(images.mean(dim=(2, 3)), fractions, atol=ROUNDING)


def test_labels_stay_numbers_where_nothing_is_mixed() -> None:
    _, labels = augment(pictures(), LABELS, CLASSES, read_steps([AugmentSpec(kind="rotation")]), torch.Generator())
    assert labels is LABELS
