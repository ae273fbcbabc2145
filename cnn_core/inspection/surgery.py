"""Edits of a network's filters as data, and a copy of the network with them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.kernels import fitted, standard_kernel, with_norm_of
from cnn_core.inspection.silence import Weighted, silence, weighted
from cnn_core.models.network import Network

PAINTED = "painted"
Values = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Edit:
    """One edit of a convolution or a linear layer. Hashable, so that results can be kept under it.

    "zero": the output map is zero for every image, its bias included, and it is zero after the batch norms that follow
    before maps are mixed (`cnn_core.inspection.silence`).
    "kernel": the kernel of `channel`, or of every input map, is replaced by the standard one called `kernel`
    (`cnn_core.inspection.kernels`) or, where that is "painted", by `painted`. The new kernel is scaled to the Frobenius
    norm of the one it replaces; the bias stays. "random" draws another kernel for each input map. A linear layer has no
    kernels with sides: there "random" alone draws its weights, scaled to the norm of the old row.
    "shuffle": the kernels of the layer with their biases change places among its output maps, each to a place that is
    not its own; what follows, batch norm included, stays. A single map stays where it is.
    """

    address: str  # of the operation: "3", or "9.conv1" inside the layer at position 9
    kind: Literal["zero", "kernel", "shuffle"]
    unit: int = 0  # output map, or output of a linear layer; of no meaning for "shuffle"
    kernel: str = ""
    channel: int | None = None  # input map; None for all
    painted: Values = ()  # rows of finite numbers, a rectangle; another size is cut or padded about the middle
    seed: int = 0  # of "random" and "shuffle"


def operate(network: Network, edits: Sequence[Edit]) -> Network:
    """A copy of the network with the edits, on the same device and in the same mode.

    Kernels and shuffles are made in the order given, then the silenced maps: they are silent whatever else was asked.
    `network` is only read. Raises PlaygroundError for an edit that does not fit it.
    """
    operated = copy.deepcopy(network)
    for edit in edits:
        module = weighted(operated, edit.address)
        _check(module, edit)
        if edit.kind == "shuffle":
            _shuffle(module, edit.seed)
        elif edit.kind == "kernel":
            _replace(module, weighted(network, edit.address), edit)
    for edit in edits:
        if edit.kind == "zero":
            silence(operated, edit.address, edit.unit)
    return operated


def replaced(network: Network, edit: Edit) -> np.ndarray:
    """float32 (I, h, w), or (1, 1, F) of a linear layer: what a "kernel" edit puts in the place of the unit's weights,
    for every input map, `channel` or not. Raises PlaygroundError for an edit that does not fit."""
    module = weighted(network, edit.address)
    _check(module, edit)
    return _new(module, edit)


def _check(module: Weighted, edit: Edit) -> None:
    """Raises PlaygroundError."""
    outputs, inputs = module.weight.shape[:2]
    if edit.kind != "shuffle" and not 0 <= edit.unit < outputs:
        raise PlaygroundError(f"{edit.address} has the output maps 0 to {outputs - 1}, but the edit names {edit.unit}.")
    if edit.kind != "kernel":
        return
    if edit.channel is not None and not 0 <= edit.channel < inputs:
        raise PlaygroundError(f"{edit.address} has the inputs 0 to {inputs - 1}, but the edit names {edit.channel}.")
    if not isinstance(module, nn.Conv2d) and (edit.kernel != "random" or edit.channel is not None):
        raise PlaygroundError(
            f"{edit.address} is a linear layer: its weights are a row of numbers and no kernels. "
            "All weights of an output can be drawn at random, or the output silenced."
        )


def _replace(module: Weighted, original: Weighted, edit: Edit) -> None:
    """The norms are those of the original, so that edits of one kernel do not add up."""
    channels = slice(None) if edit.channel is None else slice(edit.channel, edit.channel + 1)
    new = torch.from_numpy(_new(original, edit)).reshape(original.weight[edit.unit].shape)
    with torch.no_grad():
        module.weight[edit.unit, channels] = new[channels].to(module.weight)


def _new(module: Weighted, edit: Edit) -> np.ndarray:
    """float32 (I, h, w), or (1, 1, F)."""
    old = _row(module.weight[edit.unit])
    if edit.kernel == "random":
        pattern = np.random.default_rng(edit.seed).standard_normal(old.shape)
    elif edit.kernel == PAINTED:
        pattern = np.broadcast_to(fitted(_rectangle(edit.painted), *old.shape[1:]), old.shape)
    else:
        kernel = standard_kernel(edit.kernel, max(old.shape[1:]))
        pattern = np.broadcast_to(fitted(kernel, *old.shape[1:]), old.shape)
    return with_norm_of(pattern, old)


def _row(weights: Tensor) -> np.ndarray:
    numbers = weights.detach().float().cpu().numpy()
    return numbers if numbers.ndim == 3 else numbers.reshape(1, 1, -1)


def _rectangle(values: Values) -> np.ndarray:
    """float32 (h, w). Raises PlaygroundError."""
    widths = {len(row) for row in values}
    if len(widths) != 1 or 0 in widths or not all(isfinite(value) for row in values for value in row):
        raise PlaygroundError("A painted kernel is a rectangle of finite numbers.")
    return np.array(values, np.float32)


def _shuffle(module: Weighted, seed: int) -> None:
    """Along a random cycle through all maps, so that none stays in its place."""
    cycle = torch.from_numpy(np.random.default_rng(seed).permutation(len(module.weight)))
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            parameter[cycle] = parameter[cycle.roll(1)]
