"""Run in a process of its own: import a data set whose source says when it is read, and takes its time.

    python slow_source.py LOG SECONDS

Appends a line to LOG each time the source is read, and prints the data set's content hash at the end.
"""

import sys
import time
from pathlib import Path

import numpy as np

from cnn_core.data.catalogue.library import prepare
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.dataset import RawImages
from cnn_core.data.sources.source import DatasetSource


def read(downloads: Path) -> RawImages:
    with Path(sys.argv[1]).open("a") as log:
        log.write("read\n")
    time.sleep(float(sys.argv[2]))
    images = np.arange(100 * 64, dtype=np.int64).astype(np.uint8).reshape(100, 1, 8, 8)
    return RawImages(images, np.arange(100) % 2, ("even", "odd"))


SLOW = DatasetSource(
    name="slow",
    title="Slow",
    description="Slow.",
    licence="none",
    homepage="http://localhost",
    images=100,
    classes=2,
    channels=1,
    size=8,
    download_megabytes=1,
    files=("slow.bin",),
    read=read,
)
dataset_sources.add("slow", SLOW)

if __name__ == "__main__":
    print(prepare("slow").content_hash)
