"""What pages say of a run whose first layers are frozen."""

import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.session import TrainingSession
from pages.ui.runs.circumstances import UNKNOWN, circumstances
from pages.ui.train import live

pytestmark = pytest.mark.usefixtures("home")


def begun(*frozen: str) -> str:
    layers = [{"kind": "conv", "channels": 4}, {"kind": "global_pool"}, {"kind": "linear"}]
    rates = [{"address": address, "factor": 0} for address in frozen]
    network = {"preset": "", "layers": layers, "rates": rates}
    recipe = check(
        Recipe.model_validate({"data": {"dataset": "digits"}, "network": network, "training": {"threads": 1}})
    )
    run_id = store().create(recipe, "test", "here")
    next(TrainingSession(recipe, open_dataset("digits"), RunFolder(run_id), "cpu").run())
    return run_id


def test_it_is_said_how_often_features_are_computed() -> None:
    run = store().get(begun("0"))
    said = "The first 2 layers are frozen, so their features were computed once for each image."
    assert live._frozen_layers(run) == said
    assert circumstances(run)["Frozen layers"] == said


def test_nothing_is_said_where_nothing_is_frozen_or_it_has_not_begun() -> None:
    run = store().get(begun())
    assert live._frozen_layers(run) == ""
    assert circumstances(run)["Frozen layers"] == UNKNOWN
    RunFolder(run.id).delete()
    assert circumstances(run)["Frozen layers"] == UNKNOWN
