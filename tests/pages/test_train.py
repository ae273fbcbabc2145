"""Train: a form made of the recipe's fields, an address that holds it, and a run on show."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.catalogue.registry import BUILT_IN, dataset_sources
from cnn_core.jobs.executors.slot import TROUBLE, Slot
from cnn_core.jobs.queue import submit
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.spec import fields
from tests.pages.conftest import Open, digits_recipe, errors, query, recipe_on, run, text

ELSEWHERE = {"augment", "network.layers", "network.rates"}  # drawn as steps, shown as a table, and no widget yet


def shown_fields(page: AppTest) -> set[str]:
    keys = {
        widget.key for kind in ("selectbox", "number_input", "select_slider", "toggle") for widget in page.get(kind)
    }
    return {str(key).removeprefix("recipe:") for key in keys if str(key).startswith("recipe:")}


def test_every_field_of_the_recipe_has_its_widget(open_page: Open) -> None:
    shown = set()
    for schedule in ("step", "one_cycle"):
        page = open_page("train", **{"training.schedule": schedule, "training.optimiser": "sgd"})
        shown |= shown_fields(page)
    assert shown == {name for name, _ in fields(Recipe)} - ELSEWHERE


def test_fields_that_do_not_matter_are_left_out(open_page: Open) -> None:
    page = open_page("train", **{"training.optimiser": "adam", "training.schedule": "constant"})
    assert not {"training.momentum", "training.step_epochs", "training.warm_up"} & shown_fields(page)


def test_an_empty_address_shows_the_recommended_recipe(open_page: Open) -> None:
    assert recipe_on(open_page("train")) == starting_recipe()


@pytest.mark.parametrize("preset", network_presets.names())
def test_a_network_brings_its_training(open_page: Open, preset: str) -> None:
    page = open_page("train", **{"data.dataset": "fashion_mnist_sample"})
    page.selectbox(key="recipe:network.preset").select(preset)
    run(page)
    assert recipe_on(page).training == network_presets.get(preset).training
    assert not page.error
    assert not page.button(key="train").disabled


def test_a_network_brings_its_augmentation_but_leaves_a_persons_own(open_page: Open) -> None:
    flip = dataset_sources.get("fashion_mnist_sample").augment
    page = open_page("train")
    page.selectbox(key="recipe:network.preset").select("best_in_one_minute")
    run(page)
    assert recipe_on(page).augment == ()
    page.selectbox(key="recipe:network.preset").select("best_in_eight_minutes")
    run(page)
    assert [step.kind for step in recipe_on(page).augment] == ["horizontal_flip", "shift"]
    page.selectbox(key="augment:set").select("tutorial")
    run(page)
    page.selectbox(key="recipe:network.preset").select("simple_cnn")
    run(page)
    assert recipe_on(page).augment == augment_presets.get("tutorial").steps != flip


@pytest.mark.parametrize("dataset", [source.name for source in BUILT_IN])
def test_a_data_set_brings_its_augmentation(open_page: Open, dataset: str) -> None:
    page = open_page("train")
    page.selectbox(key="recipe:data.dataset").select(dataset)
    run(page)
    assert recipe_on(page).augment == dataset_sources.get(dataset).augment


def test_a_change_goes_into_the_address_and_comes_back(open_page: Open) -> None:
    page = open_page("train")
    page.number_input(key="recipe:training.epochs").set_value(3)
    run(page)
    page.select_slider(key="slider:recipe:training.learning_rate").set_value(0.02)
    run(page)
    page.toggle(key="recipe:training.nesterov").set_value(False)
    run(page)
    assert query(page)["training.epochs"] == "3"
    assert "training.batch_size" not in query(page)
    again = open_page("train", **query(page))
    assert recipe_on(again) == recipe_on(page)
    assert (recipe_on(again).training.learning_rate, recipe_on(again).training.nesterov) == (0.02, False)


def test_any_number_can_be_typed_and_the_slider_follows(open_page: Open) -> None:
    page = open_page("train")
    for name, value in (("batch_size", 20), ("learning_rate", 0.04)):
        page.number_input(key=f"recipe:training.{name}").set_value(value)
        run(page)
        assert query(page)[f"training.{name}"] == str(value)
        assert page.select_slider(key=f"slider:recipe:training.{name}").value == value
    page.number_input(key="recipe:training.learning_rate").set_value(1e-7)
    page.number_input(key="recipe:data.validation_fraction").set_value(0.2)
    run(page)
    assert (recipe_on(page).training.learning_rate, recipe_on(page).data.validation_fraction) == (1e-7, 0.2)
    assert not page.error


@pytest.mark.parametrize(
    ("name", "typed", "right", "sentence"),
    [
        ("training.batch_size", 0, 1, "Batch size has to be 1 to 8,192."),
        ("training.batch_size", 8193, 8192, "Batch size has to be 1 to 8,192."),
        ("training.epochs", 100_000, 1000, "Epochs have to be 1 to 1,000."),
        ("training.learning_rate", 0.0, 1e-9, "Learning rate has to be above 0 and at most 10."),
        ("training.learning_rate", 50.0, 10.0, "Learning rate has to be above 0 and at most 10."),
        ("seed", -3, 0, "Seed has to be 0 to 2,147,483,647."),
    ],
)
def test_a_number_out_of_range_is_answered_and_not_trained_with(
    open_page: Open, name: str, typed: float, right: float, sentence: str
) -> None:
    page = open_page("train", **{"data.dataset": "digits"})
    before = recipe_on(page).flat()[name]
    page.number_input(key=f"recipe:{name}").set_value(typed)
    run(page)
    assert page.number_input(key=f"recipe:{name}").value == typed
    assert text(page).count(sentence) == 2  # beside the field and beside the button
    assert page.button(key="train").disabled
    assert recipe_on(page).flat()[name] == before
    page.number_input(key=f"recipe:{name}").set_value(right)
    run(page)
    assert recipe_on(page).flat()[name] == right
    assert sentence not in text(page)
    assert not page.button(key="train").disabled


def test_a_refused_number_gives_way_to_the_slider_and_to_another_network(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits"})
    page.number_input(key="recipe:training.batch_size").set_value(0)
    run(page)
    page.select_slider(key="slider:recipe:training.batch_size").set_value(64)
    run(page)
    assert (recipe_on(page).training.batch_size, page.button(key="train").disabled) == (64, False)
    page.number_input(key="recipe:training.batch_size").set_value(0)
    run(page)
    page.selectbox(key="recipe:network.preset").select("mlp")
    run(page)
    assert page.number_input(key="recipe:training.batch_size").value == network_presets.get("mlp").training.batch_size
    assert not page.button(key="train").disabled


def test_an_emptied_number_goes_back_to_what_it_was(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits", "training.epochs": 7})
    page.number_input(key="recipe:training.epochs").set_value(None)
    run(page)
    assert page.number_input(key="recipe:training.epochs").value == 7
    assert recipe_on(page).training.epochs == 7
    assert not page.button(key="train").disabled


def test_a_persons_own_validation_fraction_stays_with_another_network(open_page: Open) -> None:
    page = open_page("train", **{"network.preset": "two_conv_net"})
    assert recipe_on(page).data.validation_fraction == 0.2
    page.selectbox(key="recipe:network.preset").select("mlp")
    assert recipe_on(run(page)).data.validation_fraction == 0.0
    page.number_input(key="recipe:data.validation_fraction").set_value(0.35)
    run(page)
    page.selectbox(key="recipe:network.preset").select("two_conv_net")
    assert recipe_on(run(page)).data.validation_fraction == 0.35


def test_augmentation_has_typed_parameters(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits"})
    page.selectbox(key="augment:set").select("none")
    run(page)
    for kind in ("rotation", "cutout"):
        page.selectbox(key="augment:add").select(kind)
        run(page)
    page.number_input(key="augment:0:rotation:degrees").set_value(30.0)
    run(page)
    kinds = [(step.kind, step.parameters) for step in recipe_on(page).augment]
    assert kinds == [("rotation", {"degrees": 30.0}), ("cutout", {"size": 8})]
    assert json.loads(query(page)["augment"])[0] == {"kind": "rotation", "degrees": 30.0}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"data.dataset": "imagenet"}, "fashion_mnist_sample"),
        ({"network.preset": "resnet9000"}, "compact_resnet"),
        ({"training.epochs": "many"}, "training.epochs"),
        ({"training.epochs": "0"}, "training.epochs"),
        ({"training.learning_rate": "nan"}, "training.learning_rate"),
        ({"augment": "[{"}, "not valid JSON"),
        ({"augment": '[{"kind":"melt"}]'}, "melt"),
        ({"augment": '[{"kind":"rotation","degrees":999}]'}, "degrees"),
        ({"network.layers": '[{"kind":"warp"}]'}, "warp"),
        ({"run": "zzz"}, "zzz"),
        ({"run": "![x](http://a.b)"}, "![x](http://a.b)"),
    ],
)
def test_a_wrong_address_is_answered_with_a_sentence(open_page: Open, asked: dict[str, str], words: str) -> None:
    page = open_page("train", **asked)
    assert words in errors(page)
    assert page.selectbox(key="recipe:data.dataset").value == "fashion_mnist_sample"


def test_a_network_that_does_not_fit_is_named_before_training(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits", "network.preset": "lenet5", "data.image_size": 8})
    assert "Layer 4" in errors(page)
    assert "convolution" in errors(page)
    assert page.button(key="train").disabled


def test_train_queues_what_the_form_says(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits", "network.preset": "simple_cnn", "training.epochs": "2"})
    page.button(key="train").click()
    run(page)
    queued = store().runs()[0]
    assert query(page) == {"run": queued.id}
    assert (queued.recipe.data.dataset, queued.recipe.training.epochs) == ("digits", 2)
    assert recipe_on(page).network.layers == ()


def test_a_finished_run_shows_its_curves_and_where_to_go(open_page: Open, runs: list[str]) -> None:
    page = open_page("train", run=runs[0])
    assert len(page.get("echarts_chart")) == 2
    assert "Test accuracy" in text(page)
    assert "See what it learned" in text(page)
    assert not [button for button in page.button if button.label in ("Pause", "Stop", "Resume")]


def put(status: str, message: str = "", **values: object) -> str:
    run_id = submit(digits_recipe("simple_cnn", 2), "mine")
    assert store().move(run_id, ("queued",), status, message=message, **values)
    return run_id


@pytest.mark.parametrize(
    ("status", "buttons", "words"),
    [
        ("running", ["Pause", "Stop"], "running"),
        ("paused", ["Resume", "Stop"], "press Resume"),
        ("interrupted", ["Resume", "Stop"], "the worker died"),
        ("failed", [], "the worker died"),
        ("stopped", [], "the worker died"),
    ],
)
def test_every_status_says_what_it_means(open_page: Open, status: str, buttons: list[str], words: str) -> None:
    page = open_page("train", run=put(status, message="" if status == "paused" else "the worker died"))
    assert words in text(page)
    assert [b.label for b in page.button if b.label in ("Pause", "Resume", "Stop")] == buttons


def test_resume_queues_again(open_page: Open) -> None:
    run_id = put("interrupted", "gone")
    page = open_page("train", run=run_id)
    page.button(key=f"resume:{run_id}").click()
    run(page)
    assert store().get(run_id).status == "queued"
    assert "Resume" not in [button.label for button in page.button]


def test_the_learning_rate_is_changed_by_a_command(open_page: Open) -> None:
    run_id = put("running", learning_rate=0.01)
    page = open_page("train", run=run_id)
    page.button(key=f"rate:÷ 2:{run_id}").click()
    run(page)
    run(page)  # a later drawing of the page does not do it again
    (command,) = store().commands(run_id)
    assert (command.verb, command.value) == ("multiply_rate", 0.5)


def test_the_queue_is_visible(open_page: Open) -> None:
    submit(digits_recipe("simple_cnn", 2), "earlier")
    page = open_page("train", run=submit(digits_recipe("simple_cnn", 2), "mine"))
    assert "torch is being loaded" in text(page)


def test_own_layers_stay_until_a_preset_is_chosen(open_page: Open) -> None:
    layers = '[{"kind":"flatten"},{"kind":"linear"}]'
    page = open_page("train", **{"data.dataset": "digits", "network.layers": layers, "training.epochs": "4"})
    assert page.selectbox(key="recipe:network.preset").value == "own"
    page.selectbox(key="recipe:data.dataset").select("fashion_mnist_sample")
    run(page)
    assert [layer.kind for layer in recipe_on(page).network.layers] == ["flatten", "linear"]
    page.selectbox(key="recipe:network.preset").select("mlp")
    run(page)
    assert recipe_on(page).network.layers == ()


def test_a_live_run_is_a_click_away(open_page: Open) -> None:
    submit(digits_recipe("simple_cnn", 2), "mine")
    page = open_page("train")
    assert "mine is queued: watch it" in [link.label for link in page.get("page_link")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("training.momentum", 0.999),
        ("training.step_factor", 1e-7),
        ("training.learning_rate", 0.0333),
        ("training.learning_rate", 1e-12),
        ("data.validation_fraction", 0.9),
        ("seed", 2**31 - 1),
    ],
)
def test_any_valid_value_can_be_shown(open_page: Open, name: str, value: float) -> None:
    choices = {"training.optimiser": "sgd", "training.schedule": "step", name: str(value)}
    page = open_page("train", **choices)
    assert recipe_on(page).flat()[name] == value
    assert not page.error


def test_a_worker_that_does_not_start_is_said_with_its_log(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = submit(digits_recipe("simple_cnn", 1))
    assert "torch is being loaded" in text(open_page("train", run=run_id))
    slot = Slot(0, "cpu")
    slot._failures = TROUBLE
    monkeypatch.setattr("pages.ui.train.live.trouble", lambda: slot.trouble)
    shown = text(open_page("train", run=run_id))
    assert "The worker does not start" in shown
    assert "worker-0.log" in shown


def test_a_network_may_begin_with_the_weights_of_a_run_that_fits(open_page: Open, runs: list[str]) -> None:
    first = store().get(runs[1])  # "first" is of another network than "second"
    page = open_page("train", **{"data.dataset": "digits", "network.preset": first.network, "data.image_size": 0})
    box = next(box for box in page.selectbox if box.label == "Starting weights")
    assert box.options[0] == "Fresh random weights"
    assert f"Run #{first.number} first, epoch {first.best_epoch}" in box.options
    assert not any("second" in option for option in box.options)
    box.select(f"run {first.id} epoch {first.best_epoch}")
    run(page)
    assert query(page)["network.start"] == f"run {first.id} epoch {first.best_epoch}"
    assert "layers with weights begin with those" in text(page)
    page = open_page("train", **{"network.start": "run 0123abcd"})
    assert "There is no run '0123abcd'" in text(page)
