"""What finished runs and the shelves of networks say."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.output import print_line, print_sentence, summary
from cnn_core.data.decode import decode
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import network_presets
from cnn_core.planning.networks import saved
from cnn_core.runs.folder import MISSING_PREDICTIONS, RunFolder
from cnn_core.runs.store import store
from cnn_core.settings import settings


def evaluate(options: argparse.Namespace) -> None:
    from cnn_core.evaluation import metrics

    run, folder = store().get(options.run), RunFolder(options.run)
    predictions = folder.predictions()
    if predictions is None and run.test_accuracy is not None:
        raise PlaygroundError(MISSING_PREDICTIONS)
    if predictions is None:
        raise PlaygroundError(f"Run {run.id} has not been tested yet: let it finish first.")
    print_line(metrics.evaluate(predictions, folder.plan()["classes"]).as_json())


def predict(options: argparse.Namespace) -> int:
    from cnn_core.inference import Classifier

    classifier, failed = Classifier.open(options.run), 0
    for path in options.images:
        try:
            image = classifier.see(decode(read_at_most(path, settings().upload_megabytes, "image"), Path(path).name))
        except PlaygroundError as error:
            print_sentence(error)
            failed = 2
            continue
        probabilities = classifier.classify(image[None])[0]
        top = probabilities.argsort()[::-1][:5]
        print_line({"image": path, "top": [[classifier.classes[k], float(probabilities[k])] for k in top]})
    return failed


def runs(options: argparse.Namespace) -> int:
    from cnn_core.jobs.rebuild import rebuild

    store().reap()
    failed = {run_id: why for run_id, why in rebuild().items() if why} if options.rebuild else {}
    for run_id, why in failed.items():
        print_sentence(f"The run {run_id} was not rebuilt. {why}")
    for run in store().runs():
        print_line(summary(run))
    return 2 if failed else 0


def networks(_: argparse.Namespace) -> None:
    for preset in network_presets:
        print_line({"network": preset.name, "title": preset.title, "teaches": preset.teaches, "source": preset.source})
    for network in saved():
        print_line({"network": network.title, "saved_by": network.owner, "teaches": network.teaches})
