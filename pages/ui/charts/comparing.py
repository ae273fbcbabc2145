"""Who is who among several runs on one page: a label, a colour and a line style for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_core.recipe import Recipe
from cnn_core.runs.tables import Run
from cnn_core.saved_networks import read_saved
from pages.ui.address.recipe import CHOICES, FIELDS
from pages.ui.forms.widgets import needed
from pages.ui.frame import words
from pages.ui.frame.colours import run_colour, run_palette

DASHES = ("solid", "dashed", "dotted")
OWN_OF_THE_DATA = ("data.validation_fraction", "data.image_size")  # 0: as the data set has it
MOST_DIFFERENCES = 2  # in a label; beyond that the number has to do


def line_styles(runs: Sequence[Run]) -> dict[str, tuple[str, str]]:
    """Run id -> colour and dash, each pair once. A run keeps the colour it has everywhere, unless an older one of these
    has it too: then it gets a free one. Past the end of the palette colours come back, dashed, then dotted.
    """
    colours, styles = run_palette(), {}
    ordered = sorted(runs, key=lambda run: run.number)
    for round_number, start in enumerate(range(0, len(ordered), len(colours))):
        free, dash = list(colours), DASHES[min(round_number, len(DASHES) - 1)]
        waiting = []
        for run in ordered[start : start + len(colours)]:
            if (own := run_colour(run)) in free:
                free.remove(own)
                styles[run.id] = (own, dash)
            else:
                waiting.append(run)
        styles |= {run.id: (colour, dash) for run, colour in zip(waiting, free, strict=False)}
    return styles


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """Run id -> its name; where several of these runs have one name, what tells them apart comes first."""
    times = Counter(run.name for run in runs)
    texts = {}
    for run in runs:
        namesakes = [other for other in runs if other.name == run.name]
        apart = (f"#{run.number}", _differences(run, namesakes), run.name)
        texts[run.id] = run.name if times[run.name] == 1 else " · ".join(filter(None, apart))
    repeated = Counter(texts.values())  # somebody may have named a run as another's label
    return {run_id: text if repeated[text] == 1 else f"{text} ({run_id})" for run_id, text in texts.items()}


def choices(recipe: Recipe) -> dict[str, Any]:
    """Field -> value of a recipe, as in Recipe.flat(); None for one that does not matter beside the others."""
    flat = recipe.flat()
    return {name: value if _matters(name, flat) else None for name, value in flat.items()}


def choice_text(name: str, value: Any) -> str:
    """A recipe's value for people, of a field that is no list of parts; – for one that does not matter."""
    if name in CHOICES and value:
        saved = read_saved(value)
        return str(CHOICES[name].get(value).title) if value in CHOICES[name] else saved.name if saved else str(value)
    if name in OWN_OF_THE_DATA and value == 0:
        return "the data set's own"
    return "–" if value is None else words.value(value) or "–"


def _matters(name: str, flat: Mapping[str, Any]) -> bool:
    part = name.rpartition(".")[0]
    beside = {other.rpartition(".")[2]: value for other, value in flat.items() if other.rpartition(".")[0] == part}
    return needed(FIELDS[name], beside)


def _differences(run: Run, others: Sequence[Run]) -> str:
    """The one or two choices by which the recipe differs from the others', "" where there are more or none."""
    if any(other.known_recipe is None for other in others):
        return ""
    flat, rest = run.recipe.flat(), [other.recipe.flat() for other in others]
    mine = choices(run.recipe)
    names = [name for name in flat if mine[name] is not None and any(other[name] != flat[name] for other in rest)]
    if len(names) > MOST_DIFFERENCES or any(isinstance(flat[name], list) for name in names):
        return ""
    return ", ".join(_choice(name, flat[name]) for name in names)


def _choice(name: str, value: object) -> str:
    text = choice_text(name, value)
    return text if name in CHOICES and value in CHOICES[name] else f"{words.label(name).lower()} {text}"
