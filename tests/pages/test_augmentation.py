"""Augment: steps in order, images that follow them, a link that restores both, and what a run says of the labels."""

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.augmentation.steps import augmentations
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.inference import Classifier
from cnn_core.jobs.tasks.attempt import new_attempt
from cnn_core.jobs.tasks.run import run as work
from cnn_core.jobs.tasks.try_augmentations import tries_of
from cnn_core.jobs.tasks.turns import AT_ONCE
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from tests.pages.conftest import Open, digits_recipe, errors, query, recipe_on, run, settled, text, train

DIGITS = {"data.dataset": "digits"}


def kinds(page: AppTest) -> list[str]:
    return [step.kind for step in recipe_on(page).augment]


def drawn(page: AppTest) -> str:
    """The grid of draws, as the address of its image."""
    return re.findall(r'class="cnn-draws".*?src="([^"]+)"', text(page))[0]


def stages(page: AppTest) -> list[str]:
    return re.findall(r"<figcaption>(.*?)</figcaption>", text(page))


def steps(*specs: dict) -> dict[str, str]:
    return DIGITS | {"augment": json.dumps(specs)}


def test_it_opens_with_the_recommended_steps_and_their_draws(open_page: Open) -> None:
    page = open_page("augmentation")
    assert recipe_on(page) == starting_recipe()
    assert drawn(page)
    assert [name.split(" · ")[-1] for name in stages(page)][1:] == ["Horizontal flip"]
    assert "Train one on these images first" in [link.label for link in page.get("page_link")]


@pytest.mark.parametrize("name", augment_presets.names())
def test_every_set_can_be_chosen_and_says_why(open_page: Open, name: str) -> None:
    page = open_page("augmentation", **DIGITS)
    page.selectbox(key="augment:set").select(name)
    run(page)
    assert recipe_on(page).augment == augment_presets.get(name).steps
    assert augment_presets.get(name).why in text(page)
    passed = [augmentations.get(step.kind).title for step in augment_presets.get(name).steps]
    assert [text.split(" · ")[-1] for text in stages(page)[1 : 1 + len(passed)]] == passed
    assert not page.error


def test_a_parameter_changes_the_images_and_the_address(open_page: Open) -> None:
    page = open_page("augmentation", **steps({"kind": "rotation", "degrees": 5.0}))
    before = drawn(page)
    page.slider(key="augment:0:rotation:degrees").set_value(90.0)
    run(page)
    assert drawn(page) != before
    assert json.loads(query(page)["augment"]) == [{"kind": "rotation", "degrees": 90.0}]
    again = open_page("augmentation", **query(page))
    assert drawn(again) == drawn(page)
    assert recipe_on(again) == recipe_on(page)


def test_steps_are_added_moved_and_taken_out(open_page: Open) -> None:
    page = open_page("augmentation", **steps({"kind": "shift", "pixels": 2}))
    page.selectbox(key="augment:add").select("invert")
    run(page)
    assert kinds(page) == ["shift", "invert"]
    before = drawn(page)
    page.button(key="augment:up:1").click()
    run(page)
    assert kinds(page) == ["invert", "shift"]
    assert [name.split(" · ")[-1] for name in stages(page)[1:]] == ["Invert", "Shift"]
    assert drawn(page) != before
    assert page.button(key="augment:up:0").disabled
    assert page.button(key="augment:down:1").disabled
    page.button(key="augment:remove:0").click()
    run(page)
    assert [(step.kind, step.parameters) for step in recipe_on(page).augment] == [("shift", {"pixels": 2})]


def test_other_draws_and_other_images_are_in_the_address(open_page: Open) -> None:
    page = open_page("augmentation", **DIGITS)
    seen = {drawn(page)}
    for name in ("draws", "pictures"):
        page.button(key=f"lab:{name}").click()
        run(page)
        assert query(page)[name] == "1"
        seen.add(drawn(page))
    page.selectbox(key="choice:class").select(6)
    run(page)
    seen.add(drawn(page))
    assert len(seen) == 4
    assert drawn(open_page("augmentation", **query(page))) == drawn(page)


