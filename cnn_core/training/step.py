"""One step of training: forward, loss, backward, optimiser, counters; on a GPU replayed as one CUDA graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.recipe import TrainingSpec
from cnn_core.training.counters import Counters
from cnn_core.training.hardware import autocast
from cnn_core.training.optimisers import build_optimiser
from cnn_core.training.reorder import pool_first

if TYPE_CHECKING:
    from cnn_core.training.execution import Execution

WARM_STEPS = 3  # before a capture: libraries choose their kernels, the optimiser makes its state


class Step:
    """Call it with normalised images (B, C, H, W), labels and a learning rate to learn from them once.

    labels: int64 (B,), or float32 (B, classes) shares where images are mixed; the same kind at every call.

    `capture`: on CUDA, record the step once warm and replay it for batches of that size. The kernels are the same
    and in the same order; what falls away is the time to launch them one by one.
    """

    def __init__(
        self,
        network: nn.Sequential,
        training: TrainingSpec,
        device: torch.device,
        execution: Execution,
        capture: bool = False,
    ):
        self._device, self._precision, self._format = device, execution.precision, execution.memory_format
        self._smoothing = training.label_smoothing
        network.to(memory_format=self._format)  # in place: views of the network's own weights
        self.forward = pool_first(network) if execution.pool_first else network
        self.optimiser = build_optimiser(network, training, device)
        self.counters = Counters(device)
        self._capture_at = WARM_STEPS if capture and device.type == "cuda" else -1
        self._rate = torch.zeros((), device=device)  # on a GPU a replayed step reads it
        self._graph: torch.cuda.CUDAGraph | None = None
        self._done = 0

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> None:
        self._set_rate(rate)
        images = images.contiguous(memory_format=self._format)
        if self._done == self._capture_at:
            self._capture(images, labels)
        if self._graph is not None and len(images) == len(self._images):
            self._images.copy_(images)
            self._labels.copy_(labels)
            self._graph.replay()
        else:
            self._compute(images, labels)
        self.counters.images += len(labels)
        self._done += 1

    def _compute(self, images: Tensor, labels: Tensor) -> None:
        with autocast(self._device, self._precision):
            logits = self.forward(images)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=self._smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.counters.add(logits.detach(), labels)

    def _capture(self, images: Tensor, labels: Tensor) -> None:
        """Record what `_compute` launches, without running it, on inputs that stay in place."""
        self._images, self._labels = images.clone(memory_format=self._format), labels.clone()
        self.optimiser.zero_grad(set_to_none=True)  # the gradients are made anew in the memory of the graph
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=torch.cuda.current_stream()):
            self._compute(self._images, self._labels)

    def _set_rate(self, rate: float) -> None:
        self._rate.fill_(rate)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate if self._device.type == "cuda" else rate
