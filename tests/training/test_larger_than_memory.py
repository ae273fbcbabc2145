"""A data set larger than memory trains from its memory map, and the process stays small."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_MB = 2000  # of growth; the array has 6,000

PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from cnn_core.data.dataset import ImageDataset
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.folder import RunFolder
from cnn_core.planning.recipe import check
from cnn_core.training.session import TrainingSession

def memory(what):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(what)) / 1000

count, shape, folder = 500_000, (3, 64, 64), Path(sys.argv[1])
array = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, *shape))
array[:: count // 1000] = np.arange(1000, dtype=np.uint16).astype(np.uint8)[:, None, None, None]
del array
images = np.load(folder / "images.npy", mmap_mode="c")
assert images.nbytes > 6e9
labels = np.arange(count) % 2
order = np.arange(count)
splits = {"train": order[2000:], "validation": order[:1000], "test": order[1000:2000]}
dataset = ImageDataset("made", 64, images, labels, ("a", "b"), splits, "0", (0.5,) * 3, (0.5,) * 3, folder)
conv = LayerSpec(kind="conv", channels=4, kernel=16, stride=16, padding=0)
layers = (conv, LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
recipe = Recipe(network=NetworkSpec(preset="", layers=layers), training=TrainingSpec(epochs=1, batch_size=512))
session = TrainingSession(recipe, dataset, RunFolder("0" * 8), "cpu")
before, last = memory("VmRSS"), None
for last in session.run():
    pass
assert session.step == -(-len(splits["train"]) // 512)
print(type(last).__name__, memory("VmHWM") - before)
"""


def test_a_6_gb_array_is_trained_on_within_2_gb(home: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    event, grown = output.split()
    assert event == "Finished"
    assert float(grown) < LIMIT_MB