@pytest.mark.parametrize("kind", augmentations.names())
def test_every_kind_can_be_added(open_page: Open, kind: str) -> None:
    page = open_page("augmentation", **steps({"kind": kind}))
    assert kinds(page) == [kind]
    assert not page.error


def test_mixing_shows_the_shares_of_the_labels(open_page: Open) -> None:
    page = open_page("augmentation", **steps({"kind": "cutmix", "alpha": 1.0}))
    assert len(stages(page)) == 2 + 8
    assert all(re.match(r"\d+% \d", name) for name in stages(page)[2:])


def test_only_kinds_that_change_something_are_offered(open_page: Open) -> None:
    page = open_page("augmentation", **DIGITS)
    offered = page.selectbox(key="augment:add").options
    assert "Rotation" in offered
    assert "Saturation" not in offered


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"augment": "[{"}, "not valid JSON"),
        ({"augment": '[{"kind":"melt"}]'}, "melt"),
        ({"augment": '[{"kind":"rotation","degrees":999}]'}, "degrees"),
        ({"row": "99"}, "99"),
        ({"class": "x"}, "'x'"),
        ({"draws": "-1"}, "'-1'"),
        ({"pictures": "0" * 5000}, "from 0 to 9999"),
        ({"data.dataset": "imagenet"}, "imagenet"),
    ],
)
def test_a_wrong_address_is_answered_with_a_sentence(open_page: Open, asked: dict[str, str], words: str) -> None:
    page = open_page("augmentation", **asked)
    assert words in errors(page)
    assert len(page.error) == 1
    assert drawn(page)


def test_another_data_set_brings_its_steps_and_its_runs(open_page: Open, runs: list[str]) -> None:
    page = open_page("augmentation")
    page.selectbox(key="recipe:data.dataset").select("digits")
    run(page)
    assert kinds(page) == ["rotation"]
    best = max(store().runs(), key=lambda run: run.test_accuracy or 0)
    assert page.selectbox(key="choice:run").value == best.id


def test_colour_is_offered_for_colour_only(open_page: Open) -> None:
    page = open_page("augmentation", **steps({"kind": "colour_jitter"}))
    shown = {str(slider.key).split(":")[-1] for slider in page.slider}
    assert shown == {"brightness", "contrast"}


def test_images_that_are_not_here_can_be_fetched(open_page: Open) -> None:
    page = open_page("augmentation", **{"data.dataset": "cifar10"})
    assert page.button(key="get")
    assert not page.error


def test_a_run_tells_which_changes_alter_its_answers(open_page: Open, runs: list[str]) -> None:
    page = open_page("augmentation", **steps({"kind": "rotation", "degrees": 180.0}))
    assert 'class="cnn-heat"' not in text(page)
    page.button(key="safety:try").click()
    settled(page)
    assert query(page)["run"] in runs
    shown = text(page)
    assert shown.count('class="cnn-heat"') == 2
    assert "Your steps (Rotation) change the prediction for" in shown
    assert shown.count("before and after") == 12
    page.selectbox(key="choice:kind").select("rotation")
    run(page)
    page.segmented_control(key="choice:strength").set_value(100)
    run(page)
    assert "a rotated 6 is a 9" in " ".join(warning.value for warning in page.warning).replace("\\", "")
    again = open_page("augmentation", **query(page))
    assert "Rotation at 100% strength changes the prediction" in text(again)


def test_cancelled_tries_begin_again_only_when_asked(open_page: Open, runs: list[str], home: Path) -> None:
    """A link has them tried; no page begins again what a person cancelled."""
    (home / "tasks").mkdir()
    with ExitStack() as stack:
        for number in range(AT_ONCE):  # others are at work
            stack.enter_context(FileLock(home / "tasks" / f"turn-{number}.lock"))
        page = open_page("augmentation", **DIGITS, tried="yes")
        (cancel,) = (button for button in page.button if str(button.key).startswith("cancel-"))
        cancel.click()
        shown = settled(page)
    assert 'class="cnn-heat"' not in text(shown)
    assert not shown.error
    shown = run(shown)
    assert not [button for button in shown.button if str(button.key).startswith("cancel-")]
    assert not shown.button(key="safety:try").disabled
    shown.button(key="safety:try").click()
    (cancel,) = (button for button in run(shown).button if str(button.key).startswith("cancel-"))
    cancel.click()
    settled(shown)


