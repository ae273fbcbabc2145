"""Where a network starts from, and saving it: on a small page with both parts, and in the form of Train."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.models.presets import layers_of, network_presets, title_of
from cnn_core.planning import networks
from cnn_core.planning.network_json import LARGEST, layers_to_text
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec
from cnn_core.runs.store import store
from cnn_core.saved_networks import SavedName, digest_of
from pages.ui.address.recipe import query_of, replace, with_network
from tests.pages.conftest import Open, as_read, errors, recipe_on, run, text

LAYERS = (LayerSpec(kind="conv", channels=8), LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
NAMES = (
    "<script>window.hacked = 1</script>",
    ":cat: $x$ **b**",
    "x" * 80,
    "🦓 🇺🇦",
    "شبكتي العصبية",
    "a -> b -- www.a.b",
)
Opened = Callable[..., AppTest]


@pytest.fixture
def opened(home: Path) -> Opened:
    """The small page, with query parameters."""

    def opened(**query: str) -> AppTest:
        app = AppTest.from_file(Path(__file__).with_name("network_parts.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return run(app)

    return opened


def dialog(page: AppTest, opener: str, view: str = "") -> AppTest:
    """The page with a dialog open. AppTest draws whole pages: the click that opens it is repeated in each run."""
    page.button(key=opener).click()
    run(page)
    page.button(key=opener).click()
    if view:
        page.get("button_group")[0].set_value(view)
        run(page)
        page.button(key=opener).click()
    return page


def save(page: AppTest, name: str, owner: str = "", teaches: str = "") -> AppTest:
    dialog(page, "save-network")
    for field, value in {"name": name, "owner": owner, "teaches": teaches}.items():
        page.text_input(key=f"save-network:{field}").set_value(value)
    page.button(key="save-network:save").click()
    return run(page)


def shown(page: AppTest) -> str:
    return as_read(page.markdown[0].value)


@pytest.mark.parametrize("preset", network_presets.names())
def test_every_preset_can_be_started_from(opened: Opened, preset: str) -> None:
    page = dialog(opened(), "start-from")
    page.button(key=f"start-from:{preset}").click()
    run(page)
    assert recipe_on(page) == replace(starting_recipe(), "network.preset", preset)
    assert shown(page) == network_presets.get(preset).title


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_network_is_offered_to_everybody_with_its_owner(opened: Opened, name: str) -> None:
    page = save(opened(**query_of(with_network(starting_recipe(), LAYERS, 48, "simple_cnn"))), name, name[:64])
    assert not page.error
    assert shown(page) == name
    another = dialog(opened(), "start-from")
    assert name in text(another)
    assert f"Saved by {name[:64]} · " in text(another)
    another.button(key=f"start-from:{networks.saved()[0].key}").click()
    run(another)
    assert (shown(another), recipe_on(another).network.layers) == (name, LAYERS)
    assert recipe_on(another).data.image_size == 48
    assert not another.error


def test_cards_say_what_a_network_costs_on_these_images(opened: Opened) -> None:
    networks.save("too deep", (LayerSpec(kind="max_pool", kernel=9),) * 4 + LAYERS)
    page = dialog(opened(), "start-from")
    assert "Saved by somebody · does not fit 28 × 28 px" in text(page)
    assert "109k parameters at 28 × 28 px" in text(page), f"the MLP: {785 * 128 + 129 * 64 + 65 * 10}"


def test_many_saved_networks_are_found_by_a_part_of_their_name(opened: Opened) -> None:
    for number in range(13):
        networks.save(f"net {number:02}", LAYERS, owner=f"owner {number}")
    page = dialog(opened(), "start-from")
    assert "8 of 13 are shown" in text(page)
    for wanted, found in {"ET 12": ["net 12"], "owner 1": ["net 01", "net 10", "net 11", "net 12"], "zzz": []}.items():
        page.text_input[0].set_value(wanted)
        page.button(key="start-from").click()
        run(page)
        assert [name for name in (f"net {number:02}" for number in range(13)) if name in text(page)] == found


def test_a_card_of_a_network_that_was_deleted_meanwhile(opened: Opened) -> None:
    saved = networks.save("gone", LAYERS)
    page = dialog(opened(), "start-from")
    networks.delete(saved.saved_id)
    page.button(key=f"start-from:{saved.key}").click()
    run(page)
    assert shown(page) == "Compact ResNet"


def test_a_run_gives_its_layers(opened: Opened) -> None:
    page = dialog(opened(), "start-from", "A run")
    run(page)
    assert "There are no runs yet." in text(page)
    recipe = with_network(starting_recipe("digits"), LAYERS, 16, "simple_cnn")
    store().create(check(recipe), "a <b>run</b>")
    store().create(check(starting_recipe("digits", "mlp")), "later")
    page = dialog(page, "start-from", "A run")
    page.selectbox[0].select_index(1)
    run(dialog(page, "start-from"))
    page.button(key="start-from").click()
    page.button(key="start-from-run").click()
    run(page)
    assert (recipe_on(page).network.layers, recipe_on(page).data.image_size) == (LAYERS, 16)
    assert shown(page) == "Own network (from Simple CNN)"


def test_pasted_text(opened: Opened) -> None:
    page = dialog(opened(), "start-from", "JSON")
    page.text_area[0].set_value(layers_to_text(LAYERS))
    page.button(key="start-from-text").click()
    run(page)
    assert (recipe_on(page).network, shown(page)) == (NetworkSpec(preset="", layers=LAYERS), "Own network")
    for wrong, part in {'[{"kind": "<b>"}]': "no layer kind called '<b>'", "[" * 100_000: "brackets"}.items():
        page = dialog(page, "start-from", "JSON")
        page.text_area[0].set_value(wrong)
        page.button(key="start-from-text").click()
        run(page)
        assert part in errors(page)
        assert recipe_on(page).network.layers == LAYERS


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (layers_to_text(LAYERS).encode(), ""),
        (check(starting_recipe("digits", "mlp")).to_json().encode(), ""),
        (b"\x89PNG\xff", "This network is not"),
        (b" " * (LARGEST + 1), "at most 1,000 kB"),
    ],
)
def test_an_uploaded_file(opened: Opened, content: bytes, part: str) -> None:
    page = dialog(opened(), "start-from", "JSON")
    page.file_uploader[0].set_value(("network.json", content, "application/json"))
    run(page)
    assert part in errors(page)
    if not part:
        expected = LAYERS if content.startswith(b"[") else network_presets.get("mlp").layers
        assert layers_of(recipe_on(page).network) == expected
        assert not page.error


def test_the_link_opens_the_same_network(opened: Opened) -> None:
    from urllib.parse import parse_qsl

    recipe = with_network(starting_recipe(), LAYERS, 32, str(SavedName("<b>", digest_of(LAYERS))))
    page = dialog(opened(**query_of(recipe)), "start-from", "Link")
    run(page)
    link = page.code[0].value
    again = opened(**dict(parse_qsl(link.split("?", 1)[1])))
    assert recipe_on(again) == recipe
    assert shown(again) == "<b>"


def test_a_network_too_large_for_a_link_is_told_so(opened: Opened) -> None:
    recipe = with_network(starting_recipe(), (LayerSpec(kind="relu"),) * 2000 + LAYERS, 0, "")
    page = dialog(opened(**query_of(recipe)), "start-from", "Link")
    run(page)
    assert "too large for a link" in errors(page)
    assert not page.code


def test_a_name_that_is_taken_can_be_replaced(opened: Opened) -> None:
    before = networks.save("mine", LAYERS, owner="Ada", image_size=16)
    page = opened(**{"network.preset": "lenet5"})
    dialog(page, "save-network")
    page.text_input(key="save-network:name").set_value("MINE")
    page.button(key="save-network:save").click()
    run(page)
    assert "There is a network called MINE already, saved by Ada. Choose another name." in errors(page)
    assert page.button(key="save-network:replace")
    assert networks.saved() == [before]


@pytest.mark.parametrize(
    ("name", "part"), [("", "needs a name"), ("simple cnn", "There is a preset called simple cnn")]
)
def test_a_name_that_cannot_be(opened: Opened, name: str, part: str) -> None:
    page = save(opened(), name)
    assert part in errors(page)
    assert networks.saved() == []
    assert not [button for button in page.button if button.key == "save-network:replace"]


def test_a_persons_name_is_remembered_in_the_session(opened: Opened) -> None:
    page = save(opened(), "first", "Ada")
    page = dialog(page, "save-network")
    assert page.text_input(key="save-network:owner").value == "Ada"
    assert page.text_input(key="save-network:name").value == "first", "to be changed or replaced"


def test_renaming_and_deleting(opened: Opened) -> None:
    first = networks.save("first", LAYERS, owner="Ada", teaches="That <b> stays.")
    networks.save("second", LAYERS)
    page = opened(**query_of(with_network(starting_recipe(), LAYERS, 0, first.key)))
    dialog(page, "saved-networks")
    assert "That <b> stays. Saved by Ada." in text(page)
    page.text_input(key=f"rename-network:{first.saved_id}").set_value("$third$")
    page.button(key="rename-network:save").click()
    run(page)
    assert shown(page) == "$third$"
    dialog(page, "saved-networks")
    page.text_input(key=f"rename-network:{first.saved_id}").set_value("Second")
    page.button(key="rename-network:save").click()
    run(page)
    assert "There is a network called Second already" in errors(page)
    dialog(page, "saved-networks")
    assert "Delete $third$ for everybody?" in text(page)
    page.button(key=f"delete-network:{first.saved_id}").click()
    run(page)
    assert [network.title for network in networks.saved()] == ["second"]
    assert (shown(page), recipe_on(page).network.layers) == ("$third$", LAYERS), "the page keeps what it shows"


def test_train_offers_saved_networks_beside_the_presets(open_page: Open) -> None:
    saved = networks.save(":cat: $x$", LAYERS, owner="<b>", image_size=16, teaches="Less is more.")
    page = open_page("train", **{"network.preset": "lenet5", "training.epochs": 3})
    before = recipe_on(page)
    box = page.selectbox(key="recipe:network.preset")
    assert box.options == [preset.title for preset in network_presets] + [":cat: $x$"]
    box.select(saved.key)
    run(page)
    after = recipe_on(page)
    assert (after.network, after.data.image_size) == (NetworkSpec(preset=saved.key, layers=LAYERS), 16)
    assert after.training == before.training
    assert "Less is more. Saved by <b>." in text(page)
    assert ":cat: $x$" in text(page)
    page.selectbox(key="recipe:data.dataset").select("digits")
    run(page)
    assert (recipe_on(page).network, recipe_on(page).data.image_size) == (after.network, 16)
    networks.delete(saved.saved_id)
    run(page)
    assert page.selectbox(key="recipe:network.preset").value == saved.key
    assert recipe_on(page).network == after.network
    page.selectbox(key="recipe:network.preset").select("mlp")
    run(page)
    assert recipe_on(page).network == NetworkSpec(preset="mlp")
    assert not page.error


def test_a_saved_network_that_is_gone_when_it_is_chosen_is_a_sentence(open_page: Open) -> None:
    saved = networks.save("mine", LAYERS)
    page = open_page("train")
    networks.delete(saved.saved_id)
    page.selectbox(key="recipe:network.preset").select(saved.key)
    run(page)
    assert "There is no saved network mine any more" in errors(page)
    assert recipe_on(page) == starting_recipe()


def test_runs_of_saved_networks_are_named_after_them(home: Path) -> None:
    from cnn_core.jobs.queue import name_of

    recipe = with_network(starting_recipe("digits"), LAYERS, 0, str(SavedName("my_net :cat:", digest_of(LAYERS))))
    assert name_of(recipe).startswith("my_net :cat: · ")
    assert title_of(store().get(store().create(check(recipe), "x")).recipe.network) == "my_net :cat:"
