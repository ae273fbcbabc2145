"""A network and its training as PyTorch code, printed."""

from __future__ import annotations

import argparse
import os
import re

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.train import RECIPE_MEGABYTES
from cnn_core.errors import PlaygroundError
from cnn_core.export.pytorch import network_code, training_code
from cnn_core.planning.recipe import check, input_of
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

RUN = re.compile(r"[0-9a-f]{8}")


def print_code(options: argparse.Namespace) -> None:
    """The script of a run, by its id, or of a recipe's file; with --network-only the class alone."""
    if RUN.fullmatch(options.of) and not os.path.exists(options.of):
        recipe, plan = store().get(options.of).recipe, RunFolder(options.of).plan()
        shape, classes = tuple(plan["shape"]), len(plan["classes"])
        normalisation = tuple(plan["mean"]), tuple(plan["std"])
    else:
        recipe = check(Recipe.from_json(read_at_most(options.of, RECIPE_MEGABYTES, "recipe")))
        (shape, classes), normalisation = input_of(recipe), ((), ())
    if not recipe.network.layers:
        raise PlaygroundError("This run has no layers written out. Take its recipe instead.")
    if options.network_only:
        print(network_code(recipe.network.layers, shape, classes), end="")
    else:
        print(training_code(recipe, shape, classes, *normalisation), end="")
