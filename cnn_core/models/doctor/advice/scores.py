"""What stands between the scores and cross-entropy, which takes them as they are and applies softmax itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import e

from cnn_core.models.doctor.advice.advised import Advised
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Replace
from cnn_core.models.doctor.traits import ACTIVATIONS


def on_scores(nodes: Sequence[Node], classes: int, advised: Advised) -> None:
    """Every activation at the end."""
    for node in reversed(nodes):
        if node.kind not in ACTIVATIONS:
            return
        if getattr(node.layer, "slope", 0) != 1:
            code, sentence = _why(node.kind, classes)
            advised.add(node.path, code, sentence, ("Remove it", [Replace(node.path)]))


def _why(kind: str, classes: int) -> tuple[str, str]:
    if kind == "sigmoid":
        return "sigmoid_before_loss", (
            "Cross-entropy takes scores of any size and applies softmax itself. After a sigmoid they lie between 0 and "
            f"1, and no class can reach more than {_most(classes, 1):.0%} confidence."
        )
    if kind == "softmax":
        return "softmax_before_loss", (
            "Cross-entropy applies softmax itself. Of probabilities it takes the softmax once more, and no class can "
            f"reach more than {_most(classes, 1):.0%} confidence."
        )
    if kind == "tanh":
        return "activation_on_scores", (
            "Scores may have any size. After tanh they lie between -1 and 1, and no class can reach more than "
            f"{_most(classes, 2):.0%} confidence."
        )
    if kind == "relu":
        return "activation_on_scores", (
            "Scores may be negative. Here those become zero, and then the class learns nothing from the image."
        )
    return "activation_on_scores", "Scores may be negative. It flattens those, so that unlikely classes look alike."


def _most(classes: int, span: float) -> float:
    """Largest softmax of scores that differ by at most `span`: e^span / (e^span + classes - 1)."""
    return e**span / (e**span + classes - 1)
