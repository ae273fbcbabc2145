"""Where and in which number format to compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import torch

from cnn_core.cores import usable_cores
from cnn_core.errors import RecipeError
from cnn_core.settings import settings


def choose_device(wanted: str) -> torch.device:
    """ "auto" is CUDA, then Apple's GPU, then the CPU. Raises RecipeError for a device that is not here."""
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    kinds = ["cuda"] * bool(gpus) + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    if wanted == "auto":
        return torch.device(kinds[0])
    if wanted not in [*kinds, *gpus]:
        raise RecipeError(
            f"training.device: this computer has no {wanted}. Available: {', '.join([*kinds, *gpus])}, or auto. "
            "The recipe chooses the device, and CNN_PLAYGROUND_DEVICES where the recipe says auto."
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
    """A name for people: "NVIDIA H100 …", "Apple GPU" or "CPU"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else "CPU"


def allowed_threads(wanted: int = 0) -> int:
    """`wanted` CPU threads, or as many as torch takes by itself for 0; at most what this process may use.

    That is the operator's setting, the CPU affinity and the CPU quota, whichever is least: threads without a core
    keep the others waiting. An epoch of simple_cnn with 1000 threads on two cores took 45 to 90 s instead of 8 to 20.
    """
    limit = min(settings().threads or usable_cores(), usable_cores())
    return min(wanted or settings().threads or _threads_of_torch(), limit)


@lru_cache(maxsize=1)
def _threads_of_torch() -> int:
    return torch.get_num_threads()  # asked once, before any run changes it
