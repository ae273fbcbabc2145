"""How a run is computed, chosen once per network, batch size and computer, and kept in the data folder."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import torch
from filelock import FileLock
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from cnn_core.into_place import move_into_place
from cnn_core.recipe import TrainingSpec
from cnn_core.settings import settings
from cnn_core.training.execution import Execution, alternatives, fixed
from cnn_core.training.hardware import allowed_threads
from cnn_core.training.measuring import Answer, Question, measure
from cnn_core.training.step import recorded_size

Answers = dict[int, Answer]  # by the steps of the run that was to begin
ANSWERS = TypeAdapter(Answers)


def choose(
    network: nn.Module, training: TrainingSpec, device: torch.device, batch: tuple[Tensor, Tensor], steps: int
) -> Execution:
    """What the recipe leaves open, measured with copies of the network on one batch. See `measuring` for how long.

    The answer is kept, so the same recipe gives the same weights: processes that ask at once wait for the first.
    A longer run measures what the time of shorter ones did not allow; theirs stay as they were.
    """
    start, question = fixed(training, device), Question(network, training, device, batch, steps)
    if not list(alternatives(start, training, device)):
        return start
    file = _file(question)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        answers = _read(file)
        answer = answer_for(answers, steps)
        if answer is None:
            answer = measure(question)
            _write(file, answers | {steps: answer})
    return answer.execution


def answer_for(answers: Answers, steps: int) -> Answer | None:
    """The answer for a run of that length: its own, else one in which nothing was left untried, or for a longer run."""
    if steps in answers:
        return answers[steps]
    return next((answer for length, answer in sorted(answers.items()) if length > steps or not answer.untried), None)


def _read(file: Path) -> Answers:
    try:
        return ANSWERS.validate_json(file.read_bytes())
    except (OSError, ValidationError):  # not asked yet, or damaged: it is measured again
        return {}


def _write(file: Path, answers: Answers) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}.part")
    with suppress(OSError):  # a full disk costs the next run a measurement; this one knows its answer
        draft.write_bytes(ANSWERS.dump_json(answers, indent=1))
        move_into_place(draft, file)
    draft.unlink(missing_ok=True)


def _file(question: Question) -> Path:
    training, device, images = question.training, question.device, question.batch[0]
    facts = [
        str(question.network),
        list(images.shape),
        training.optimiser,
        training.precision,
        training.layout,
        training.pool_first,
        training.threads,
        allowed_threads(training.threads),
        torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        recorded_size(question.steps, len(images), device),
        torch.backends.cpu.get_cpu_capability(),
        torch.__version__,
    ]
    return settings().home / "measured" / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}.json"
