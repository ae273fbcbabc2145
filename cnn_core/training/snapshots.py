"""Which epochs' weights are kept within the disk budget of a run."""

from __future__ import annotations

from torch import nn

HEADROOM = 4096  # bytes of a file beside its numbers: names, and what it says of itself


def keep_epochs(weights: int, state: int, epochs: int, budget: int) -> set[int]:
    """Epochs whose weights are kept: all where they fit into `budget` beside those of epoch 0, the best weights and the
    resume state, else every k-th; the first and the last always. All sizes in bytes."""
    for stride in range(1, epochs + 1):
        kept = {1, epochs, *range(stride, epochs + 1, stride)}
        if (len(kept) + 2) * weights + state <= budget:
            break
    return kept


def size_of(network: nn.Module) -> int:
    """Bytes of a file of weights."""
    return HEADROOM + sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
