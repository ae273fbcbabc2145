"""A network's weights as a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from cnn_core.errors import RunFilesError


def save_weights(network: nn.Module, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the state dict: weights, and the running statistics of batch norm. `about`: kept as JSON in the header."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path, {name: json.dumps(value) for name, value in (about or {}).items()})


def load_weights(network: nn.Module, path: Path) -> None:
    """Read what `save_weights` wrote into a network of the same layers. Raises RunFilesError, naming the file."""
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        cause = "does not fit the network" if isinstance(error, RuntimeError) else "is damaged"
        raise RunFilesError(
            f"The weights {path.name} cannot be loaded: the file {cause}. Choose another epoch."
        ) from None
