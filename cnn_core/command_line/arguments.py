"""The commands and their options."""

from __future__ import annotations

import argparse
from typing import get_args

from cnn_core.command_line.check import check_recipe
from cnn_core.command_line.code import print_code
from cnn_core.command_line.datasets import datasets, import_dataset
from cnn_core.command_line.explain_image import explain_image
from cnn_core.command_line.results import evaluate, networks, predict, runs
from cnn_core.command_line.train import train
from cnn_core.data.decode import Fit
from cnn_core.data.incoming.archives.encoding import ENCODINGS

ABOUT = "CNN Playground without a browser: the same functions and the same store as the pages."
CODES = "Exit code: 0 done, 1 the run or the program failed, 2 the request cannot be met, 130 stopped by Ctrl-C."


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m cnn_core", description=ABOUT, epilog=CODES)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("train", help="train a network; prints JSON lines, the last one the summary")
    command.add_argument("--dataset", default="fashion_mnist_sample")
    command.add_argument("--network", default="compact_resnet", metavar="NAME", help="a preset, or a saved network")
    command.add_argument("--epochs", type=int)
    command.add_argument("--seed", type=int)
    command.add_argument("--start", metavar="WEIGHTS", help='"run ID", "run ID epoch N" or "packaged NAME"')
    command.add_argument("--name", default="")
    command.add_argument("--recipe", metavar="FILE.json", help="a recipe as JSON, instead of --dataset and --network")
    command.add_argument("--resume", metavar="RUN", help="go on with a paused or interrupted run")
    command.set_defaults(do=train)

    command = commands.add_parser(
        "check", help="what cannot work in a recipe's network and what is unwise; a line each"
    )
    command.add_argument("recipe", metavar="RECIPE.json")
    command.add_argument(
        "--repair", metavar="OUT.json", help="write the repaired recipe there; RECIPE.json may be named"
    )
    command.set_defaults(do=check_recipe)

    command = commands.add_parser("code", help="a network and its training as PyTorch code")
    command.add_argument("of", metavar="RUN|RECIPE.json")
    command.add_argument("--network-only", action="store_true", help="the class alone, without data and training")
    command.set_defaults(do=print_code)

    command = commands.add_parser("evaluate", help="precision, recall and F1 of a finished run, as JSON")
    command.add_argument("run")
    command.set_defaults(do=evaluate)

    command = commands.add_parser("predict", help="classify images; one JSON line each")
    command.add_argument("run")
    command.add_argument("images", nargs="+", metavar="IMAGE")
    command.set_defaults(do=predict)

    command = commands.add_parser("explain", help="why a network answers as it does for an image; one JSON line")
    command.add_argument("run")
    command.add_argument("image", metavar="IMAGE")
    command.add_argument(
        "--method",
        default="grad_cam",
        metavar="METHOD",
        help="grad_cam, guided_grad_cam, saliency, integrated_gradients, occlusion or smooth_grad",
    )
    command.add_argument("--layer", default="", metavar="ADDRESS", help="of the convolution; the last by default")
    command.add_argument("--class", dest="target", metavar="NAME", help="the predicted one by default")
    command.add_argument("--epoch", type=int, help="the best by default")
    command.add_argument("--out", metavar="FILE.png", help="write the image, and beside it the attribution over it")
    command.set_defaults(do=explain_image)

    command = commands.add_parser("runs", help="all runs, newest first")
    command.add_argument("--rebuild", action="store_true", help="first add runs that have a folder and no row")
    command.set_defaults(do=runs)
    command = commands.add_parser("datasets", help="all data sets; with --get, fetch and import one")
    command.add_argument("--get", metavar="NAME")
    command.add_argument("--size", type=int, default=0, help="side of the square images; 0 is the data set's own")
    command.set_defaults(do=datasets)
    _add_import(
        commands.add_parser("import", help="make a data set of images in class folders; prints a report, then id")
    )
    commands.add_parser("networks", help="all network presets and saved networks").set_defaults(do=networks)
    return top


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="PATH", help="a zip or tar of class folders, or a folder of them")
    command.add_argument("--name", required=True)
    command.add_argument("--size", type=int, help="side of the square images in pixels")
    command.add_argument("--fit", choices=get_args(Fit), help="how an image becomes square")
    command.add_argument(
        "--greyscale", action="store_true", help="one channel; otherwise colours are kept where there are"
    )
    command.add_argument(
        "--labels", default="", metavar="FILE.csv", help="filename,label rows instead of class folders; may lie in PATH"
    )
    command.add_argument("--label-column", default="", metavar="NAME", help="the column of --labels that is the label")
    command.add_argument(
        "--encoding", default="auto", choices=["auto", *ENCODINGS], help="of names in a zip that does not state it"
    )
    command.add_argument("--add-to", default="", metavar="ID", help="a data set these images are added to")
    command.add_argument("--made-by", default="")
    command.set_defaults(do=import_dataset)
