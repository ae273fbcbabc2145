"""A network's weights as a safetensors file."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cnn_core.errors import RunFilesError

INPUT = "input."  # names in the input stage begin so


def save_weights(network: nn.Module, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the state dict: weights, and the running statistics of batch norm. `about`: kept as JSON in the header."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    header = {"checksum": _checksum(weights)} | dict(about or {})
    save_file(weights, path, {name: json.dumps(value) for name, value in header.items()})


def load_weights(network: nn.Module, path: Path) -> None:
    """Read what `save_weights` wrote into a network of the same layers. Raises RunFilesError, naming the file."""
    weights = _read(path)
    try:
        set_state(network, weights)
    except RuntimeError:
        raise RunFilesError(_useless(path, "does not fit the network")) from None


def _read(path: Path) -> dict[str, Tensor]:
    try:
        # For NumPy it opens the path once, for torch twice: a file written meanwhile would give half of the answer
        with safe_open(path, framework="numpy") as file:
            weights = {name: torch.from_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            noted = (file.metadata() or {}).get("checksum")
        if noted and json.loads(noted) != _checksum(weights):
            raise SafetensorError("the numbers are not those that were written")
    except (SafetensorError, RuntimeError, OSError):
        raise RunFilesError(_useless(path, "is damaged")) from None
    return weights


def _useless(path: Path, cause: str) -> str:
    return f"The weights {path.name} cannot be loaded: the file {cause}. Choose another epoch."


def take_fitting(network: nn.Module, path: Path) -> list[str]:
    """Read what `save_weights` wrote into the parts of a network that have the same names and shapes; the normalisation
    stays its own. Returns the names of the parameters that stay as they are. Raises RunFilesError, naming the file."""
    own = network.state_dict()
    taken = {
        name: value
        for name, value in _renamed(_read(path)).items()
        if name in own and own[name].shape == value.shape and not name.startswith(INPUT)
    }
    network.load_state_dict(own | taken)
    return [name for name, _ in network.named_parameters() if name not in taken]


# A residual block's parts by the names they had before every operation had an address
FORMER_PARTS = {
    "body.0": "conv1",
    "body.1": "norm1",
    "body.3": "conv2",
    "body.4": "norm2",
    "skip.0": "skip_conv",
    "skip.1": "skip_norm",
}
FORMER = re.compile(r"^(\d+)\.(body\.[0134]|skip\.[01])(?=\.)")


def set_state(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Set weights, running statistics and normalisation from a state dict, also from an earlier version's: that has
    other names inside residual blocks, and no normalisation, of which the network keeps its own.

    Raises RuntimeError where it does not fit.
    """
    own = {name: value for name, value in network.state_dict().items() if name.startswith(INPUT)}
    network.load_state_dict(own | _renamed(state))


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {FORMER.sub(lambda part: f"{part[1]}.{FORMER_PARTS[part[2]]}", name): state[name] for name in state}


def _checksum(weights: Mapping[str, Tensor]) -> int:
    """CRC-32 of all numbers, by name. safetensors notices a missing byte, but not a wrong one."""
    checksum = 0
    for name in sorted(weights):
        checksum = zlib.crc32(weights[name].numpy().data, checksum)
    return checksum
