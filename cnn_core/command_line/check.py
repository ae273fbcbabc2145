"""Whether a recipe's network can work, without training it."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.output import print_line, print_sentence
from cnn_core.command_line.train import RECIPE_MEGABYTES
from cnn_core.errors import PlaygroundError
from cnn_core.into_place import move_into_place
from cnn_core.models.doctor import Finding, examine, repair_all
from cnn_core.models.layers import layer_kinds
from cnn_core.models.presets import layers_of
from cnn_core.models.tree import Layers, at
from cnn_core.planning.recipe import check, input_of
from cnn_core.recipe import Recipe

CANNOT_WORK = 2


def check_recipe(options: argparse.Namespace) -> int:
    """One JSON line a finding. Exit code 2 where something cannot work, unless the repaired recipe was written."""
    recipe = Recipe.from_json(read_at_most(options.recipe, RECIPE_MEGABYTES, "recipe"))
    layers, (images, classes) = layers_of(recipe.network), input_of(recipe)
    findings = examine(layers, images, classes, recipe.training.batch_size)
    for finding in findings:
        print_line(_as_json(finding, layers))
    wrong = sum(finding.severity == "error" for finding in findings)
    if wrong and options.repair is None:
        them = f"{wrong} things" if wrong > 1 else "one thing"
        print_sentence(f"This network cannot work because of {them}. Write a repaired recipe with --repair OUT.json.")
        return CANNOT_WORK
    if wrong:
        layers = repair_all(layers, images, classes, recipe.training.batch_size)
        network = recipe.network.model_copy(update={"layers": layers})
        recipe = recipe.model_copy(update={"network": network})
    check(recipe)
    if options.repair is not None:
        _write(Path(options.repair), recipe.to_json())
    return 0


def _as_json(finding: Finding, layers: Layers) -> dict[str, Any]:
    """The path counts from 0, as in a recipe; repairs are titles, the first is the one that --repair makes."""
    kind = at(layers, finding.path).kind if finding.path else ""
    title = layer_kinds.get(kind).title if kind in layer_kinds else kind
    return {
        **{"severity": finding.severity, "code": finding.code, "path": finding.path, "layer": title},
        "sentence": finding.sentence,
        "repair": finding.repairs[0].title,
        "other_repairs": [repair.title for repair in finding.repairs[1:]],
        **({"image_size": finding.image_size} if finding.image_size else {}),
    }


def _write(path: Path, text: str) -> None:
    """An earlier file of that name is replaced, once the new one is whole."""
    draft = Path(f"{path}.{os.getpid()}.draft")
    try:
        draft.write_text(f"{text}\n", encoding="utf-8")
        move_into_place(draft, path)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        with suppress(OSError, ValueError):
            draft.unlink()
        raise PlaygroundError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
