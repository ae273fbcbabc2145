"""CNN Playground without a browser: the same functions and the same store as the pages."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from cnn_core.data.decode import Fit, decode
from cnn_core.data.incoming.archive import open_archive, open_folder
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.label_table import read_labels
from cnn_core.data.incoming.layout import read_layout
from cnn_core.data.library import Progress, is_ready, prepare
from cnn_core.data.sources import dataset_sources
from cnn_core.errors import ImageError, PlaygroundError
from cnn_core.models.presets import network_presets
from cnn_core.recipe import Recipe, parse
from cnn_core.runs.events import Event
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run, Worker
from cnn_core.training.plan import check, starting_recipe

COMMAND_LINE_SLOT = -1  # not one of the pool's


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 the run failed, 2 the request was wrong (one sentence on standard error)."""
    options = parser().parse_args(arguments)
    try:
        return options.do(options) or 0
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Nothing half done was kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m cnn_core", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a network; prints JSON lines, the last one the summary")
    train.add_argument("--dataset", default="fashion_mnist_sample")
    train.add_argument("--network", default="compact_resnet")
    train.add_argument("--epochs", type=int)
    train.add_argument("--seed", type=int)
    train.add_argument("--name", default="")
    train.add_argument("--recipe", metavar="FILE.json", help="a recipe as JSON, instead of --dataset and --network")
    train.add_argument("--resume", metavar="RUN", help="go on with a paused or interrupted run")
    train.set_defaults(do=do_train)

    evaluate = commands.add_parser("evaluate", help="precision, recall and F1 of a finished run, as JSON")
    evaluate.add_argument("run")
    evaluate.set_defaults(do=do_evaluate)

    predict = commands.add_parser("predict", help="classify pictures; one JSON line each")
    predict.add_argument("run")
    predict.add_argument("images", nargs="+", metavar="IMAGE")
    predict.set_defaults(do=do_predict)

    commands.add_parser("runs", help="all runs, newest first").set_defaults(do=do_runs)
    datasets = commands.add_parser("datasets", help="all data sets; with --get, fetch and import one")
    datasets.add_argument("--get", metavar="NAME")
    datasets.add_argument("--size", type=int, default=0, help="side of the square images; 0 is the data set's own")
    datasets.set_defaults(do=do_datasets)

    bring = commands.add_parser("import", help="make a data set of pictures in class folders; prints a report, then id")
    bring.add_argument("path", metavar="PATH", help="a zip or tar of class folders, or a folder of them")
    bring.add_argument("--name", required=True)
    bring.add_argument("--size", type=int, help="side of the square images in pixels")
    bring.add_argument("--fit", choices=get_args(Fit), help="how a picture becomes square")
    bring.add_argument(
        "--greyscale", action="store_true", help="one channel; otherwise colours are kept where there are"
    )
    bring.add_argument("--labels", metavar="FILE.csv", help="filename,label rows, where folders do not say the class")
    bring.add_argument("--add-to", default="", metavar="ID", help="a data set these pictures are added to")
    bring.add_argument("--made-by", default="")
    bring.set_defaults(do=do_import)
    commands.add_parser("networks", help="all network presets").set_defaults(do=do_networks)
    return top


def do_train(options: argparse.Namespace) -> int:
    from cnn_core.jobs.execute import execute
    from cnn_core.jobs.heartbeat import Heartbeat
    from cnn_core.jobs.pool import slots
    from cnn_core.jobs.queue import name_of

    worker = Worker(
        id=secrets.token_hex(8), slot=COMMAND_LINE_SLOT, pid=os.getpid(), device=slots()[0], ready=True, run_id=None
    )
    if options.resume:
        run_id = store().get(options.resume).id
        if not store().take(run_id, worker.id):
            raise PlaygroundError(f"Run {run_id} is {store().get(run_id).status}: it cannot be resumed.")
    else:
        recipe = check(_recipe(options))
        run_id = store().create(recipe, options.name or name_of(recipe), worker.id)
    worker.run_id, closing = run_id, threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closing.set())
    _print({"event": "run", "run": run_id})
    with Heartbeat(worker):
        execute(run_id, worker.id, worker.device, closing, _print_event)
    run = store().get(run_id)
    _print(_summary(run))
    return 0 if run.status == "finished" else 1


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = starting_recipe(options.dataset, options.network)
    if options.recipe:
        try:
            text = Path(options.recipe).read_bytes()
        except OSError as error:
            raise PlaygroundError(f"The recipe {options.recipe} cannot be read: {error.strerror}.") from None
        recipe = Recipe.from_json(text)
    values = recipe.model_dump()
    if options.epochs is not None:
        values["training"]["epochs"] = options.epochs
    if options.seed is not None:
        values["seed"] = options.seed
    return Recipe.from_json(json.dumps(values))