def try_here(run_id: str) -> None:
    """What the button does, here and now."""
    task = tries_of(run_id, RunFolder(run_id).weights_version(None, store().get(run_id).best_epoch))
    work(new_attempt(task.id, task.kind.name, {"run": run_id}))


@pytest.fixture
def weak(runs: list[str]) -> str:
    """A run newer than the others that has hardly learned anything."""
    values = digits_recipe("one_conv_net", 1).model_dump()
    values["training"]["learning_rate"] = 1e-5
    return train(Recipe.model_validate(values), "weak")


def test_the_best_run_judges_unless_another_is_chosen(open_page: Open, runs: list[str], weak: str) -> None:
    """The newest run is the weakest; it gets to say how weak it is, and blames no augmentation."""
    known = {run.id: run.test_accuracy or 0 for run in store().runs()}
    best = max(runs, key=known.__getitem__)
    assert known[weak] < 0.4 < 0.8 < known[best]
    try_here(best)
    try_here(weak)
    page = open_page("augmentation", **DIGITS, tried="yes", kind="rotation", strength=100)
    assert query(page)["run"] == best
    shown = text(page)
    assert re.search(r"Without augmentation this network is wrong on \*\*\d+\.\d%\*\* of \d+ validation images", shown)
    assert "of the images it gets right, most often for" in shown
    assert len(page.warning) == 1
    page.selectbox(key="choice:run").select(weak)
    shown = text(run(page))
    assert query(page)["run"] == weak
    assert re.search(r"This network is wrong on \d+\.\d% of the \d+ validation images as they are", shown)
    assert "says little" in shown
    assert not [message for message in (*page.warning, *page.success) if "changes the prediction" in message.value]


def test_the_error_is_that_of_the_validation_images(open_page: Open, runs: list[str]) -> None:
    try_here(runs[1])
    page = open_page("augmentation", **DIGITS, tried="yes", run=runs[1])
    dataset, network = open_dataset("digits"), Classifier.open(runs[1])
    chosen = dataset.splits["validation"]  # fewer than the most that are judged
    wrong = network.classify_many(dataset.images, chosen).argmax(1) != dataset.labels[chosen]
    assert f"is wrong on **{wrong.mean() * 100:.1f}%** of {len(chosen)} validation images" in text(page)


def test_a_run_on_other_images_gives_way_to_the_best_on_these(open_page: Open, runs: list[str]) -> None:
    clothes = store().create(check(starting_recipe()), "clothes")
    page = open_page("augmentation", **DIGITS, run=clothes)
    assert not page.error
    assert query(page)["run"] in runs
    assert errors(open_page("augmentation", **DIGITS, run="nowhere")).startswith("There is no run 'nowhere' here")


def test_runs_on_other_images_are_not_asked(open_page: Open, runs: list[str]) -> None:
    page = open_page("augmentation")
    assert not [box for box in page.selectbox if box.key == "choice:run"]


def test_what_is_chosen_here_is_what_train_uses(open_page: Open) -> None:
    page = open_page("augmentation", **steps({"kind": "invert", "probability": 0.4}))
    assert recipe_on(open_page("train", **query(page))).augment == recipe_on(page).augment


def test_the_image_of_the_address_comes_first(open_page: Open) -> None:
    plain = open_page("augmentation", **{"data.dataset": "digits"})
    led = open_page("augmentation", **{"data.dataset": "digits", "first": 7})
    digit = f"{open_dataset('digits').labels[7]}"
    assert first_stage(led) == digit
    assert text(plain) != text(led)
    assert not open_page("augmentation", **{"data.dataset": "digits", "first": "99999"}).error


def first_stage(page: AppTest) -> str:
    """The class written below the first image of the one that passes the steps."""
    found = re.search(r"<figcaption>([^<]*)", text(page))
    assert found
    return found[1]
