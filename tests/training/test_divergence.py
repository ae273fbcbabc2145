"""What a diverged run says was too large, and what to try."""

import math

import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.errors import DivergedError
from cnn_core.training.divergence import divergence
from cnn_core.training.session import TrainingSession
from tests.training.test_session import new_folder, recipe


@pytest.mark.parametrize(
    ("chosen", "planned", "scale", "said"),
    [
        (0.02, 0.02, 1.0, "The learning rate was 0.02; try 0.002,"),
        (0.02, 0.02, 100.0, "The learning rate was 2 (you had changed it from 0.02); try 0.2,"),
        (0.1, 0.004, 1.0, "The learning rate was 0.004; try 0.01,"),  # a schedule that climbs: a tenth of its peak
        (0.1, 0.001, 20.0, "The learning rate was 0.02 (you had changed it from 0.001); try 0.002,"),
        (1e-4, 1e-4, 1.0, "The learning rate was 0.0001; try 0.00001,"),
    ],
)
def test_the_rate_to_try_is_a_tenth_of_the_one_that_failed(
    chosen: float, planned: float, scale: float, said: str
) -> None:
    for loss, what in ((math.nan, "NaN (not a number)"), (math.inf, "infinite"), (-math.inf, "infinite")):
        sentence = divergence(loss, "step 7, epoch 2", chosen, planned, scale)
        assert sentence.startswith(f"The loss became {what} at step 7, epoch 2: the steps were too large.")
        assert said in sentence
    assert divergence(1e30, "step 7, epoch 2", chosen, planned, scale) == ""


@pytest.mark.usefixtures("home")
def test_a_session_names_the_rate_of_the_step_before() -> None:
    digits = open_dataset("digits")
    chosen = recipe(schedule="step", step_epochs=1, step_factor=0.1, learning_rate=0.02)
    session = TrainingSession(chosen, digits, new_folder(chosen), "cpu")
    session.step = len(session.batches)  # the next one has a tenth of the rate
    with pytest.raises(DivergedError, match=r"rate was 0\.02; try 0\.002"):
        session._check(math.nan)
    session.step = 1
    session.change_learning_rate(2.0)
    with pytest.raises(DivergedError, match=r"rate was 2 \(you had changed it from 0\.02\); try 0\.2"):
        session._check(math.inf)
