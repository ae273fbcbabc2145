"""Writing the present weights while somebody looks, and how each layer learned in the last step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.models.weights import save_weights
from cnn_core.runs.files import RunFiles
from cnn_core.runs.live import LIVE, Watched
from cnn_core.training.step import Step

EVERY = 1.0  # seconds between two writes
SHARE = 0.02  # of the time of training that writing may take: where it is slow it is done less often
LOOK = 0.25  # seconds between two looks whether somebody watches


class LiveStep:
    """Call it as `Step`; while the run is watched it writes the weights after the step, about once a second.

    What is computed is the same, watched or not: it only reads. `about`: what the header of the file says besides,
    asked after the step.
    """

    def __init__(
        self,
        learn: Step,
        network: nn.Module,
        files: RunFiles,
        about: Callable[[], dict[str, Any]],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._learn, self._network, self._files, self._about, self._clock = learn, network, files, about, clock
        self._watched = Watched(files, clock)
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
        begun = self._clock()
        before = {name: weight.detach().clone() for name, weight in self._network.named_parameters()}
        copied = self._clock()
        self._learn(images, labels, rate)
        learned = self._clock()
        header = self._about() | {"learning": learning(self._network, before)}
        try:
            self._files.put(LIVE, lambda path: save_weights(self._network, path, header))
        except OSError:  # a full disk: training is worth more than the view of it
            self._due = self._clock() + 60
            return
        now = self._clock()
        cost = (copied - begun) + (now - learned)
        self._due = now + max(EVERY - cost, cost / SHARE)


def learning(network: nn.Module, before: dict[str, Tensor]) -> dict[str, dict[str, float | None]]:
    """Address of each operation with weights -> the norm of its weights, of the gradient of the last step, and the norm
    of what the step changed over that of the weights before it; of its bias and weights together. None for what is no
    finite number, and for the gradient where nothing learns."""
    found: dict[str, dict[str, float | None]] = {}
    for address, module in network.named_modules():
        own = dict(module.named_parameters(address, recurse=False))
        if own:
            weights = _norm([weight.detach() for weight in own.values()])
            gradients = [weight.grad for weight in own.values() if weight.grad is not None]
            changed = _norm([weight.detach() - before[name] for name, weight in own.items()])
            start = _norm([before[name] for name in own])
            found[address] = {
                "weight_norm": _finite(weights),
                "gradient_norm": _finite(_norm(gradients)) if gradients else None,
                "update_ratio": _finite(changed / start) if start else None,
            }
    return found


def _norm(tensors: list[Tensor]) -> float:
    return float(
        torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(tensor.float()) for tensor in tensors]))
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
