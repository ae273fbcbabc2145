"""A network's weights as a safetensors file."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the state dict: weights, and the running statistics of batch norm."""
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}, path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Read what `save_weights` wrote into a network of the same layers."""
    network.load_state_dict(load_file(path))
