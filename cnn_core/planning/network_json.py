"""A network as JSON text: what strangers paste or upload, and what is given to take along. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import PlaygroundError, RecipeError
from cnn_core.models.layers import read_layers
from cnn_core.models.presets import Layers, network_presets
from cnn_core.recipe import LayerSpec
from cnn_core.recipe_json import read_json
from cnn_core.recipe_versions import to_newest
from cnn_core.runs.networks import LAYERS_BYTES
from cnn_core.saved_networks import read_saved
from cnn_core.spec import parse

LARGEST = 5 * LAYERS_BYTES  # bytes of a text: layers with spaces and line breaks, the rest of a recipe beside them
WHAT = "This network"
EXPECTED = (
    'Expected is a list of layers such as [{"kind": "relu"}], a part {"layers": […]}, or a recipe whose "network" is '
    "such a part."
)
BOM = "\ufeff"  # some editors begin a file with it
LONGEST = 400  # characters of a sentence
LARGEST_SIZE = 256  # side of images in a recipe, in pixels


@dataclass(frozen=True)
class NetworkRead:
    """What a text holds."""

    layers: Layers
    preset: str  # where a recipe says they came from: a known preset or a saved network, else ""
    image_size: int  # of a recipe, 0 where it is not said


def layers_from_text(text: str | bytes) -> Layers:
    """The layers of a JSON text, see `network_from_text`."""
    return network_from_text(text).layers


def network_from_text(text: str | bytes) -> NetworkRead:
    """From a list of layers, a network part, a recipe, or an object that holds a recipe as "recipe".

    Each layer is of a known kind with valid parameters; whether they fit together is not looked at. Raises RecipeError:
    one sentence that names the layer, or the line.
    """
    try:
        return _read(text)
    except PlaygroundError as error:  # it may hold a name of the text
        sentence = str(error)
        raise RecipeError(sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…") from None


def _read(text: str | bytes) -> NetworkRead:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > LARGEST:
        raise RecipeError(
            f"{WHAT} has {size / 1000:,.0f} kB; a network has at most {LARGEST / 1000:,.0f} kB. Is it another file?"
        )
    text = text.removeprefix(BOM) if isinstance(text, str) else text.removeprefix(BOM.encode())
    value = read_json(text, WHAT)
    value = value.get("recipe", value) if isinstance(value, dict) else value
    if isinstance(value, dict) and "network" in value:
        value = to_newest(value)
    part = value.get("network", value) if isinstance(value, dict) else {"layers": value}
    if not isinstance(part, dict):
        raise RecipeError(f'The "network" of this text is not an object in braces. {EXPECTED}')
    preset = _preset(part.get("preset"))
    return NetworkRead(_layers(part.get("layers"), preset), preset, _image_size(value))


def layers_to_text(layers: Sequence[LayerSpec]) -> str:
    """JSON with one layer a line, for people to read and `layers_from_text` to read again."""
    lines = [f"  {json.dumps(layer.model_dump(mode='json'), ensure_ascii=False)}" for layer in layers]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _layers(values: Any, preset: str) -> Layers:
    if values in (None, []) and preset in network_presets:
        return network_presets.get(preset).layers
    if values == []:
        raise RecipeError(f"{WHAT} holds no layers: the list is empty.")
    if not isinstance(values, list):
        raise RecipeError(f"{WHAT} holds no layers. {EXPECTED}")
    layers = tuple(parse(LayerSpec, value, f"Layer {place}") for place, value in enumerate(values, start=1))
    read_layers(layers)
    return layers


def _preset(value: Any) -> str:
    """Of a recipe from elsewhere, if it means something here."""
    return value if isinstance(value, str) and (value in network_presets or read_saved(value)) else ""


def _image_size(value: Any) -> int:
    data = value.get("data") if isinstance(value, dict) else None
    size = data.get("image_size") if isinstance(data, dict) else None
    return size if type(size) is int and 0 <= size <= LARGEST_SIZE else 0
