"""How a run is computed: choices that change its speed, and of its numbers only how they are rounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from cnn_core.recipe import TrainingSpec
from cnn_core.training.hardware import Precision, allowed_threads, choose_precision, computes_bfloat16, multiply_in_tf32


@dataclass(frozen=True)
class Execution:
    """Together with recipe, processor and version of PyTorch it fixes every bit of a run on a CPU.

    On a GPU it does not: sums are taken there in no fixed order.
    """

    precision: Precision  # of convolutions and matrix products, see `PRECISIONS`
    layout: Literal["channels_last", "channels_first"]  # order of the numbers of a map in memory
    pool_first: bool  # pool before bias and activation, see `reorder`
    threads: Annotated[int, Field(ge=1)]  # of the CPU

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.layout == "channels_last" else torch.contiguous_format

    def apply(self) -> None:
        """Set what holds for the whole process: CPU threads, and how NVIDIA GPUs multiply float32 numbers."""
        torch.set_num_threads(self.threads)
        multiply_in_tf32(self.precision == "tf32")

    def __str__(self) -> str:
        order = ", pooling first" if self.pool_first else ""
        threads = f"{self.threads} CPU thread{'s' if self.threads > 1 else ''}"
        return f"{PRECISIONS[self.precision]}, {self.layout.replace('_', ' ')}{order}, {threads}"


# "float32" is float32 in every digit, also where a GPU would round by itself: torch's default for its convolutions
# is TF32, float32 numbers of which 10 bits after the first are multiplied. "auto" may take that, and says so.
PRECISIONS = {"float32": "float32", "tf32": "TF32", "bfloat16": "bfloat16"}


def fixed(training: TrainingSpec, device: torch.device) -> Execution:
    """The recipe's own choices, and for "auto" what was fastest where it was tried."""
    return Execution(
        precision=choose_precision(training.precision, device),
        layout="channels_last" if training.layout == "auto" else training.layout,
        pool_first=training.pool_first != "off",
        threads=allowed_threads(training.threads),
    )


def alternatives(start: Execution, training: TrainingSpec, device: torch.device) -> Iterator[dict[str, Any]]:
    """One change each to what the recipe leaves open, the most promising first.

    Measured on two cores: bfloat16 2.0 to 2.3 times as fast where the CPU has instructions for it and a tenth as fast
    where not, channels last 1.3 to 1.5 times.
    """
    if training.precision == "auto" and start.precision == "bfloat16":
        yield {"precision": "tf32"}
    if training.precision == "auto" and device.type == "cpu" and computes_bfloat16(device):
        yield {"precision": "bfloat16"}
    if training.layout == "auto":
        yield {"layout": "channels_first"}
    if training.pool_first == "auto":
        yield {"pool_first": False}
    if not training.threads and device.type == "cpu" and start.threads > 1:
        yield {"threads": start.threads // 2}
