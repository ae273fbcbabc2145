"""One run of training as a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.batches import Batches
from cnn_core.errors import DivergedError, RunFilesError
from cnn_core.models.weights import load_weights, save_weights, set_state
from cnn_core.recipe import Recipe
from cnn_core.runs.events import EpochEnd, Event, Finished, Preparing, RateChanged, Report, Started
from cnn_core.runs.folder import BEST, NEXT_BEST, RESUME, Predictions, RunFolder, snapshot
from cnn_core.settings import settings
from cnn_core.training.checkpoint import load_state, save_state
from cnn_core.training.choosing import choose
from cnn_core.training.counters import RecentMean, Sums
from cnn_core.training.divergence import divergence
from cnn_core.training.execution import Execution
from cnn_core.training.feature_feed import feed_of
from cnn_core.training.hardware import device_name, device_of, prepare_gpu
from cnn_core.training.live import LiveStep
from cnn_core.training.memory import keep_freed_memory
from cnn_core.training.record import other_images, plan_of
from cnn_core.training.schedule import learning_rate
from cnn_core.training.score import Score, score
from cnn_core.training.snapshots import keep_epochs, size_of
from cnn_core.training.starting_network import starting_network
from cnn_core.training.step import Step, recorded_size

REPORT_SECONDS = 0.6  # each costs 4 to 5 ms, most of it the store: under 1% of the time
SAVE_SECONDS = 30.0  # the most work a crash can cost
NUMBERS = ("step", "validated", "rate_scale", "best_epoch", "best_loss")  # of a session, in its resume state by name


class TrainingSession:
    """Network + optimiser + position, from a checked recipe (see `planning.recipe.check`) and its data.

    `start`: file of the weights it begins with, None for fresh ones. Goes on from the folder's resume state when there
    is one: on CPU the final weights are the same, bit for bit, as those of a run that was never interrupted. Uses
    torch's global random state, so one session at a time a process.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: ImageDataset,
        folder: RunFolder,
        device: str = "auto",
        start: Path | None = None,
    ):
        self.recipe, self.training, self.folder, self.dataset = recipe, recipe.training, folder, dataset
        self.device = device_of(self.training.device, device)
        prepare_gpu(self.device)
        self.network, self._fresh = starting_network(recipe, dataset, None if folder.has(RESUME) else start)
        self.network.to(self.device)
        self._begun = folder.plan() if folder.has(RESUME) else None
        self.feed = feed_of(recipe, dataset, self.network, self.device, self._begun)
        self.batches, self.validation, self.test = self.feed.batches, self.feed.validation, self.feed.test
        self.steps = len(self.batches) * self.training.epochs
        self.execution = self._choose_execution()
        self.execution.apply()
        recorded = recorded_size(self.steps, self.batches.batch_size, self.device)
        self._learn = Step(
            self.feed.learner, self.training, self.device, self.execution, recorded, recipe.network.rates
        )
        self._weights = self.feed.whole(self._learn.kept)  # the weights that are tested and kept
        self._live = LiveStep(self._learn, self.network, folder.files, self._about, kept=self._weights)
        self.step = self.validated = 0  # steps done; epochs validated: one fewer between an epoch's last step and that
        self.best_epoch, self.best_loss = 0, float("inf")
        self.ends: list[EpochEnd] = []
        self.changes: list[RateChanged] = []
        self.recent = RecentMean()
        self.rate_scale = 1.0  # a person's change of learning rate scales the rest of the schedule
        self.seconds = 0.0  # of training before this process took over
        self._carried = 0  # images learned from since the last report before this process took over
        self._reported = self._saved = self._entered = 0.0  # perf_counter of the last report, save, and of the start
        self.damage = ""  # why it cannot go on: its best weights can still be tested
        self._restore()

    def run(self, recorded: Callable[[Event], bool] = lambda event: True) -> Iterator[Event]:
        """Train to the end, then test the best weights. Close the generator to stop; `save` first to resume later.

        `recorded`: whether an epoch's end or a change of rate from before is on record; a resumed run yields it again
        where it is not.
        Raises DivergedError when the loss is no longer a number, RunFilesError when the saved state is of no use.
        """
        if problem := self.damage or other_images(self.folder, self.dataset):
            raise RunFilesError(problem)
        yield from (Preparing(progress_text=str(progress)) for progress in self.feed.prepare())
        self._begin()
        yield self._started()
        yield from (event for event in (*self.ends, *self.changes) if not recorded(event))
        if self.validated < self.epoch:
            yield from self._end_epoch()
        while self.step < self.steps and not self._patience_is_spent():
            for images, labels in self.batches.epoch(self.epoch, start=self.step % len(self.batches)):
                self._live(images, labels, self.rate)
                self.step += 1
                if self.step % len(self.batches) and (self._first or self._due(REPORT_SECONDS, self._reported)):
                    yield self._report()
                    self._save_if_due()
            yield from self._end_epoch()
        yield self.finish()

    def rehearse(self) -> None:
        """One step and one look at the validation images, for a process to load what they need. Writes nothing."""
        list(self.feed.prepare())
        self._learn(*next(self.batches.epoch()), self.rate)
        self._learn.counters.take()
        self._score(self.validation)

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self.step // len(self.batches)

    def change_learning_rate(self, value: float) -> RateChanged:
        """From the next step on the learning rate is `value`, and the rest of the schedule is scaled with it.

        Saved at once: a run that is resumed from this very step has the new rate, as its record says.
        """
        planned, old = self._planned_rate(), self.rate
        self.rate_scale = value / planned if planned > 0 else 1.0
        change = RateChanged(step=self.step, epoch=self.step / len(self.batches), old_rate=old, learning_rate=self.rate)
        self.changes.append(change)
        self.save()
        return change

    def save(self) -> None:
        """Write the resume state, so that another process can go on from this step; nothing before training began."""
        if not self._entered:
            return
        state = {name: getattr(self, name) for name in NUMBERS} | {
            "seconds": self._elapsed(),
            "ends": [asdict(end) for end in self.ends],
            "changes": [asdict(change) for change in self.changes],
            "recent": [tuple(sums) for sums in self.recent.sums],
            "network": self.network.state_dict(),
        }
        save_state(self.folder, state | self._learn.state())
        self.folder.settle_best(self.best_epoch)
        self._saved = time.perf_counter()

    def finish(self, status: str = "finished", message: str = "") -> Finished:
        """Test the weights of the best epoch and store the predictions. Raises RunFilesError where there are none."""
        if problem := other_images(self.folder, self.dataset):
            raise RunFilesError(problem)
        if self.best_epoch:
            load_weights(self._weights, self.folder.weights(best_epoch=self.best_epoch))
        result = self._score_test()
        probabilities = result.logits.softmax(dim=1).numpy()
        self.folder.write_predictions(Predictions(self.dataset.splits["test"], result.labels.numpy(), probabilities))
        if status == "finished" and self.step < self.steps:
            message = f"Stopped early: no better validation loss for {self.training.patience} epochs."
        return Finished(test_accuracy=result.accuracy, test_loss=result.loss, status=status, message=message)

    # The parts of a run

    def _report(self) -> Report:
        sums = self._learn.counters.take()
        self._check(sums.loss)
        self.recent.add(sums)
        now = time.perf_counter()
        self._images_per_second = (sums.images - self._carried) / (now - self._reported)
        self._reported, self._carried, self._first = now, 0, False
        return Report(loss=self.recent.loss, train_accuracy=self.recent.accuracy, **self._position())

    def _end_epoch(self) -> Iterator[Event]:
        if self._learn.counters.images:
            yield self._report()
        result = self._score(self.validation)
        self._check(result.loss)
        if result.loss < self.best_loss:
            self.best_epoch, self.best_loss = self.epoch, result.loss
            self._write_weights(NEXT_BEST)
        if self.epoch in self._kept:
            self._write_weights(snapshot(self.epoch))
        end = EpochEnd(
            loss=result.loss,
            validation_accuracy=result.accuracy,
            best_epoch=self.best_epoch,
            best_validation_loss=self.best_loss,
            **self._position(),
        )
        self.ends.append(end)
        self.validated = self.epoch
        self.save()
        self._reported = time.perf_counter()
        yield end

    def _position(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "epoch": self.step / len(self.batches),
            "learning_rate": self.rate,
            "images_per_second": self._images_per_second,
            "seconds": self._elapsed(),
        }

    def _begin(self) -> None:
        self.execution.apply()  # features may have been computed otherwise
        self.network.train()
        keep_freed_memory()
        weights = size_of(self.network)
        state = weights + self._learn.state_size()
        self._kept = keep_epochs(weights, state, self.training.epochs, settings().snapshot_megabytes * 1_000_000)
        self._images_per_second = 0.0
        self._entered = self._saved = self._reported = time.perf_counter()
        self._carried = self._learn.counters.images
        self._first = True  # the first step is reported at once: a person waits for the first point
        if self.step == 0:
            self.folder.write_plan(self._plan())
            self._write_weights(snapshot(0))

    def _started(self) -> Started:
        device, precision, images = device_name(self.device), str(self.execution), self.dataset.content_hash
        return Started(step=self.step, steps=self.steps, device=device, precision=precision, dataset_hash=images)

    def _plan(self) -> dict[str, Any]:
        return plan_of(self.recipe, self.dataset, self.device, self.execution, self._fresh, self.feed.record)

    def _restore(self) -> None:
        try:
            if state := load_state(self.folder):
                self._take_over(state)
            elif self.folder.has(BEST):
                self.damage = "The saved state of this run is missing, so it could not go on."
        except RunFilesError as error:
            self.damage = str(error)
        except (KeyError, ValueError, TypeError, RuntimeError):
            self.damage = "The saved state of this run does not fit its network, so it could not go on."
        if self.damage:
            self.best_epoch = int(self.folder.about(BEST).get("epoch", 0))

    def _take_over(self, state: dict[str, Any]) -> None:
        set_state(self.network, state["network"])
        self._learn.restore(state)
        self.step, self.seconds, self.rate_scale = state["step"], state["seconds"], state["rate_scale"]
        self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
        self.folder.settle_best(self.best_epoch)
        self.validated = state.get("validated", self.epoch)  # an older version saved less
        self.ends = [EpochEnd(**end) for end in state.get("ends", ())]
        self.changes = [RateChanged(**change) for change in state.get("changes", ())]
        self.recent = RecentMean([Sums(*sums) for sums in state.get("recent", ())])

    # Small questions

    def _choose_execution(self) -> Execution:
        """As it was when the run is resumed on the same kind of device; else chosen now."""
        plan = self._begun or {}
        if plan.get("device") == str(self.device) and "execution" in plan:  # a run paused before there was a choice
            return Execution(**plan["execution"])
        return choose(self.feed.learner, self.training, self.device, self.feed.sample(), self.steps)

    def _score_test(self) -> Score:
        return score(self.feed.whole(self._learn.evaluate), self.test, self.feed.tested(self.execution))

    def _score(self, batches: Batches) -> Score:
        return score(self._learn.evaluate, batches, self.execution)

    @property
    def rate(self) -> float:
        """Learning rate of the next step."""
        return self._planned_rate() * self.rate_scale

    def _planned_rate(self, ahead: int = 0) -> float:
        step = max(0, min(self.step + ahead, self.steps - 1))
        return learning_rate(self.training, step, self.steps, len(self.batches))

    def _patience_is_spent(self) -> bool:
        return bool(self.training.patience) and self.epoch - self.best_epoch >= self.training.patience

    def _check(self, loss: float) -> None:
        where, done = f"step {self.step}, epoch {self.epoch + 1}", self._planned_rate(ahead=-1)
        if sentence := divergence(loss, where, self.training.learning_rate, done, self.rate_scale):
            raise DivergedError(sentence)

    def _save_if_due(self) -> None:
        if self._due(SAVE_SECONDS, self._saved) and self.step % len(self.batches):
            self.save()  # at the end of an epoch `_end_epoch` saves, after the validation

    def _about(self) -> dict[str, Any]:
        """Of the live weights: of the step that was just done and is not yet counted."""
        return {"step": self.step + 1, "epoch": (self.step + 1) / len(self.batches), "plan": self._plan()}

    def _write_weights(self, name: str) -> None:
        header = {"epoch": self.epoch, "plan": self._plan()}
        self.folder.files.put(name, lambda path: save_weights(self._weights, path, header))

    def _due(self, every: float, last: float) -> bool:
        return time.perf_counter() - last >= every

    def _elapsed(self) -> float:
        return self.seconds + time.perf_counter() - self._entered
