"""What should not follow what: two weighted sums with no activation between, a bias or dropout before batch norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnn_core.models.doctor.advice.advised import Advised
from cnn_core.models.doctor.problem import spec_of
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Edit, Insert, Replace, Set
from cnn_core.models.doctor.sizes import Seen, named
from cnn_core.models.doctor.traits import ACTIVATIONS, BLOCKS, DROPOUTS, LINEAR_MAPS, NORMS, bends
from cnn_core.models.tree import Path


@dataclass(frozen=True)
class Since:
    """What came before, as far as it still matters."""

    linear: Node | None = None  # the last weighted sum, where nothing has bent it since
    dropout: Node | None = None  # where no weights have come since
    biased: tuple[Node, ...] = ()  # layers whose bias still is one number a channel, added to all of it


class Following:
    """Passes through a network and advises."""

    def __init__(self, advised: Advised, seen: Mapping[Path, Seen]):
        self.advised, self.seen = advised, seen

    def chain(self, nodes: Sequence[Node], since: Since) -> Since:
        for node in nodes:
            if node.kind == "repeat":
                for _ in range(min(2, int(getattr(node.layer, "times", 1)))):  # the end of the list meets its beginning
                    since = self.chain(node.lists[0], since)
            elif node.kind == "branches":
                since = self._branches(node, since)
            else:
                since = self._plain(node, nodes, since)
        return since

    def _branches(self, node: Node, since: Since) -> Since:
        """A bias before branches matters to each in its own way. What is multiplied is bent."""
        if len(node.lists) < 2:
            return self.chain(node.lists[0], since) if node.lists else since
        found = [self.chain(branch, replace(since, biased=())) for branch in node.lists]
        if getattr(node.layer, "merge", "") == "multiply":
            return Since()
        linear = [one.linear for one in found]
        newest = next((one for one in linear if one is not since.linear), since.linear)
        return Since(
            newest if all(linear) else None,
            next((one.dropout for one in found), None) if all(one.dropout for one in found) else None,
            tuple(biased for one in found for biased in one.biased),
        )

    def _plain(self, node: Node, nodes: Sequence[Node], since: Since) -> Since:
        kind = node.kind
        if kind in LINEAR_MAPS | BLOCKS and since.linear and not self._pair(since.linear, node):
            self._no_activation(since.linear, node, nodes)
        if kind in LINEAR_MAPS:
            return Since(node, None, (node,) if getattr(node.layer, "bias", False) else ())
        if kind in BLOCKS:
            return Since()
        if kind == "batch_norm":
            self._before_batch_norm(node, since)
        if kind in DROPOUTS:
            left_out = getattr(node.layer, "probability", 0) > 0
            return replace(since, dropout=node, biased=()) if left_out else since
        linear = None if bends(node.layer) else since.linear
        dropout = None if kind == "batch_norm" else since.dropout
        mixed = kind in ACTIVATIONS | NORMS or (kind == "avg_pool" and getattr(node.layer, "padding", 0) > 0)
        return Since(linear, dropout, () if mixed else since.biased)

    def _pair(self, first: Node, second: Node) -> bool:
        """Two weighted sums that belong together: a depthwise convolution whose maps a 1×1 one mixes, or a 1×1 one to
        fewer maps than come before and after it, which saves weights (Sandler et al. 2018, MobileNetV2)."""
        if first.kind == "depthwise":
            return _one_by_one(second)
        known = self.seen.get(first.path), self.seen.get(second.path)
        if not _one_by_one(first) or known[0] is None or known[1] is None:
            return False
        return known[0].after[0] < min(known[0].before[0], known[1].after[0])

    def _no_activation(self, first: Node, second: Node, nodes: Sequence[Node]) -> None:
        at = second.path
        if first.path[:-1] == second.path[:-1]:
            after = first.path[-1] + 1
            while after < len(nodes) and nodes[after].kind in NORMS:
                after += 1
            at = (*first.path[:-1], after)
        self.advised.add(
            second.path,
            "no_activation",
            f"No activation stands between it and {named(first)}: two weighted sums in a row can do no more than one.",
            ("Insert a ReLU between them", [Insert(at, (spec_of("relu"),))]),
        )

    def _before_batch_norm(self, norm: Node, since: Since) -> None:
        for node in since.biased:
            self.advised.add(
                node.path,
                "bias_before_batch_norm",
                f"The mean that {named(norm)} subtracts takes its bias away again: it is learned for nothing.",
                ("Leave out its bias", [Set(node.path, {"bias": False})]),
            )
        if since.dropout is not None:
            self._dropout(since.dropout, norm)

    def _dropout(self, dropout: Node, norm: Node) -> None:
        """Li et al. 2018, https://arxiv.org/abs/1801.05134"""
        moved: list[Edit] = [Replace(dropout.path), Insert(norm.path, (dropout.spec,))]
        one_list = dropout.path[:-1] == norm.path[:-1] and dropout.path[-1] < norm.path[-1]
        self.advised.add(
            dropout.path,
            "dropout_before_batch_norm",
            f"It changes the variance while training only, so {named(norm)} learns one that is wrong in use.",
            *([("Move it behind the batch norm", moved)] if one_list else []),
            ("Remove it", [Replace(dropout.path)]),
        )


def _one_by_one(node: Node) -> bool:
    return node.kind == "pointwise" or (node.kind == "conv" and getattr(node.layer, "kernel", 0) == 1)
