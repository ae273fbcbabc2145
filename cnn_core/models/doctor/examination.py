"""The whole examination, and mending all that it finds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from cnn_core.errors import PlaygroundError, ShapeError
from cnn_core.models.doctor.advice.advise import advise
from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.head import examine_head
from cnn_core.models.doctor.reading import Reader
from cnn_core.models.doctor.repair import Repair, Replace
from cnn_core.models.doctor.structure import nested_too_deep, no_layers, no_weights, too_many_operations
from cnn_core.models.doctor.walk import Walk
from cnn_core.models.layers import Shape, read_layers
from cnn_core.models.summary import shapes
from cnn_core.models.tree import Layers
from cnn_core.recipe import LayerSpec

BATCH_SIZE = 128
ROUNDS, DRASTIC_ROUNDS = 12, 60  # with the first repair of each error; with one that removes


def examine(
    layers: Sequence[LayerSpec], input_shape: Shape, classes: int, batch_size: int = BATCH_SIZE
) -> list[Finding]:
    """Everything that cannot work and all that is unwise, in the order of the layers, for images of `input_shape`
    (C, H, W) and training with cross-entropy.

    After a layer that does not fit, what comes out of its first repair goes on.
    """
    layers = tuple(layers)
    if not layers:
        return [no_layers(layers)]
    reader = Reader(layers)
    nodes = reader.nodes(layers)
    found = [*reader.findings, *nested_too_deep(nodes, layers)]
    if many := too_many_operations(nodes, layers):
        return sorted([*found, many], key=_place)
    walk = Walk(layers, tuple(input_shape), classes, batch_size)
    examine_head(walk, nodes, walk.chain(nodes, tuple(input_shape)))
    found += [*walk.findings.values(), *advise(nodes, walk)]
    if not _errors(found):
        if not any(seen.parameters for seen in walk.seen):
            found.append(no_weights(layers))
        found += _missed(layers, input_shape, classes)
    return sorted(found, key=_place)


def repair_all(layers: Sequence[LayerSpec], input_shape: Shape, classes: int, batch_size: int = BATCH_SIZE) -> Layers:
    """The network after the first repair of each error, until there is none. Advice is left to the person.

    Raises PlaygroundError where that does not come to an end.
    """
    layers = tuple(layers)
    for number in range(ROUNDS + DRASTIC_ROUNDS):
        errors = _errors(examine(layers, input_shape, classes, batch_size))
        if not errors:
            return layers
        for finding in sorted(errors, key=_place, reverse=True):  # from the end: what lies before keeps its place
            repair = finding.repairs[0] if number < ROUNDS else _drastic(finding)
            with suppress(PlaygroundError):  # another repair has removed it
                layers = repair.apply(layers)
    raise PlaygroundError(
        f"This network could not be repaired: {errors[0].sentence} Change it by hand, or start from a preset."
    )


def _drastic(finding: Finding) -> Repair:
    """One that only removes, where there is one: two repairs may undo each other, removing comes to an end."""
    for repair in reversed(finding.repairs):
        if all(isinstance(edit, Replace) and not edit.specs for edit in repair.edits):
            return repair
    return finding.repairs[0]


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _place(finding: Finding) -> tuple[tuple[int, ...], bool]:
    return finding.path, finding.severity == "advice"


def _missed(layers: Layers, input_shape: Shape, classes: int) -> list[Finding]:
    """What building refuses though nothing was found: a rule of a layer that the doctor does not know."""
    try:
        shapes(read_layers(layers), input_shape, classes)
    except PlaygroundError as error:
        at = error.layer if isinstance(error, ShapeError) else len(layers) - 1
        return [Finding((at,), "error", "does_not_fit", str(error), (Repair("Remove it", (Replace((at,)),), layers),))]
    return []
