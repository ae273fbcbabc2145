"""Where and in which number format to compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import torch

from cnn_core.errors import RecipeError
from cnn_core.settings import settings


def choose_device(wanted: str) -> torch.device:
    """ "auto" is CUDA, then Apple's GPU, then the CPU. Raises RecipeError for a device that is not here."""
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    if wanted == "auto":
        return torch.device(available[0])
    if wanted.split(":")[0] not in available:
        raise RecipeError(
            f"training.device: this computer has no {wanted}. Available: {', '.join(available)}, or auto."
        )
    return torch.device(wanted)


def choose_precision(wanted: str, device: torch.device) -> str:
    """ "auto" is bfloat16 on a GPU that computes in it, else float32."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Context in which convolutions and matrix products run in `precision`; weights stay float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def device_name(device: torch.device) -> str:
    """A name for people: "NVIDIA H100 …" or "CPU, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else f"CPU, {torch.get_num_threads()} threads"


def most_threads() -> int:
    """CPU threads a run may use: the operator's setting, or what torch takes by itself."""
    return settings().threads or _threads_of_torch()


@lru_cache(maxsize=1)
def _threads_of_torch() -> int:
    return torch.get_num_threads()  # asked once, before any run changes it
