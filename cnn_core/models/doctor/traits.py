"""What the kinds of layers have in common, as far as it matters for what may follow what."""

from __future__ import annotations

from cnn_core.models.layer import Layer

SLIDING = frozenset({"conv", "depthwise", "depthwise_separable"})  # convolutions with a window to choose
CONVOLUTIONS = SLIDING | {"pointwise"}
LINEAR_MAPS = CONVOLUTIONS | {"linear"}  # weighted sums: two in a row are one
POOLS = frozenset({"max_pool", "avg_pool"})
TO_A_ROW = frozenset({"flatten", "global_pool"})
ACTIVATIONS = frozenset({"relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardswish", "elu", "softmax"})
NORMS = frozenset({"batch_norm", "group_norm", "layer_norm"})
DROPOUTS = frozenset({"dropout", "dropout2d"})
COMPOSITES = frozenset({"repeat", "branches"})
BLOCKS = frozenset({"residual", "backbone"})  # several layers in one, with activations of their own
TAKES_MAPS = CONVOLUTIONS | POOLS | {"global_pool", "adaptive_avg_pool", "dropout2d"} | BLOCKS


def bends(layer: Layer) -> bool:
    """Whether it is not linear: activations and max pooling. Norms scale, dropout leaves out, average pooling and
    flatten sum and reorder: they do not count."""
    if layer.kind == "leaky_relu":
        return getattr(layer, "slope", 0) != 1
    if layer.kind == "global_pool":
        return getattr(layer, "mode", "") == "max"
    return layer.kind in ACTIVATIONS or layer.kind == "max_pool" or layer.kind in BLOCKS
