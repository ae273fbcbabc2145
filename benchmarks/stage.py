"""The stage: what it sends, what it costs the server, the browser and a run that is watched."""

from __future__ import annotations

import threading
from statistics import median
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright

from benchmarks import live
from benchmarks.app import running_app
from benchmarks.row import Row, at_most
from benchmarks.timing import milliseconds
from cnn_core.inspection.stage.arithmetic import arithmetic
from cnn_core.inspection.stage.frame import choice_of, frame, look
from cnn_core.inspection.stage.packing import pack
from cnn_core.jobs.execute import execute
from cnn_core.models.network import Network, build
from cnn_core.models.preset import Layers, layer
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from tests.browser.chromium import find_chromium

PRESETS = ("simple_cnn", "compact_resnet", "two_conv_net_repaired", "lenet5", "mlp")
BLOCKS = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))
RESNET_18: Layers = (
    *(layer("conv", channels=64, kernel=7, stride=2, padding=3, bias=False), layer("batch_norm"), layer("relu")),
    layer("max_pool", kernel=3, stride=2, padding=1),
    *(layer("residual", channels=channels, stride=stride) for channels, stride in BLOCKS),
    *(layer("global_pool"), layer("linear")),
)
REPEATS, EPOCHS = 15, 12
STAGE = "[...window.cnnPlaygroundStages.stages.values()][0]"


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as on a page
    found = [row for name in PRESETS for row in _server(name, network_presets.get(name).layers, 1, 28, 10, 100)]
    found += _server("ResNet-18 at 224 px", RESNET_18, 3, 224, 1000, 500)
    torch.set_num_threads(threads)
    return found + _browser() + live.rows()


def _server(name: str, layers: Layers, channels: int, side: int, classes: int, target: float) -> list[Row]:
    """A refresh without any cache, and opening a map: what one of the first viewer's requests costs."""
    network = build(layers, (channels, side, side), classes).eval()
    image = torch.randint(0, 256, (1, channels, side, side), dtype=torch.uint8)
    seen = look(network, image)
    choice, sizes = choice_of(seen), []

    def refresh() -> None:
        sizes.append(len(pack(frame(look(network, image), choice))) / 1024)

    times = milliseconds(refresh, REPEATS)
    opened = milliseconds(lambda: pack(arithmetic(look(network, image), _first(network), 0)), REPEATS)
    return [
        at_most(f"stage {name}: payload of a refresh", sizes, 150, "KiB"),
        at_most(f"stage {name}: server time of a refresh", times, target, "ms"),
        at_most(f"stage {name}: server time of opening a map", opened, target, "ms"),
    ]


def _first(network: Network) -> str:
    return next(one.address for one in network.operations if hasattr(network.get_submodule(one.address), "weight"))


def _browser() -> list[Row]:
    """A real Chromium, without a graphics card, on the same two cores as the server."""
    found = []
    for name in ("simple_cnn", "two_conv_net_repaired", "compact_resnet"):
        run_id = _trained(name)
        with running_app() as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{app.url}/inside?run={run_id}&epoch=0")
            page.wait_for_function(f"window.cnnPlaygroundStages && {STAGE}?.entry", timeout=60_000)
            found += _in_browser(page, name)
            browser.close()
    return found


def _in_browser(page: Page, name: str) -> list[Row]:
    first = _scrub(page, range(1, EPOCHS + 1))
    again = _scrub(page, range(EPOCHS, -1, -1))
    refresh = _timed(page, "stage.show(stage.entry)")
    hover = _timed(
        page, "const column = stage.layout.columns.at(-2); stage.setHover({ column, cell: column.cells[3] })"
    )
    frame = _timed(page, "stage.draw()")
    return [
        at_most(f"stage {name}: an epoch further, first time (key to drawn)", first, 150, "ms"),
        at_most(f"stage {name}: an epoch back, kept in the browser", again, 150, "ms"),
        at_most(f"stage {name}: browser time of a refresh", refresh, 50, "ms"),
        at_most(f"stage {name}: browser time of pointing at a score", hover, 16, "ms"),
        at_most(f"stage {name}: browser time of a frame while pointing", frame, 16, "ms"),
    ]


def _scrub(page: Page, epochs: Any) -> list[float]:
    """Milliseconds from choosing each epoch to its being drawn, one after the other without waiting between."""
    times: list[float] = page.evaluate(
        f"""async (epochs) => {{
          const stage = {STAGE}, times = [];
          for (const epoch of epochs) {{
            const began = performance.now();
            stage.choose(epoch);
            while (stage.entry.head.epoch !== epoch) await new Promise((next) => setTimeout(next, 1));
            times.push(performance.now() - began);
          }}
          return times;
        }}""",
        list(epochs),
    )
    return times


def _timed(page: Page, what: str) -> list[float]:
    times: list[float] = page.evaluate(
        f"""() => {{
          const stage = {STAGE}, times = [];
          for (let turn = 0; turn < {REPEATS}; turn++) {{
            const began = performance.now();
            {what};
            times.push(performance.now() - began);
          }}
          return times;
        }}"""
    )
    return times[1:] if median(times) else times


def _trained(name: str) -> str:
    """A run of the bundled images with a snapshot of every epoch."""
    values = starting_recipe("digits", name).model_dump()
    values["training"] |= {"epochs": EPOCHS}
    run_id = store().create(check(Recipe.model_validate(values)), name, worker="here")
    execute(run_id, "here", "cpu", threading.Event())
    return run_id
