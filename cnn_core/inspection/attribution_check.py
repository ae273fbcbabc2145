"""Whether an attribution says something: the same with random weights, its parts by region, and what hiding them does.

Adebayo et al. 2018, Sanity checks for saliency maps: a map that looks similar with random weights is not about what was
learned.
"""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnn_core.inspection.attribution import Attribution
from cnn_core.inspection.evaluation_view import evaluation_view
from cnn_core.models.network import Network


def randomised(network: Network, seed: int = 0) -> Network:
    """A copy whose weights are drawn anew as torch draws them by default, batch norm as before training. The network
    and torch's global random state stay as they are."""
    own, generator = copy.deepcopy(network).eval(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in own.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                if module.bias is not None:
                    bound = 1 / math.sqrt(module.weight[0].numel())
                    module.bias.uniform_(-bound, bound, generator=generator)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.reset_parameters()
    return own


def rank_correlation(first: Attribution, second: Attribution) -> float:
    """Spearman's, -1..1, over the pixels; NaN where one of them is the same everywhere."""
    left, right = first.values.ravel(), second.values.ravel()
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return math.nan
    return float(spearmanr(left, right).statistic)


def by_region(attribution: Attribution, rows: int = 4) -> NDArray[np.float32]:
    """(rows, rows): what each region of a grid adds, as a fraction of the sum of all absolute values; their absolute
    values sum to at most 1. Zero where nothing was attributed."""
    values = attribution.values
    total = float(np.abs(values).sum())
    sums = [[values[box].sum() for box in row] for row in _boxes(values.shape, rows)]
    return np.asarray(sums, np.float32) / (total or 1.0)


@torch.no_grad()
def occlusion_drop(network: Network, image: Tensor, target: int, rows: int = 4) -> NDArray[np.float32]:
    """(rows, rows): by how much the probability of class `target` falls, -1..1, when a region of `image`, uint8
    (1, C, H, W), is replaced by the mean colour of the training images: the check of `by_region`."""
    view = evaluation_view(network)
    pixels = image.float() / 255
    mean = network.input.mean.view(-1, 1, 1)
    hidden = []
    for row in _boxes(tuple(pixels.shape[2:]), rows):
        for box in row:
            changed = pixels[0].clone()
            changed[:, box[0], box[1]] = mean
            hidden.append(changed)
    probabilities = view(torch.cat([pixels, torch.stack(hidden)])).softmax(1)[:, target]
    return (probabilities[0] - probabilities[1:]).reshape(rows, rows).numpy()


def _boxes(shape: tuple[int, ...], rows: int) -> list[list[tuple[slice, slice]]]:
    cuts = [np.linspace(0, side, rows + 1).round().astype(int).tolist() for side in shape[:2]]
    vertical, horizontal = ([slice(*both) for both in pairwise(cut)] for cut in cuts)
    return [[(down, across) for across in horizontal] for down in vertical]
