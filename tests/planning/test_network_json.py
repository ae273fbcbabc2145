"""Whatever a stranger's text holds, it is a network or one short sentence."""

import json
import time

import pytest

from cnn_core.errors import RecipeError
from cnn_core.models.layers import DEEPEST
from cnn_core.models.presets import network_presets
from cnn_core.planning.network_json import LARGEST, LONGEST, layers_from_text, layers_to_text, network_from_text
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import LayerSpec, Recipe
from cnn_core.saved_networks import digest_of

LAYERS = (LayerSpec(kind="conv", channels=8), LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
LIST = '[{"kind": "conv", "channels": 8}, {"kind": "flatten"}, {"kind": "linear"}]'


def inside(depth: int) -> dict[str, object]:
    """Branches inside branches."""
    relu = {"kind": "relu"}
    return {"kind": "branches", "merge": "add", "branches": [[inside(depth - 1)] if depth > 1 else [relu], []]}


def test_groups_inside_groups_as_deep_as_a_network_allows() -> None:
    for depth in (1, DEEPEST - 1):
        text = json.dumps({"recipe": {"network": {"layers": [inside(depth)]}}})
        assert layers_from_text(layers_to_text(layers_from_text(text))) == layers_from_text(text)
    for depth in (DEEPEST + 1, 8):
        with pytest.raises(RecipeError, match=r"Layer 1 has groups inside each other|brackets inside each other"):
            layers_from_text(json.dumps([inside(depth)]))
    text = '[{"kind": "relu"}, {"kind": "repeat", "times": 2, "layers": [{"kind": "dropout", "probability": NaN}]}]'
    with pytest.raises(RecipeError, match=r"Layer 2 \(repeat\), in a list inside it: Layer 1 \(dropout\) probab"):
        layers_from_text(text)


@pytest.mark.parametrize("preset", network_presets.names())
def test_what_is_written_is_read_again(preset: str) -> None:
    layers = network_presets.get(preset).layers
    text = layers_to_text(layers)
    assert layers_from_text(text) == layers
    assert digest_of(layers_from_text(text.encode())) == digest_of(layers)
    assert json.loads(text)[0]["kind"] == layers[0].kind
    assert len(text.splitlines()) == len(layers) + 2


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        LIST.encode(),
        "\ufeff" + LIST,
        b"\xef\xbb\xbf" + LIST.encode(),
        LIST.encode("utf-16"),
        f'{{"layers": {LIST}}}',
        f'{{"preset": "", "layers": {LIST}, "rates": []}}',
        f'{{"network": {{"layers": {LIST}}}, "version": 2}}',
        f'{{"network": {{"layers": {LIST}}}}}',
        f'{{"recipe": {{"network": {{"layers": {LIST}}}}}, "classes": ["a"]}}',
    ],
)
def test_a_list_a_part_and_a_recipe_are_read(text: str | bytes) -> None:
    assert layers_from_text(text) == LAYERS


def test_a_recipe_brings_the_size_of_its_images_and_where_its_layers_came_from() -> None:
    recipe = starting_recipe("digits", "simple_cnn")
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"image_size": 24})})
    for text in (recipe.to_json(), check(recipe).to_json()):
        found = network_from_text(text)
        assert found.layers == network_presets.get("simple_cnn").layers
        assert (found.preset, found.image_size) == ("simple_cnn", 24)


@pytest.mark.parametrize(
    "preset", ["gone", "saved 0 x", "saved 00000000 \\ud800", "saved 00000000 " + "x" * 81, 7, None]
)
def test_where_they_came_from_is_left_out_if_it_means_nothing_here(preset: object) -> None:
    text = f'{{"network": {{"preset": {json.dumps(preset)}, "layers": {LIST}}}, "data": {{"image_size": 1e99}}}}'
    found = network_from_text(text.replace("\\\\", "\\"))
    assert (found.preset, found.image_size, found.layers) == ("", 0, LAYERS)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "brackets inside each other"),
        ("[" * 100_000 + "]" * 100_000, "brackets inside each other"),
        ('[{"kind": "conv", "channels": ' + "[" * 50 + "]" * 50 + "}]", "brackets inside each other"),
        ('{"layers":' * 100_000, "brackets inside each other"),
        ('[{"kind": "conv", "channels": NaN}]', "Layer 1 (conv) channels: input should be a finite number"),
        ('[{"kind": "relu"}, {"kind": "dropout", "probability": -Infinity}]', "Layer 2 (dropout) probability"),
        ('[{"kind": "conv", "channels": 1e400}]', "Layer 1 (conv) channels"),
        ('[{"kind": "conv", "channels": ' + "9" * 300 + "}]", "Layer 1 (conv) channels: input should be less than"),
        ('[{"kind": "conv", "channels": ' + "9" * 100_000 + "}]", "a number has 100,000 digits"),
        ('[{"kind": "conv", "channels": -1}]', "Layer 1 (conv) channels: input should be greater"),
        ('[{"kind": "conv", "channels": "<script>"}]', "Layer 1 (conv) channels: input should be a valid integer"),
        ('[{"kind": "conv", "kind": "relu"}]', "'kind' is given twice between the same braces"),
        ('{"layers": [], "layers": [{"kind": "relu"}]}', "'layers' is given twice"),
        ('[{"kind": "relu"},\n {"kind": "flatten"},\n]', "line 3 column 1"),
        ('[{"kind": "relu"}, 7]', "Layer 2: input should be"),
        ('[{"kind": "relu"}, {}]', "Layer 2 kind: field required"),
        ('[{"kind": ["relu"]}]', "Layer 1 kind: input should be a valid string"),
        ('[{"kind": "__class__"}]', "Layer 1: There is no layer kind called '__class__'"),
        ('[{"kind": "relu", "model_config": 1}]', "model_config is not a known field"),
        ('[{"kind": "\\ud800"}]', "There is no layer kind called"),
        ('[{"kind": "' + "x" * 900_000 + '"}]', "There is no layer kind called"),
        ('[{"kind": "relu", "' + "x" * 900_000 + '": 1}]', "Layer 1 (relu) xxx"),
        ("[]", "the list is empty"),
        ("{}", "holds no layers"),
        ("null", "holds no layers"),
        ('"relu"', "holds no layers"),
        ('{"layers": {"kind": "relu"}}', "holds no layers"),
        ('{"network": []}', 'The "network" of this text is not an object'),
        ('{"network": {}, "version": 999}', "version 999"),
        ('{"network": {"preset": "gone"}}', "holds no layers"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "This network is not"),
        (b"\xff\xfe\x00", "This network is not"),
        ("[" + " " * LARGEST + "]", "has 1,000 kB; a network has at most 1,000 kB"),
        ("é" * (LARGEST // 2 + 1), "at most 1,000 kB"),
    ],
)
def test_what_is_no_network_is_one_sentence_with_the_place(text: str | bytes, part: str) -> None:
    began = time.monotonic()
    with pytest.raises(RecipeError) as caught:
        network_from_text(text)
    assert part in str(caught.value)
    assert len(str(caught.value)) <= LONGEST + 1
    str(caught.value).encode()
    assert time.monotonic() - began < 2


def test_names_given_twice_are_refused_in_a_recipe_too() -> None:
    with pytest.raises(RecipeError, match="'seed' is given twice"):
        Recipe.from_json('{"seed": 1, "seed": 2}')
