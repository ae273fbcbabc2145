"""The way of an image's shape through a network, past every layer that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor import merging, moving, rows, sizes, windows
from cnn_core.models.doctor.expected import explained
from cnn_core.models.doctor.finding import Finding, Severity
from cnn_core.models.doctor.problem import REMOVE, Case, Problem, times_in_words
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Repair, Set
from cnn_core.models.doctor.sizes import Seen
from cnn_core.models.doctor.traits import COMPOSITES, TO_A_ROW
from cnn_core.models.layer import MOST_NUMBERS, Layer, Shape, advance, layer_kinds
from cnn_core.models.summary import MOST_PARAMETERS
from cnn_core.models.tree import Layers, Path

CHECKS = (
    rows.maps_layer_on_row,
    rows.linear_on_maps,
    windows.pool_padding,
    windows.pool_below_one,
    windows.kernel_too_large,
    windows.conv_groups,
    windows.border_too_wide,
    windows.norm_groups,
    rows.linear_inputs,
    sizes.too_many_numbers,
)
THOUGH_IT_BUILDS = (rows.norm_of_one, rows.batch_of_one)
MOST_PROBLEMS = 6  # of one layer


@dataclass
class Time:
    """One of the times a repeated group stands there."""

    path: Path
    number: int  # 0-based
    broken: bool = False  # what is found after is not reported: the group then stands there less often


class Walk:
    """Findings gather in `findings`, the layers passed in `seen` and `top`."""

    def __init__(self, layers: Layers, images: Shape, classes: int, batch_size: int):
        self.layers, self.images, self.classes, self.batch_size = layers, images, classes, batch_size
        self.findings: dict[tuple[Path, str, int], Finding] = {}
        self.seen: list[Seen] = []  # plain layers, as often as they are repeated
        self.top: list[Seen] = []  # the network's own list
        self._times: list[Time] = []
        self._parameters = 0

    def report(
        self,
        path: Path,
        code: str,
        sentence: str,
        repairs: Sequence[Repair],
        *,
        which: int = 0,
        image_size: int = 0,
        severity: Severity = "error",
    ) -> None:
        """`which` tells several findings of one code at one layer apart. What was found in an earlier repetition is not
        found again; what is found in a later one for the first time is mended by fewer of them."""
        key = (path, code, which)
        if key in self.findings or any(time.broken for time in self._times):
            return
        late = next((time for time in reversed(self._times) if time.number), None)
        if late is not None and severity == "error":
            late.broken = True
            fewer = Repair(
                f"Repeat it {times_in_words(late.number)}", (Set(late.path, {"times": late.number}),), self.layers
            )
            sentence, repairs = f"In repetition {late.number + 1}: {sentence}", (fewer, *repairs)
        self.findings[key] = Finding(path, severity, code, sentence, tuple(repairs), image_size)

    def chain(self, nodes: Sequence[Node], shape: Shape) -> Shape:
        """What comes out of layers one after the other."""
        row: Seen | None = None  # what made the row, in this list and with nothing but elementwise layers since
        owed: Node | None = None  # what a repair moved behind the layers that need maps
        passed: list[Seen] = []
        for position, node in enumerate(nodes):
            if owed and len(shape) == 3 and moving.needs_row(node):
                shape, owed = owed.layer.output_shape(shape, self.classes), None
            elif row and len(shape) == 1 and moving.needs_maps(node) and node.kind != row.node.kind:
                repairs, behind = moving.repairs(row.node, nodes, position, self.layers)
                self.report(node.path, "maps_layer_on_row", moving.sentence(row.node, shape), repairs)
                shape, owed, row = row.before, row.node if behind else None, None
            before = shape
            shape = self._layer(node, shape, row, passed)
            passed.append(Seen(node, before, shape, 0))
            if node.kind in TO_A_ROW and len(before) == 3:
                row = passed[-1]
            elif node.kind in COMPOSITES or before != shape:
                row = None
        self.top = passed if nodes and len(nodes[0].path) == 1 else self.top
        return owed.layer.output_shape(shape, self.classes) if owed and len(shape) == 3 else shape

    def _layer(self, node: Node, shape: Shape, row: Seen | None, passed: Sequence[Seen]) -> Shape:
        if node.kind == "repeat":
            return self._repeat(node, shape)
        if node.kind == "branches":
            return self._branches(node, shape)
        return self._plain(node, shape, row, passed)

    def _repeat(self, node: Node, shape: Shape) -> Shape:
        for number in range(int(getattr(node.layer, "times", 1))):
            time = Time(node.path, number)
            self._times.append(time)
            after = self.chain(node.lists[0], shape)
            self._times.pop()
            if time.broken:
                return shape
            shape = after
        return shape

    def _branches(self, node: Node, shape: Shape) -> Shape:
        if problem := merging.number_of_branches(node):
            self._report(node, problem)
        if not node.lists:
            return shape
        outputs = [self.chain(branch, shape) for branch in node.lists[: merging.MOST_BRANCHES]]
        found = merging.merge(self, node, shape, outputs)
        if prod(found) > MOST_NUMBERS:
            self.report(
                node.path, "too_many_numbers", sizes.numbers_sentence(found), (REMOVE.repair(node, self.layers),)
            )
            return shape
        return found

    def _plain(self, node: Node, shape: Shape, row: Seen | None, passed: Sequence[Seen]) -> Shape:
        layer, changed = node.layer, dict(node.spec.parameters)
        for _ in range(MOST_PROBLEMS):
            case = Case(layer, shape, self.classes, self.batch_size)
            problem = problem_of(case)
            if problem is None:
                break
            problem = self._in_context(problem, case, row, passed)
            self._report(node, problem)
            first = problem.fixes[0]
            if problem.advice:
                break
            if first.instead is not None:
                return shape
            for spec in first.before:
                shape = layer_kinds.get(spec.kind).model_validate(spec.parameters).output_shape(shape, self.classes)
            changed |= first.parameters
            layer = layer_kinds.get(node.kind).model_validate(changed)
        return self._counted(node, layer, shape, row)

    def _counted(self, node: Node, layer: Layer, shape: Shape, row: Seen | None) -> Shape:
        try:
            after = advance(layer, shape, self.classes)
        except PlaygroundError:
            return shape
        self.seen.append(Seen(node, shape, after, layer.parameters(shape, self.classes)))
        self._parameters += self.seen[-1].parameters
        if self._parameters > MOST_PARAMETERS:
            repairs = sizes.too_many_parameters(self.seen, row.node if row else None, self.layers)
            self.report(node.path, "too_many_parameters", sizes.parameters_sentence(self.seen), repairs)
            self._parameters -= self.seen.pop().parameters
        return after

    def _in_context(self, problem: Problem, case: Case, row: Seen | None, passed: Sequence[Seen]) -> Problem:
        """With what the layers before tell of it."""
        if problem.code == "linear_inputs" and row and row.node.kind == "flatten":
            whole = len(row.node.path) == 1 and not self.findings
            front = [one.node.layer for one in passed[: row.node.path[-1]]] if whole else []
            return explained(problem, case, row.node, row.before, front, self.images, self.layers)
        if problem.code in ("kernel_too_large", "pool_below_one"):
            return replace(problem, others=moving.less_shrinking(case, passed, self.layers))
        return problem

    def _report(self, node: Node, problem: Problem) -> None:
        repairs = [fix.repair(node, self.layers) for fix in problem.fixes]
        last = repairs.pop() if problem.others and problem.fixes[-1] is REMOVE and len(repairs) > 1 else None
        self.report(
            node.path,
            problem.code,
            problem.sentence,
            (*repairs, *problem.others, *([last] if last else [])),
            image_size=problem.image_size,
            severity="advice" if problem.advice else "error",
        )


def problem_of(case: Case) -> Problem | None:
    """The first thing that is wrong with a plain layer for what comes in; None where it works."""
    try:
        advance(case.layer, case.shape, case.classes)
    except PlaygroundError as error:
        sentence = str(error)
    else:
        return next((found for check in THOUGH_IT_BUILDS if (found := check(case))), None)
    found = next((found for check in CHECKS if (found := check(case))), None)
    return found or Problem("does_not_fit", sentence[0].upper() + sentence[1:], (REMOVE,))
