"""Weights that a network begins with: an earlier run's, a packaged set's, or fresh ones."""

import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.errors import PlaygroundError, RecipeError
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute
from cnn_core.jobs.queue import delete
from cnn_core.models.network import build
from cnn_core.models.packaged import packaged_weights
from cnn_core.models.weights import load_weights
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.events import EpochEnd
from cnn_core.runs.folder import RunFolder, snapshot
from cnn_core.runs.store import store
from cnn_core.starting_weights import StartingWeights, read_start

PACKAGED = "compact_resnet_fashion_mnist_sample"


def recipe(start: str = "fresh", network: str = "mlp", dataset: str = "digits", **training: object) -> Recipe:
    values = starting_recipe(dataset, network).model_dump()
    values["data"] |= {"image_size": 0}
    values["training"] |= {"epochs": 2, "batch_size": 512, "threads": 1, **training}
    values["network"]["start"] = start
    return check(Recipe.model_validate(values))


def train(chosen: Recipe, stop_at: int = 0) -> str:
    run_id, closing = store().create(chosen, "a run", "here"), threading.Event()

    def watch(event: object) -> None:
        if isinstance(event, EpochEnd) and event.epoch == stop_at:
            store().send(run_id, "pause")

    execute(run_id, "here", "cpu", closing, watch)
    return run_id


def weights(run_id: str, epoch: int) -> dict[str, torch.Tensor]:
    return load_file(RunFolder(run_id).files.open(snapshot(epoch)))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("text", ["fresh", "run 0123abcd", "run 0123abcd epoch 0", f"packaged {PACKAGED}"])
def test_the_text_says_it_all(text: str) -> None:
    assert str(read_start(text)) == text


@pytest.mark.parametrize(
    "text", ["", "Fresh", "run", "run 0123ABCD", "run ../../etc", "run 0123abcd epoch -1", "x" * 99]
)
def test_other_text_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(RecipeError, match="names no weights"):
        read_start(text)
    with pytest.raises(RecipeError, match="names no weights"):
        Recipe.from_query({"network.start": text})


def test_a_run_goes_on_from_another_run(home: Path) -> None:
    first = train(recipe())
    for start, epoch in ((f"run {first} epoch 1", 1), (f"run {first}", store().get(first).best_epoch)):
        second = train(recipe(start))
        run, plan = store().get(second), RunFolder(second).plan()
        assert (run.parent_run, run.parent_epoch) == (first, epoch)
        assert run.recipe.network.start == f"run {first} epoch {epoch}"
        assert same(weights(second, 0), weights(first, epoch or 0))
        assert (plan["start"], plan["fresh"]) == (f"run {first} epoch {epoch}", [])
        assert same(weights(second, 2), weights(train(recipe(start)), 2))
        assert not same(weights(second, 2), weights(first, 2))


def test_resumed_it_ends_as_one_that_was_not_though_the_source_is_gone(home: Path) -> None:
    first = train(recipe())
    start = f"run {first} epoch 2"
    whole, cut, never = (
        train(recipe(start)),
        train(recipe(start), stop_at=1),
        store().create(recipe(start), "x", "here"),
    )
    delete(first)
    assert store().take(cut, "here")
    execute(cut, "here", "cpu", threading.Event())
    assert same(weights(whole, 2), weights(cut, 2))
    execute(never, "here", "cpu", threading.Event())
    assert store().get(never).status == "failed"
    assert f"There is no run '{first}'" in store().get(never).message


def test_a_head_for_other_classes_is_fresh(home: Path) -> None:
    chosen = recipe(f"packaged {PACKAGED}", "compact_resnet", epochs=1)
    other = chosen.model_copy(update={"network": chosen.network.model_copy(update={"start": "fresh"})})
    run_id, fresh = train(chosen), train(other)
    taken = load_file(packaged_weights.get(PACKAGED).file)
    begun, drawn = weights(run_id, 0), weights(fresh, 0)
    parameters = [name for name in begun if not name.startswith("input.")]
    assert all(torch.equal(begun[name], taken[name].to(begun[name].dtype)) for name in parameters)
    assert torch.equal(begun["input.mean"], drawn["input.mean"])  # the normalisation is that of the images
    assert RunFolder(run_id).plan()["fresh"] == []
    assert RunFolder(fresh).plan()["fresh"]
    assert store().get(run_id).test_accuracy != store().get(fresh).test_accuracy


def test_what_does_not_fit_is_refused_before_training(home: Path) -> None:
    first = train(recipe())
    for start, part in (
        (f"run {first}", "no layer of this network has the shape"),
        ("run 0123abcd", "There is no run"),
        (f"run {first} epoch 7", "were not kept"),
        ("packaged nothing", "There is no packaged set of weights called 'nothing'"),
    ):
        with pytest.raises(RecipeError, match=part):
            recipe(start, "simple_cnn")


def test_packaged_weights_are_what_they_say(home: Path) -> None:
    """On images none of which they learned from, of the original Fashion-MNIST's test images."""
    packaged, data = packaged_weights.get(PACKAGED), open_dataset("fashion_mnist_sample")
    network = build(packaged.layers, packaged.shape, packaged.classes)
    load_weights(network, packaged.file)
    chosen = data.splits["test"][:500]
    classifier = Classifier(network.eval(), data.classes, (1, 28, 28))
    accuracy = (classifier.classify_many(data.images, chosen).argmax(1) == data.labels[chosen]).mean()
    assert accuracy > 0.85
    assert "Accuracy on the test images" in packaged.description
    assert packaged.file.stat().st_size < 400_000


def test_a_source_is_read_from_files_only(home: Path) -> None:
    with pytest.raises(PlaygroundError):
        check(Recipe.model_validate({"network": {"start": str(StartingWeights("run", "00000000"))}}))
