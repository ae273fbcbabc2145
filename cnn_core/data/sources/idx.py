"""The idx format of the MNIST family (http://yann.lecun.com/exdb/mnist/), plain or gzipped."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes: images (N, H, W) or labels (N,).

    Raises ValueError when the file is something else or has another length than its header says, and OSError,
    EOFError or zlib.error when it cannot be read or unpacked.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE:
        raise ValueError(f"{path.name} is not an idx file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(np.frombuffer(data[4:start], ">u4").tolist())
    if len(data) != start + math.prod(shape):
        raise ValueError(f"{path.name} has {len(data)} bytes where its header promises {start + math.prod(shape)}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
