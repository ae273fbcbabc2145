"""Muon: the step of a matrix of weights made orthogonal; what is no matrix learns by AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

# Defaults of torch.optim.Muon, from Keller Jordan's "Muon: An optimizer for hidden layers in neural networks" (2024)
MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the Newton-Schulz iteration
ITERATIONS = 5
EPSILON = 1e-7
# The root mean square of an AdamW step, as measured by "Muon is Scalable for LLM Training" (arXiv 2502.16982): with it
# one learning rate and one weight decay serve both ("match_rms_adamw" of torch.optim.Muon)
STEP_SIZE = 0.2


class Muon(Optimizer):
    """Parameter groups whose "matrices" is true are stepped by Muon with Nesterov momentum, the others by AdamW.

    The numbers are those of torch.optim.Muon(adjust_lr_fn="match_rms_adamw"). That one takes no convolutions, whose
    kernels (out, in, k, k) are the matrix (out, in·k·k) here, and reads a learning rate on a GPU back to the host, so
    its step cannot be recorded as a CUDA graph. `dtype`: of the iteration; torch's is bfloat16. `options`: of
    AdamW; learning rate and weight decay are those of the matrices too.
    """

    def __init__(self, groups: list[dict[str, Any]], dtype: torch.dtype = torch.bfloat16, **options: Any):
        self._dtype, self._adamw = dtype, AdamW([{"params": []}], **options)
        super().__init__(groups, self._adamw.defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        self._adamw.param_groups = [group for group in self.param_groups if not group["matrices"]]
        self._adamw.state = self.state  # what it remembers is saved and loaded with the rest
        loss = self._adamw.step(closure)
        for group in self.param_groups:
            for weight in group["params"] if group["matrices"] else ():
                if weight.grad is not None:
                    self._step_matrix(weight, group["lr"], group["weight_decay"])
        return loss

    def _step_matrix(self, weight: Tensor, rate: float | Tensor, decay: float) -> None:
        state, gradient = self.state[weight], weight.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        momentum = state["momentum_buffer"].lerp_(gradient, 1 - MOMENTUM)
        direction = orthogonal(gradient.lerp(momentum, MOMENTUM).flatten(1), self._dtype)
        size = STEP_SIZE * math.sqrt(max(direction.shape))
        weight.mul_(1 - rate * decay)
        weight.sub_(direction.float().reshape(weight.shape).mul_(rate * size))


def orthogonal(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """U·Vᵀ of the singular value decomposition U·S·Vᵀ of (rows, columns), by five Newton-Schulz iterations in `dtype`:
    singular values come out between 0.7 and 1.2, and those that were tiny smaller. Zeros stay zeros."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    values = matrix.to(dtype, copy=True)
    values = values.T if tall else values
    values.div_(values.norm().clamp(min=EPSILON))
    for _ in range(ITERATIONS):
        gram = values @ values.T
        values = torch.addmm(values, torch.addmm(gram, gram, gram, beta=b, alpha=c), values, beta=a)
    return values.T if tall else values


def matrices_of(network: nn.Module) -> list[Tensor]:
    """The weights that Muon steps: of linear layers, and of convolutions whose every output sees every input. Grouped
    and depthwise kernels are no one matrix."""
    return [
        module.weight
        for module in network.modules()
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)
    ]
