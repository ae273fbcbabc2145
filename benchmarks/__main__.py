"""Run groups of benchmarks on this computer and print their rows."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.row import Row
from cnn_core.cores import usable_cores

GROUPS = (
    "throughput",
    "accuracy",
    "watching",
    "start",
    "data",
    "uploads",
    "drawing",
    "store",
    "stage",
    "network",
    "endurance",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; all when none is given")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    options = parser.parse_args()
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"there is no group {group!r}. Known: {', '.join(GROUPS)}")
    rows = [row for group in options.groups or GROUPS for row in measure(group)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"{hardware()}\n\n| row | figure | target | spread | met |\n|---|---|---|---|---|")
    for row in rows:
        spread = f"{row.spread[0]:.3g} to {row.spread[1]:.3g}"
        note = f" ({row.note})" if row.note else ""
        met = "yes" if row.met else "**no**"
        print(f"| {row.name}{note} | {row.figure:.3g} {row.unit} | {row.target:g} {row.unit} | {spread} | {met} |")


def measure(group: str) -> list[Row]:
    """The rows of a group, from a process and a data folder of its own: nothing of one group weighs on the next."""
    code = f"import json, benchmarks.{group} as group; print(json.dumps([vars(row) for row in group.rows()]))"
    with tempfile.TemporaryDirectory() as home:
        output = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"CNN_PLAYGROUND_HOME": home},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    return [Row(**row) for row in json.loads(output.splitlines()[-1])]


def hardware() -> str:
    """The computer in a line."""
    import torch

    cores = usable_cores()
    capability = torch.backends.cpu.get_cpu_capability()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{platform.machine()}, {cores} cores, {capability}, {versions}"


if __name__ == "__main__":
    main()
