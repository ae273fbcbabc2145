"""The resume state of a run: all that is needed to go on as if nothing had happened."""

from __future__ import annotations

from typing import Any

import torch

from cnn_core.runs.folder import RunFolder


def save_state(folder: RunFolder, state: dict[str, Any]) -> None:
    """Write the resume state, whole or not at all, together with torch's random state (dropout draws from it)."""
    state = state | {"random": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["random_cuda"] = torch.cuda.get_rng_state()
    folder.write(folder.resume.name, lambda temporary: torch.save(state, temporary))


def load_state(folder: RunFolder) -> dict[str, Any] | None:
    """The resume state with torch's random state set back, None when there is none. Reads tensors and plain values."""
    if not folder.resume.exists():
        return None
    state = torch.load(folder.resume, map_location="cpu", weights_only=True)
    torch.set_rng_state(state["random"])
    if "random_cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["random_cuda"])
    return state
