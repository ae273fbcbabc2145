"""One step of training: forward, loss, backward, optimiser, counters; on a GPU replayed as one CUDA graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn import functional as F

from cnn_core.models.input_stage import InputStage
from cnn_core.models.prefix import Features
from cnn_core.recipe import LayerRate, TrainingSpec
from cnn_core.training.averaging import WeightAverage
from cnn_core.training.checkpoint import load_optimiser
from cnn_core.training.counters import Counters, Sums
from cnn_core.training.execution import Execution
from cnn_core.training.hardware import autocast, fastest_kernels
from cnn_core.training.optimisers import build_optimiser, bytes_of_state
from cnn_core.training.reorder import pool_first
from cnn_core.training.snapshots import size_of

WARM_STEPS = 3  # before a step is recorded: libraries choose their kernels, the optimiser makes its state
RECORDED_STEPS = 200  # a run this long pays for recording its step as a CUDA graph


def recorded_size(steps: int, batch_size: int, device: torch.device) -> int:
    """Size of the batches whose step a run of `steps` records and replays: whole ones, on CUDA. 0 for none."""
    return batch_size if device.type == "cuda" and steps >= RECORDED_STEPS else 0


def way_of(size: int, recorded_size: int, warm: int, recorded: bool) -> Literal["compute", "record", "replay"]:
    """What to do with a batch of `size` images, after `warm` batches of the size to record."""
    if not recorded_size or size != recorded_size:
        return "compute"
    if recorded:
        return "replay"
    return "record" if warm >= WARM_STEPS else "compute"


class Step:
    """Call it with images (B, C, H, W) as the network takes them (or features, where it is the rest of one that
    `models.prefix.divide` divided), labels and a learning rate to learn from them once.
    The gradients of the step stay with the weights until the next.

    labels: int64 (B,), or float32 (B, classes) shares where images are mixed; the same kind at every call.

    `recorded`: size of the batches whose step is recorded once it is warm, and then replayed (`recorded_size`). The
    kernels are the same and in the same order; what falls away is the time to launch them one by one. A batch of any
    other size, such as the last of an epoch, is computed as always.

    Where the recipe averages the weights, `kept` is the network with the averages, and else `network` itself: it is
    evaluated by `evaluate`, kept at the end of an epoch, and tested.
    """

    def __init__(
        self,
        network: nn.Module,
        training: TrainingSpec,
        device: torch.device,
        execution: Execution,
        recorded: int = 0,
        rates: Sequence[LayerRate] = (),
    ):
        self._device, self._precision = device, execution.precision
        self._smoothing, self._longest = training.label_smoothing, training.gradient_clipping
        network.to(memory_format=execution.memory_format)  # in place: views of the network's own weights
        for module in network.modules():
            if isinstance(module, InputStage | Features):
                module.memory_format = execution.memory_format
        self.average = WeightAverage(network, training.ema_decay) if training.ema_decay else None
        self.kept = self.average.network if self.average else network
        both = (network, self.kept)
        self.forward, self.evaluate = map(pool_first, both) if execution.pool_first else both
        self.optimiser = build_optimiser(network, training, device, rates)
        self._learned = [weight for group in self.optimiser.param_groups for weight in group["params"]]
        self.counters = Counters(device)
        self._size, self._warm = recorded, 0
        # On a GPU a replayed step reads them
        self._rates = [torch.zeros((), device=device) for _ in self.optimiser.param_groups]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._gradients: list[tuple[Parameter, Tensor | None]] = []  # that the recorded step writes

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> None:
        self._set_rate(rate)
        way = way_of(len(images), self._size, self._warm, self._graph is not None)
        if way == "compute":
            with fastest_kernels(len(images) == self._size):
                self._compute(images, labels)
            self._warm += len(images) == self._size
        else:
            if way == "record":
                self._record(images, labels)
            self._replay(images, labels)
        if self.average:
            self.average.update()
        self.counters.images += len(labels)

    def state(self) -> dict[str, Any]:
        """What, besides the weights, it takes to go on: momenta, sums since the last report, and the average."""
        state = {"optimiser": self.optimiser.state_dict(), "counters": tuple(self.counters.read())}
        return state | ({"average": self.average.state()} if self.average else {})

    def state_size(self) -> int:
        """Bytes of `state()` once a step was made."""
        return bytes_of_state(self.optimiser) + (size_of(self.kept) if self.average else 0)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`. Raises KeyError, ValueError or RuntimeError where it is of another network."""
        load_optimiser(self.optimiser, state["optimiser"])
        self.counters.put(Sums(*state.get("counters", (0.0, 0, 0))))  # an older version saved less
        if self.average:
            self.average.restore(state["average"])

    def _compute(self, images: Tensor, labels: Tensor) -> None:
        with autocast(self._device, self._precision):
            logits = self.forward(images)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=self._smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self._longest:
            nn.utils.clip_grad_norm_(self._learned, self._longest)
        self.optimiser.step()
        self.counters.add(logits.detach(), labels)

    def _record(self, images: Tensor, labels: Tensor) -> None:
        """Record what `_compute` launches, without running it, on inputs that stay in place."""
        self._images, self._labels = images.clone(), labels.clone()
        self.optimiser.zero_grad(set_to_none=True)  # the gradients are made anew in the memory of the graph
        graph = torch.cuda.CUDAGraph()
        with fastest_kernels(True), torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
            self._compute(self._images, self._labels)
        self._graph = graph
        self._gradients = [(weight, weight.grad) for weight in self._learned]

    def _replay(self, images: Tensor, labels: Tensor) -> None:
        assert self._graph is not None
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        for weight, gradient in self._gradients:  # a batch of another size has left its own there
            weight.grad = gradient

    def _set_rate(self, rate: float) -> None:
        """The learning rate of the step, times each group's own factor."""
        for group, on_device in zip(self.optimiser.param_groups, self._rates, strict=True):
            own = rate * group["factor"]
            group["lr"] = on_device.fill_(own) if self._device.type == "cuda" else own
