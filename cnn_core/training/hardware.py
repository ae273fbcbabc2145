"""Where and in which number format to compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Literal

import torch

from cnn_core.cores import usable_cores
from cnn_core.errors import RecipeError
from cnn_core.settings import settings

Precision = Literal["float32", "tf32", "bfloat16"]


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


def device_of(wanted: str, slot: str) -> torch.device:
    """Where a recipe that wants `wanted` is trained by a worker whose slot is `slot`, which may be one GPU of several.

    Raises RecipeError for a device that is not here.
    """
    return choose_device(slot if wanted in ("auto", slot.split(":")[0]) else wanted)


def served(slot: str) -> tuple[str, ...]:
    """What a recipe may ask of a worker whose slot is `slot`: "auto", its own kind of device, and the CPU."""
    kind = choose_device(slot).type
    others = (name for name in ("cuda", "mps") if slot == "auto" and _is_here(name))
    return tuple(dict.fromkeys(("auto", kind, *others, "cpu")))


def _is_here(kind: str) -> bool:
    return torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()


def choose_precision(wanted: Literal["auto", "float32", "bfloat16"], device: torch.device) -> Precision:
    """ "auto" is bfloat16 on a GPU that computes in it, else float32: a CPU that could is measured first."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if device.type == "cuda" and computes_bfloat16(device) else "float32"


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; without them it is emulated and slower than float32.

    Torch counts a T4 or a V100, which emulate it, as supporting it unless asked more closely.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def multiply_in_tf32(on: bool) -> None:
    """Whether NVIDIA GPUs since Ampere round the float32 numbers they multiply to TF32, for this whole process."""
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on


def prepare_gpu(device: torch.device) -> None:
    """Compute on this process's own stream of an NVIDIA GPU: a step can be recorded on any but the default one."""
    if device.type == "cuda":
        torch.cuda.set_stream(_stream(torch.cuda.current_device() if device.index is None else device.index))


@lru_cache(maxsize=64)
def _stream(gpu: int) -> torch.cuda.Stream:
    return torch.cuda.Stream(gpu)  # one for all runs: memory freed on a stream is used again only on that stream


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Context in which convolutions and matrix products run in `precision`; weights stay float32."""
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def wait_for(device: torch.device) -> None:
    """Return once a GPU has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextmanager
def fastest_kernels(same_shapes: bool) -> Iterator[None]:
    """Where shapes stay the same, let cuDNN time its kernels at the first call of each and keep the fastest.

    Other shapes would be timed anew each, and a kernel chosen by time may round otherwise than that of another run.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = same_shapes
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


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
