"""The resume state of a run: all that is needed to go on as if nothing had happened."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from cnn_core.errors import RunFilesError
from cnn_core.runs.folder import RESUME, RunFolder


def save_state(folder: RunFolder, state: dict[str, Any]) -> None:
    """Write the resume state, whole or not at all, together with torch's random state (dropout draws from it)."""
    state = state | {"random": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["random_cuda"] = torch.cuda.get_rng_state()
    folder.files.put(RESUME, lambda path: torch.save(state, path))


def load_state(folder: RunFolder) -> dict[str, Any] | None:
    """The resume state with torch's random state set back, None when there is none. Reads tensors and plain values.

    Raises RunFilesError for a damaged file.
    """
    if not folder.has(RESUME):
        return None
    try:
        state: dict[str, Any] = torch.load(folder.files.open(RESUME), map_location="cpu", weights_only=True)
        torch.set_rng_state(state["random"])
        if "random_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["random_cuda"])
    except Exception:  # torch raises many kinds for a damaged file, and its texts advise to unpickle it
        logging.getLogger(__name__).exception("The resume state of a run cannot be read")
        raise RunFilesError("The saved state of this run was damaged, so it could not go on.") from None
    return state


def load_optimiser(optimiser: Optimizer, state: dict[str, Any]) -> None:
    """Give an optimiser the momenta of a saved one, wherever and in whatever memory layout that one worked.

    What the optimiser is set to do (its rates, fused, capturable) is its own and not the saved one's: torch places
    the step counters by it. A fused step walks through a weight and its momenta side by side in memory, so each
    momentum is laid out as its weight is; torch keeps the strides of the saved one.
    """
    groups = [
        saved | {name: value for name, value in own.items() if name != "params"}
        for saved, own in zip(state["param_groups"], optimiser.param_groups, strict=True)
    ]
    optimiser.load_state_dict(state | {"param_groups": groups})
    for weight, values in optimiser.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                values[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
