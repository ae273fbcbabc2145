"""Writing the present weights while somebody looks, and how each layer learned in the last step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from cnn_core.models.weights import save_weights
from cnn_core.runs.files import RunFiles
from cnn_core.runs.live import LIVE, Watched
from cnn_core.training.hardware import wait_for
from cnn_core.training.step import Step

EVERY = 1.0  # seconds between two writes
SHARE = 0.02  # of the time of training that writing may take: where it is slow it is done less often
LOOK = 0.25  # seconds between two looks whether somebody watches
RETRY = 60.0  # seconds after a write that failed
# A full disk, as Python and as safetensors say it, and a full GPU: training is worth more than the view of it
FAILURES = (OSError, SafetensorError, torch.OutOfMemoryError)
MEASURED = ("weight_norm", "gradient_norm", "update_ratio")


class LiveStep:
    """Call it as `Step`; while the run is watched it writes the weights after the step, about once a second.

    What is written are the weights that are kept, averaged where the recipe averages them; how the layers learn is said
    of those that are trained. What is computed is the same, watched or not: it only reads. `about`: what the header of
    the file says besides, asked after the step.
    """

    def __init__(
        self,
        learn: Step,
        network: nn.Module,
        files: RunFiles,
        about: Callable[[], dict[str, Any]],
        clock: Callable[[], float] = time.monotonic,
        kept: nn.Module | None = None,
    ):
        """`kept`: the whole network with the weights that are kept, where it is not `network`."""
        self._kept = network if kept is None else kept
        self._learn, self._network, self._files, self._about, self._clock = learn, network, files, about, clock
        self._watched = Watched(files, clock)
        self._device = next(network.parameters()).device
        self._due = -math.inf
        files.delete(LIVE)  # of a worker that was killed

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> None:
        if self._clock() < self._due:
            self._learn(images, labels, rate)
        elif not self._watched():
            self._due = self._clock() + LOOK
            self._learn(images, labels, rate)
        else:
            self._learn_and_write(images, labels, rate)

    def _learn_and_write(self, images: Tensor, labels: Tensor, rate: float) -> None:
        wait_for(self._device)  # a GPU is behind: the steps it still has to do are no cost of writing
        begun = self._clock()
        before = self._copy()
        cost = self._clock() - begun
        self._learn(images, labels, rate)
        wait_for(self._device)
        begun = self._clock()
        written = bool(before) and self._write(before)
        now = self._clock()
        cost += now - begun
        self._due = now + (max(EVERY - cost, cost / SHARE) if written else RETRY)

    def _copy(self) -> dict[str, Tensor]:
        """The weights before the step, empty where there is no room for them."""
        try:
            return {name: weight.detach().clone() for name, weight in self._network.named_parameters()}
        except FAILURES:
            return {}

    def _write(self, before: dict[str, Tensor]) -> bool:
        try:
            header = self._about() | {"learning": learning(self._network, before)}
            self._files.put(LIVE, lambda path: save_weights(self._kept, path, header))
        except FAILURES:
            return False
        return True


@torch.no_grad()
def learning(network: nn.Module, before: dict[str, Tensor]) -> dict[str, dict[str, float | None]]:
    """Address of each operation with weights -> the norm of its weights, of the gradient of the last step, and the norm
    of what the step changed over that of the weights before it; of its bias and weights together. None for what is no
    finite number, and for the gradient where nothing learns."""
    parts = {address: dict(module.named_parameters(address, recurse=False)) for address, module in _modules(network)}
    measured = [_measure(own, before) for own in parts.values()]
    numbers = torch.stack(measured).tolist() if measured else []  # a GPU is asked once
    return {
        address: {name: _finite(value) for name, value in zip(MEASURED, row, strict=True)}
        for address, row in zip(parts, numbers, strict=True)
    }


def _modules(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Those that have weights of their own."""
    return ((address, module) for address, module in network.named_modules() if module._parameters)


def _measure(own: dict[str, nn.Parameter], before: dict[str, Tensor]) -> Tensor:
    gradients = [weight.grad for weight in own.values() if weight.grad is not None]
    weights, start = _norm(list(own.values())), _norm([before[name] for name in own])
    changed = _norm([weight - before[name] for name, weight in own.items()])
    gradient = _norm(gradients) if gradients else torch.full_like(weights, math.nan)
    return torch.stack([weights, gradient, changed / start])


def _norm(tensors: Sequence[Tensor]) -> Tensor:
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(tensor.float()) for tensor in tensors]))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
