"""What operations of a network give for images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from cnn_core.inspection.evaluation_view import evaluation_view

T = TypeVar("T")


def outputs(network: nn.Module, images: Tensor, addresses: Iterable[str], keep: Callable[[Tensor], T]) -> dict[str, T]:
    """Address -> what `keep` makes of the output of the module there, in the order they are computed.

    `images`: as the network takes them, on its device. In evaluation mode and without gradients; the network is only
    read, so any number of threads may share it. Raises AttributeError for an address that is not in the network.
    """
    found: dict[str, T] = {}
    view = evaluation_view(network)

    def note(address: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        found[address] = keep(output)

    for address in addresses:
        view.get_submodule(address).register_forward_hook(partial(note, address))
    with torch.no_grad():
        view(images)
    return found
