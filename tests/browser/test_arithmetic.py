"""The arithmetic of the panel, computed by the browser, against what torch computed there."""

import base64
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.stage.arithmetic import MOST, arithmetic
from cnn_core.inspection.stage.frame import Look, look
from cnn_core.inspection.stage.packing import pack
from cnn_core.models.network import INPUT, Network, build
from cnn_core.models.preset import layer
from pages.ui.stage.component import HERE, PARTS, STYLES
from tests.inspection.test_stage import EVERY_KIND, image_of, network_of

DRAWN = [part for part in PARTS if part not in ("stage", "mount", "keys", "scrubber", "scores", "health")]
MANY_INPUTS = (
    layer("conv", channels=20, kernel=5, stride=2, padding=2),
    layer("max_pool", kernel=3, stride=2, padding=1),
    layer("conv", channels=3, kernel=1, padding=0),
    layer("avg_pool", kernel=2, padding=1),
    layer("global_pool", mode="max"),
    layer("linear", features=40),
    layer("relu"),
    layer("linear"),
)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page with the parts of the stage that compute and draw the panel."""
    opened = browser.new_page()
    script = "\n".join((HERE / f"{name}.js").read_text("utf-8") for name in DRAWN)
    style = "\n".join((HERE / f"{name}.css").read_text("utf-8") for name in STYLES)
    names = ", ".join(("Data", "Arithmetic", "Panel", "Draw"))
    opened.set_content(f"<style>{style}</style><div class=stage><div id=host></div></div>")
    opened.add_script_tag(content=f"{script}\nObject.assign(window, {{ {names} }});")
    yield opened
    opened.close()


def at(page: Page, close: dict[str, Any], places: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """What the browser computes at places of an output."""
    packed = base64.b64encode(pack(close)).decode()
    found: list[dict[str, Any]] = page.evaluate(
        """([packed, places]) => {
          const close = Data.unpack(Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)));
          return places.map(([row, column]) => Arithmetic.at(close, row, column));
        }""",
        [packed, places],
    )
    return found


def places_of(out: Any, seed: int) -> list[tuple[int, int]]:
    """The corners and ten random places of a map; one of a number."""
    if not isinstance(out, np.ndarray):
        return [(0, 0)]
    height, width = out.shape
    chance = random.Random(seed)
    drawn = [(chance.randrange(height), chance.randrange(width)) for _ in range(10)]
    return [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1), *drawn]


NETWORKS = {
    "every kind, colour": lambda: network_of("every kind", 3, 40, 5),
    "every kind, grey": lambda: network_of("every kind", 1, 33, 1000),
    "many inputs": lambda: of_layers(MANY_INPUTS, 3, 21),
    "dense": lambda: network_of("mlp", 3, 8, 2),
}


def of_layers(layers: Any, channels: int, side: int) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return build(layers, (channels, side, side), 4, [0.5] * channels, [0.25] * channels).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_place_is_what_torch_computed_there(page: Page, name: str) -> None:
    seen = look(network := NETWORKS[name](), image_of(network, seed=2))
    for address in [INPUT, *(node.address for node in seen.nodes)]:
        values = seen.values[address]
        for unit in {0, len(values) - 1, len(values) // 2}:
            close = arithmetic(seen, address, unit)
            places = places_of(close["out"], unit)
            for place, found in zip(places, at(page, close, places), strict=True):
                torch_says = float(values[unit][place] if values.ndim == 3 else values[unit])
                assert found["out"] == pytest.approx(torch_says, rel=1e-5, abs=3e-6), (address, unit, place)


def test_the_winning_pixel_of_a_padded_window_is_never_padding(page: Page) -> None:
    network = of_layers(MANY_INPUTS, 3, 21)
    with torch.no_grad():
        network.get_parameter("0.bias").fill_(-50)  # every value is below the zero of a careless padding
    seen = look(network, image_of(network))
    for found in at(page, arithmetic(seen, "1", 3), [(0, 0), (0, 3), (5, 5)]):
        assert found["patch"][found["winner"]] == pytest.approx(found["out"])
        assert found["out"] < 0


def test_the_parts_of_a_convolution_are_those_of_each_input(page: Page) -> None:
    network = of_layers(MANY_INPUTS, 3, 21)
    seen = look(network, image_of(network))
    close = arithmetic(seen, "2", 1)
    assert (len(close["inputs"]), close["others"]) == (MOST, 20 - MOST)
    found = at(page, close, [(2, 4)])[0]
    weight = network.get_parameter("2.weight").detach()[1, :, 0, 0]
    for part in found["parts"]:
        expected = float(weight[part["input"]] * seen.values["1"][part["input"], 2, 4])
        assert part["sum"] == pytest.approx(expected, abs=1e-6)
    sums = [abs(float(strength)) for strength in close["strength"]]
    assert sums == sorted(sums, reverse=True)


def test_products_behind_a_flatten_lie_in_their_maps(page: Page) -> None:
    network = of_layers((layer("conv", channels=3), layer("flatten"), layer("linear")), 1, 8)
    seen = look(network, image_of(network))
    close = arithmetic(seen, "2", 1)
    products = (network.get_parameter("2.weight").detach()[1] * seen.values["1"]).reshape(3, 8, 8)
    np.testing.assert_allclose(close["products"], products[close["maps"].astype(int)].numpy())
    assert sum(close["sums"]) + close["bias"] == pytest.approx(close["out"], abs=1e-5)


@pytest.mark.parametrize(("address", "unit"), [("77", 0), ("0", 5), ("0", -2), (INPUT, 3), ("softmax", 1000), ("", 0)])
def test_what_is_not_there_is_a_sentence(address: str, unit: int) -> None:
    seen = look(network := network_of("every kind", 3, 40, 2), image_of(network))
    with pytest.raises(PlaygroundError):
        arithmetic(seen, address, unit)


def draw(page: Page, seen: Look, address: str, unit: int) -> None:
    packed = base64.b64encode(pack(arithmetic(seen, address, unit))).decode()
    page.evaluate(
        """(packed) => {
          const close = Data.unpack(Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)));
          const host = document.getElementById("host"), palette = Draw.colours(host);
          const tint = (...value) => Draw.tint(palette, ...value);
          window.closings = 0;
          const ramp = (...value) => Draw.css(tint(...value)), onClose = () => window.closings++;
          const onOpen = (...what) => (window.opened = what);
          Panel.draw(host, close, { names: {}, tint, ramp, onClose, onStep() {}, onOpen });
        }""",
        packed,
    )


def test_the_panel_of_every_kind_is_drawn_and_walked_by_keyboard(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    seen = look(network := of_layers(EVERY_KIND, 3, 40), image_of(network))
    for address in [INPUT, *(node.address for node in seen.nodes)]:
        draw(page, seen, address, 0)
        expect(page.locator(".panel header b")).to_be_visible()
        expect(page.locator(".panel .equation").or_(page.locator(".panel figure")).first).to_be_visible()
    draw(page, seen, "0", 2)
    page.evaluate("document.getElementById('host').panel.move(3, 4)")
    whole = page.get_by_role("application")
    whole.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("(({ row, column }) => [row, column])(document.getElementById('host').panel.state)") == [4, 5]
    expected = float(seen.values["0"][2, 4, 5])
    shown = page.locator(".panel .equation b").first.get_attribute("title")
    assert float(shown or "nan") == pytest.approx(expected, abs=1e-5)
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.getElementById('host').panel.state.column") == 0
    page.keyboard.press("Escape")
    assert page.evaluate("window.closings") == 1
    page.get_by_role("button", name="walk over the output").click()
    page.wait_for_function("document.getElementById('host').panel.state.column > 0")
    draw(page, seen, "0", 2)  # new numbers for the same map: the window stays, and goes on walking
    assert page.evaluate("document.getElementById('host').panel.state.column") > 0
    assert not errors


def test_new_numbers_keep_the_chosen_input_the_focus_and_what_is_scrolled(page: Page) -> None:
    network = network_of("simple_cnn")
    first, second = (look(network, image_of(network, seed)) for seed in (0, 7))
    orders = [arithmetic(seen, "3", 5)["inputs"].tolist() for seen in (first, second)]
    chosen = next(number for number in orders[0][4:] if orders[0].index(number) != orders[1].index(number))
    draw(page, first, "3", 5)
    term = page.locator(f".term[data-input='{chosen}']")
    term.click()
    term.focus()
    page.locator(".terms").evaluate("terms => terms.scrollTop = 50")
    draw(page, second, "3", 5)
    expect(page.locator(".term[aria-pressed=true]")).to_have_attribute("data-input", str(chosen))
    expect(term).to_be_focused()
    assert page.locator(".terms").evaluate("terms => terms.scrollTop") == 50
    bar = page.get_by_role("button", name=f"map {orders[1][0] + 1} adds")
    bar.click()  # the bars are drawn anew, and the focus stays
    expect(bar).to_be_focused()
    expect(bar).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".term[aria-pressed=true]")).to_have_attribute("data-input", str(orders[1][0]))


def test_what_each_input_map_adds_is_shown_and_sums_to_the_output(page: Page) -> None:
    network = of_layers(MANY_INPUTS, 3, 21)
    seen = look(network, image_of(network))
    draw(page, seen, "2", 1)
    row, column = page.evaluate("(({ row, column }) => [row, column])(document.getElementById('host').panel.state)")
    titles = page.locator(".upright .column").evaluate_all("columns => columns.map((column) => column.title)")
    parts = [(title.rpartition(": ")[0], float(title.rpartition(": ")[2])) for title in titles]
    assert len(parts) == MOST + 3
    assert [name for name, _ in parts[-3:]] == ["the other 4 add", "bias", "sum"]
    assert sum(value for _, value in parts[:-1]) == pytest.approx(parts[-1][1], abs=1e-6)
    assert parts[-1][1] == pytest.approx(float(seen.values["2"][1, row, column]), abs=1e-5)


def test_padding_of_a_mean_is_zero_and_of_a_maximum_is_not(page: Page) -> None:
    network = of_layers(MANY_INPUTS, 3, 21)
    seen = look(network, image_of(network))
    for address, text, count in (("1", "−∞", 5), ("3", "0", 3), ("0", "0", 2 * 16)):  # of the conv: patch and products
        draw(page, seen, address, 0)
        page.evaluate("document.getElementById('host').panel.move(0, 0)")
        assert page.locator(".cells .padding").all_inner_texts() == [text] * count


def test_from_one_arithmetic_to_the_next(page: Page) -> None:
    network = network_of("compact_resnet")
    seen = look(network, image_of(network))
    strongest = arithmetic(seen, "9.conv2", 1)["inputs"].tolist()[0]
    steps = (
        ("9.conv2", f"patch of map {strongest + 1}", ["9.relu1", strongest]),
        ("9.conv2", "Batch norm", ["9.norm2", 1]),
        ("9.add", "computed by the block", ["9.norm2", 1]),
        ("9.add", "what came in", ["9.skip_norm", 1]),
    )
    for address, name, expected in steps:
        draw(page, seen, address, 1)
        page.locator(".panel .link", has_text=name).first.click()
        assert page.evaluate("window.opened") == expected


def test_a_network_of_nan_says_so(page: Page) -> None:
    network = of_layers(EVERY_KIND, 3, 40)
    with torch.no_grad():
        network.get_parameter("0.weight").fill_(float("nan"))
    seen = look(network, image_of(network))
    for node in seen.nodes:
        draw(page, seen, node.address, 0)
        expect(page.locator(".panel header b")).to_be_visible()
        if node.kind != "flatten":
            expect(page.locator(".panel .equation b").first).to_have_text("not a number")


def test_the_classes_that_are_not_shown_are_summed_up(page: Page) -> None:
    network = network_of("every kind", 1, 33, 1000)
    seen = look(network, image_of(network))
    least = int(seen.values["softmax"].argmin())
    draw(page, seen, "softmax", least)
    expect(page.locator(".bar .name").last).to_have_text("the other 988")
    expect(page.locator(".bar.chosen .name")).to_have_text(f"class {least}")
    fractions = [float(text or "nan") for text in page.locator(".bar b").evaluate_all("all => all.map((b) => b.title)")]
    assert sum(fractions) == pytest.approx(1, abs=1e-5)


def test_only_the_keyboard_is_spoken_of(page: Page) -> None:
    seen = look(network := network_of("simple_cnn"), image_of(network))
    draw(page, seen, "0", 2)
    output = page.get_by_role("application")
    output.hover(position={"x": 40, "y": 90})
    expect(page.locator(".panel .spoken")).to_be_empty()
    output.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".panel .spoken")).to_contain_text("Row ")


@pytest.mark.parametrize("width", [1120, 350])
def test_the_panel_fits_its_dock(page: Page, width: int) -> None:
    seen = look(network := network_of("simple_cnn"), image_of(network))
    page.set_viewport_size({"width": width, "height": 900})
    for address in [INPUT, *(node.address for node in seen.nodes)]:
        draw(page, seen, address, 0)
        box = page.locator(".panel").bounding_box()
        assert box is not None
        assert box["height"] <= 330 or width < 700
        assert page.locator(".panel").evaluate("panel => panel.scrollWidth <= panel.clientWidth"), address
