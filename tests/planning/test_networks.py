"""Presets and saved networks in one list, and what a recipe says of where its network came from."""

import dataclasses
from hashlib import sha256
from pathlib import Path

import pytest

from cnn_core.errors import PlaygroundError, TakenNameError, UnknownNameError
from cnn_core.models.presets import has_own_layers, is_saved, network_presets, title_of
from cnn_core.planning import networks
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe
from cnn_core.saved_networks import SavedName, digest_of, read_saved

LAYERS = (LayerSpec(kind="conv", channels=8), LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
NAMES = ("<script>", ":cat: $x$", "x" * 80, "🦓", "شبكتي", "saved 12345678 twice", "simple", "C# & 50% + ü?")


def test_the_list_is_the_presets_and_then_the_saved_by_name(home: Path) -> None:
    networks.save("beta", LAYERS, owner="Ada", image_size=32, teaches="Why.")
    networks.save("Alpha", LAYERS)
    offered = networks.offered()
    assert [network.key for network in offered[:-2]] == network_presets.names()
    assert [(network.title, network.owner) for network in offered[-2:]] == [("Alpha", "somebody"), ("beta", "Ada")]
    assert (offered[-1].image_size, offered[-1].teaches, offered[-1].training) == (32, "Why.", None)
    for network, preset in zip(offered, network_presets, strict=False):
        assert (network.layers, network.training, network.owner) == (preset.layers, preset.training, "")
    for network in offered:
        assert networks.find(network.key) == network
    assert networks.find(offered[-1].key).layers == LAYERS


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_shows_the_name_until_its_layers_are_changed(home: Path, name: str) -> None:
    saved = networks.save(name, LAYERS)
    network = NetworkSpec(preset=saved.key, layers=saved.layers)
    recipe = starting_recipe("digits").model_copy(update={"network": network})
    assert title_of(recipe.network) == name
    for again in (
        Recipe.from_json(recipe.to_json()),
        Recipe.from_query(recipe.to_query()),
        check(recipe),
    ):
        assert (title_of(again.network), again.network.layers) == (name, LAYERS)
        assert is_saved(again.network)
        assert has_own_layers(again.network)
    edited = recipe.network.model_copy(update={"layers": LAYERS[1:]})
    assert title_of(edited) == f"Own network (from {name})"
    networks.delete(saved.saved_id)
    assert title_of(recipe.network) == name


def test_a_digest_does_not_depend_on_how_a_number_is_written() -> None:
    a, b = (
        LayerSpec(kind="dropout", probability=1.0, x=[{"y": 2}]),
        LayerSpec(kind="dropout", x=[{"y": 2.0}], probability=1),
    )
    assert digest_of([a]) == digest_of([b]) != digest_of([a, b])
    assert digest_of([LayerSpec(kind="dropout", probability=0.5)]) != digest_of([LayerSpec(kind="dropout")])
    text = '[{"channels":8,"kind":"conv"},{"kind":"flatten"},{"kind":"linear"}]'
    assert digest_of(LAYERS) == sha256(text.encode()).hexdigest()[:8], "recipes hold it: it has to stay as it is"


@pytest.mark.parametrize(
    "text", ["", "simple_cnn", "saved", "saved 1234567 x", "saved 12345678 ", "saved 12345678 a\nb"]
)
def test_what_names_no_saved_network(text: str) -> None:
    assert read_saved(text) is None


def test_a_saved_name_is_read_as_it_is_written() -> None:
    name = SavedName("saved 12345678 twice", "0123abcd")
    assert read_saved(str(name)) == name


@pytest.mark.parametrize("name", ["Simple CNN", "simple  cnn ", "simple_cnn"])
def test_a_presets_title_is_taken(home: Path, name: str) -> None:
    with pytest.raises(TakenNameError, match="There is a preset called"):
        networks.save(name, LAYERS)
    saved = networks.save("mine", LAYERS)
    with pytest.raises(TakenNameError, match="There is a preset called"):
        networks.rename(saved.saved_id, name)


@pytest.mark.parametrize("layers", [(), (LayerSpec(kind="gone"),), (LayerSpec(kind="conv", channels=-1),)])
def test_layers_that_mean_nothing_are_not_saved(home: Path, layers: tuple[LayerSpec, ...]) -> None:
    with pytest.raises(PlaygroundError):
        networks.save("mine", layers)
    saved = networks.save("mine", LAYERS)
    with pytest.raises(PlaygroundError):
        networks.replace(saved.saved_id, layers)
    assert networks.find(saved.key).layers == LAYERS


def test_layers_that_do_not_fit_together_can_be_saved(home: Path) -> None:
    """A person may want to go on mending them tomorrow."""
    assert networks.save("half done", LAYERS[::-1]).layers == LAYERS[::-1]


def test_renamed_replaced_and_deleted_ones_are_not_found_under_the_former_key(home: Path) -> None:
    first = networks.save("first", LAYERS)
    second = networks.rename(first.saved_id, "second")
    third = networks.replace(first.saved_id, LAYERS[1:], 64)
    assert (third.title, third.image_size, third.layers) == ("second", 64, LAYERS[1:])
    networks.delete(third.saved_id)
    for gone in (first, second, third):
        with pytest.raises(UnknownNameError, match="was changed, renamed or deleted"):
            networks.find(gone.key)
    with pytest.raises(UnknownNameError, match="deleted"):
        _ = dataclasses.replace(first).layers  # listed before it was deleted, and not read since
    with pytest.raises(UnknownNameError, match="Known"):
        networks.find("nothing of ours")
