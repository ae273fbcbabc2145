"""Which maps of a layer matter, and for which class: each is silenced in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnn_core.inspection.evaluation_view import evaluation_view
from cnn_core.inspection.recall import recall
from cnn_core.inspection.silence import Silenced, silenced, units
from cnn_core.models.network import INPUT, Network

APART = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "dropout", "max_pool", "avg_pool", "global_pool")
Predict = Callable[[int], Tensor]  # output map that is silenced -> logits (n, classes)


@dataclass(frozen=True, eq=False)
class Ranking:
    """What each output map of a layer is worth on some images. A fall is a difference of fractions, -1..1, before
    minus after: negative where silencing the map helped."""

    address: str
    accuracy: float  # 0..1, with all maps
    recall: NDArray[np.float64]  # (classes,): with all maps; NaN for a class without images
    accuracy_fall: NDArray[np.float64]  # (maps,)
    recall_fall: NDArray[np.float64]  # (maps, classes); NaN for a class without images
    changed: NDArray[np.int64]  # (maps,): images whose prediction is another one without the map
    images: int  # measured on

    @property
    def order(self) -> NDArray[np.int64]:
        """(maps,): the maps that matter most first: by the fall of accuracy, then by the predictions that changed, then
        by number. A map that is always zero has changed nothing."""
        return np.lexsort((np.arange(len(self.changed)), -self.changed, -self.accuracy_fall))


def ablate(
    network: Network,
    batches: Iterable[Tensor],
    labels: NDArray[np.int64],
    address: str,
    progress: Callable[[float], object] = lambda fraction: None,
    seconds: float = float("inf"),
) -> Ranking:
    """Rank the output maps of the convolution or linear layer at `address`.

    `batches`: tensors (n, C, H, W) as the network takes them, on its device; `labels` (N,) those of all of them.
    What comes before the layer is computed once a batch; what follows it once for each map. `progress` is told the
    fraction done after each map, and may end it all by an exception. After `seconds` no further batch is begun: every
    map is measured on the same images, `images` of them, but at least on the first batch. Maps are silenced as
    `cnn_core.inspection.silence` says. The network is only read, so any number of threads may share it.
    Raises PlaygroundError where there is no such layer, ValueError without images.
    """
    count, began = units(network, address), time.monotonic()
    whole: list[NDArray[np.int64]] = []
    without: list[NDArray[np.int64]] = []  # each (maps, n)
    done = 0
    with torch.no_grad():
        for batch in batches:
            if done and time.monotonic() - began > seconds:
                break
            logits, predict = _prepared(network, batch, address)
            whole.append(_classes(logits))
            predicted = np.empty((count, len(batch)), np.int64)
            for unit in range(count):
                predicted[unit] = _classes(predict(unit))
                progress((done + len(batch) * (unit + 1) / count) / len(labels))
            without.append(predicted)
            done += len(batch)
    if not done:
        raise ValueError("no images, no ranking")
    return _ranking(address, np.concatenate(whole), np.concatenate(without, axis=1), labels[:done], network.classes)


def _ranking(
    address: str, whole: NDArray[np.int64], without: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> Ranking:
    accuracy, recalls = float((whole == labels).mean()), recall(labels, whole, classes)
    return Ranking(
        address,
        accuracy,
        recalls,
        accuracy - (without == labels).mean(axis=1),
        recalls - np.stack([recall(labels, predicted, classes) for predicted in without]),
        (without != whole).sum(axis=1),
        len(labels),
    )


def _classes(logits: Tensor) -> NDArray[np.int64]:
    return np.asarray(logits.argmax(dim=1).cpu().numpy(), np.int64)


def _prepared(network: Network, images: Tensor, address: str) -> tuple[Tensor, Predict]:
    """The logits of the images, and a function that gives them without a map."""
    view = evaluation_view(network)
    places = silenced(network, address)
    if "." in address:
        return _inside_a_block(view, images, address, places)
    return _at_top_level(view, images, places)


def _at_top_level(view: Network, images: Tensor, places: Sequence[Silenced]) -> tuple[Tensor, Predict]:
    """The values are kept from as far back as each map is still by itself, and there one map is replaced by what comes
    of a map of zeros."""
    last = int(places[-1].address)
    values = _through(view, view.get_submodule(INPUT)(images), range(last + 1))
    after = last + 1
    silent = torch.zeros_like(values[:1])
    while after < len(view) and view.layers[after].kind in APART:
        values, silent = view[after](values), view[after](silent)
        after += 1
    rest = range(after, len(view))

    def predict(unit: int) -> Tensor:
        channels = places[-1].channels(unit)
        kept = values[:, channels].clone()
        values[:, channels] = silent[:, channels]
        logits = _through(view, values, rest).clone()  # without layers after it they are the values themselves
        values[:, channels] = kept
        return logits

    return _through(view, values, rest).clone(), predict


def _inside_a_block(view: Network, images: Tensor, address: str, places: Sequence[Silenced]) -> tuple[Tensor, Predict]:
    """The block and what follows it is computed anew, with a map set to zero on the way through the block."""
    position = int(address.partition(".")[0])
    values = _through(view, view.get_submodule(INPUT)(images), range(position))
    rest = range(position, len(view))
    silent: list[int] = []

    def set_to_zero(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output[:, silent] = 0
        return output

    logits = _through(view, values, rest)
    for place in places:
        view.get_submodule(place.address).register_forward_hook(set_to_zero)

    def predict(unit: int) -> Tensor:
        silent[:] = [unit]
        return _through(view, values, rest)

    return logits, predict


def _through(view: Network, values: Tensor, positions: range) -> Tensor:
    for position in positions:
        values = view[position](values)
    return values
