"""Cut the bundled sample from the real Fashion-MNIST: 12,000 training and 2,000 test images, stratified.

    python -m cnn_core.data.bundled.make_fashion_mnist_sample FOLDER [OUTPUT.npz]

FOLDER holds the four original files (train-images-idx3-ubyte.gz and so on). The same folder gives the same file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.sources.idx import read_idx
from cnn_core.data.splits import stratified_part

SAMPLE = Path(__file__).with_name("fashion_mnist_sample.npz")
COUNTS = {"train": ("train", 12_000), "test": ("t10k", 2_000)}  # name in the sample: name in the original, images


def cut(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """train_images (12000, 28, 28), train_labels (12000,), test_images (2000, 28, 28), test_labels (2000,)."""
    arrays = {}
    for name, (original, count) in COUNTS.items():
        labels = read_idx(folder / f"{original}-labels-idx1-ubyte.gz")
        kept = stratified_part(labels.astype(np.int64), count)
        arrays[f"{name}_images"] = read_idx(folder / f"{original}-images-idx3-ubyte.gz")[kept]
        arrays[f"{name}_labels"] = labels[kept]
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description="Cut the bundled Fashion-MNIST sample from the original files.")
    parser.add_argument("folder", type=Path, help="folder with the four Fashion-MNIST idx.gz files")
    parser.add_argument("output", type=Path, nargs="?", default=SAMPLE, help="file to write")
    arguments = parser.parse_args()
    np.savez_compressed(arguments.output, **cut(arguments.folder))  # type: ignore[arg-type]
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