def _print_event(event: Event) -> None:
    _print({"event": type(event).__name__.lower()} | asdict(event))


def _summary(run: Run) -> dict[str, Any]:
    columns = ("status", "message", "device", "precision", "epoch", "seconds", "best_epoch", "best_validation_loss")
    summary = {name: getattr(run, name) for name in columns}
    return {"run": run.id, "name": run.name, **summary, "test_accuracy": run.test_accuracy, "test_loss": run.test_loss}


def do_evaluate(options: argparse.Namespace) -> None:
    from cnn_core.evaluation.metrics import evaluate

    store().get(options.run)
    folder = RunFolder(options.run)
    predictions = folder.predictions()
    if predictions is None:
        raise PlaygroundError(f"Run {options.run} has not been tested yet: let it finish first.")
    _print(evaluate(predictions, folder.plan()["classes"]).as_json())


def do_predict(options: argparse.Namespace) -> int:
    from cnn_core.inference import Classifier

    classifier, failed = Classifier.open(options.run), 0
    for path in options.images:
        try:
            image = classifier.see(decode(_bytes(path), Path(path).name))
        except ImageError as error:
            print(error, file=sys.stderr)
            failed = 2
            continue
        probabilities = classifier.classify(image[None])[0]
        top = probabilities.argsort()[::-1][:5]
        _print({"image": path, "top": [[classifier.classes[k], float(probabilities[k])] for k in top]})
    return failed


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}.") from None


def do_runs(_: argparse.Namespace) -> None:
    store().reap()
    for run in store().runs():
        _print(_summary(run))


def do_datasets(options: argparse.Namespace) -> None:
    if options.get:
        dataset = prepare(options.get, options.size, _print_progress)
        _print(
            {"dataset": dataset.name, "hash": dataset.content_hash, "shape": dataset.shape, "classes": dataset.classes}
        )
        return
    for source in dataset_sources:
        about = {"title": source.title, "images": source.images, "classes": source.classes, "licence": source.licence}
        _print({"dataset": source.name, "ready": is_ready(source.name), **about})


def do_import(options: argparse.Namespace) -> None:
    path = Path(options.path)
    try:
        files = open_folder(path, checked=False) if path.is_dir() else open_archive(path)
        paths = [entry.path for entry in files.entries()]
        layout = read_labels(Path(options.labels).read_bytes(), paths) if options.labels else read_layout(paths)
    except OSError as error:
        raise PlaygroundError(f"{error.filename or path} cannot be read: {error.strerror}.") from None
    chosen = {"size": options.size, "fit": options.fit, "colour": "greyscale" if options.greyscale else None}
    spec = parse(ImportSpec, {name: value for name, value in chosen.items() if value is not None}, "import")
    report = import_images(
        files, layout, spec, options.name, made_by=options.made_by, onto=options.add_to, tell=_tell_terminal
    )
    print(json.dumps(asdict(report), indent=2, ensure_ascii=False))
    print(report.dataset)


def _tell_terminal(progress: Progress) -> None:
    if sys.stderr.isatty():
        ends = "\n" if progress.done >= progress.total else ""
        print(f"\r{progress.done:,.0f} of {progress.total:,.0f} {progress.unit}", end=ends, file=sys.stderr, flush=True)


def _print_progress(progress: Progress) -> None:
    _print({"event": "progress", **asdict(progress)})


def do_networks(_: argparse.Namespace) -> None:
    for preset in network_presets:
        _print({"network": preset.name, "title": preset.title, "teaches": preset.teaches, "source": preset.source})


def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
