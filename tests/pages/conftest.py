"""Pages opened without a browser, on an empty store or on one with finished runs."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnn_core.errors import DatasetUnavailableError
from cnn_core.jobs.execute import execute
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.saved_networks import read_saved
from pages.ui.address import recipe as address_recipe
from pages.ui.address.recipe import FIELDS
from pages.ui.data import datasets
from pages.ui.frame.errors import WORD_JOINER

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]
KEYS = {"dataset": "data.dataset", "network": "network.preset"}


def digits_recipe(network: str, epochs: int) -> Recipe:
    values = starting_recipe("digits", network).model_dump()
    values["data"]["image_size"] = 0  # 8 pixels: a sixteenth of the work
    values["training"] |= {"epochs": epochs, "learning_rate": 0.005}
    return Recipe.model_validate(values)


def train(recipe: Recipe, name: str) -> str:
    """A run trained here and now, by the code of a worker."""
    run_id = store().create(check(recipe), name, worker="here")
    execute(run_id, "here", "cpu", threading.Event())
    run = store().get(run_id)
    assert run.status == "finished", run.message
    store()._change(run_id, created=run.created - 9000)  # labels of choices say 2 hours ago for the whole test
    return run_id


def train_in(folder: Path, **runs: tuple[str, int]) -> Path:
    """Make a data folder with finished runs on digits: name -> network and epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_PLAYGROUND_HOME", str(folder))
        for name, (network, epochs) in runs.items():
            train(digits_recipe(network, epochs), name)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two finished runs on digits, the newer one called "second"."""
    return train_in(tmp_path_factory.mktemp("trained") / "home", first=("simple_cnn", 3), second=("one_conv_net", 2))


@pytest.fixture
def runs(trained: Path, home: Path) -> list[str]:
    """Ids of the finished runs, newest first, in a data folder of the test's own."""
    shutil.copytree(trained, home)
    return [run.id for run in store().runs()]


@pytest.fixture
def open_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page as a browser would: through app.py, with query parameters. No worker is started."""
    monkeypatch.setattr("cnn_core.jobs.executors.local_pool.start_workers", lambda: None)
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_page(page: str = "home", **query: object) -> AppTest:
        app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
        if page != "home":
            app.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            app.query_params[name] = str(value)
        return run(app)

    return open_page


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images that a run learned from are not on this computer."""

    def unavailable(_run: object) -> None:
        raise DatasetUnavailableError("The images are not here any more.")

    monkeypatch.setattr(datasets, "of_run", unavailable)


def run(app: AppTest) -> AppTest:
    """Run the page; a traceback fails the test."""
    app.run()
    assert not app.exception, app.exception
    return app


def settled(app: AppTest, seconds: float = 60.0) -> AppTest:
    """Run the page until the background work it watches has ended."""
    limit = time.monotonic() + seconds
    while any(str(button.key).startswith("cancel-") for button in run(app).button):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.1)
    return app


def errors(app: AppTest) -> str:
    """What the page says went wrong, as letters."""
    return as_read(" ".join(message.value for message in app.error))


def text(app: AppTest) -> str:
    """All that can be read on the page."""
    shown = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.get("html")]
    return as_read(" ".join(str(getattr(part, "value", getattr(part, "body", ""))) for part in shown))


def as_read(markdown: str) -> str:
    """What `plain` was given, as far as letters go."""
    return markdown.replace("\\", "").replace(WORD_JOINER, "")


def recipe_on(app: AppTest) -> Recipe:
    """The recipe that the page shows: that of its address, else of the run there, else the recommended one."""
    address = query(app)
    if any(name in FIELDS for name in address):
        known = {name: address[key] for name, key in KEYS.items() if address.get(key) and not read_saved(address[key])}
        return Recipe.from_query(address, starting_recipe(**known))
    return address_recipe.recipe_of(store().get(address["run"])) if "run" in address else starting_recipe()


def query(app: AppTest) -> dict[str, str]:
    """The query parameters in the address bar now; AppTest hands some out as lists."""
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
