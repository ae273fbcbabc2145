"""Bringing images: 10,000 photographs in a zip, through the command line, its memory included."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.row import Row, at_most

PHOTOGRAPHS, WIDTH, HEIGHT, SIZE = 10_000, 500, 375, 128
REPEATS = 3


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        archive = _photographs(Path(folder) / "photographs.zip")
        runs = [_import(archive, number) for number in range(REPEATS)]
    seconds, memory = zip(*runs, strict=True)
    name = f"data import of {PHOTOGRAPHS:,} photographs of {WIDTH}×{HEIGHT} to {SIZE}×{SIZE}"
    return [
        at_most(name, seconds, 60, "s", "the whole command, Python's start included"),
        at_most(f"{name}: memory", memory, 1000, "MB", "resident, at most"),
    ]


def _photographs(path: Path) -> Path:
    """Parts of scikit-learn's two photographs, no two the same, as JPEG in ten class folders."""
    sources = [Image.fromarray(image) for image in load_sample_images().images]
    draw = np.random.default_rng(0)
    corners = draw.integers(0, [640 - WIDTH + 1, 427 - HEIGHT + 1, 2, 2], (PHOTOGRAPHS, 4))
    light = draw.uniform(0.6, 1.2, PHOTOGRAPHS)

    def jpeg(number: int) -> bytes:
        left, top, source, mirrored = (int(value) for value in corners[number])
        part = sources[source].crop((left, top, left + WIDTH, top + HEIGHT)).point(lambda value: value * light[number])
        buffer = io.BytesIO()
        (part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else part).save(buffer, "JPEG", quality=85)
        return buffer.getvalue()

    with zipfile.ZipFile(path, "w") as archive, ThreadPoolExecutor() as pool:
        for number, data in enumerate(pool.map(jpeg, range(PHOTOGRAPHS))):
            archive.writestr(f"class {number % 10}/{number}.jpg", data)
    return path


def _import(archive: Path, number: int) -> tuple[float, float]:
    """Seconds, and the most resident memory in MB."""
    command = [sys.executable, "-m", "cnn_core", "import", str(archive), "--name", f"photographs {number}"]
    began = time.perf_counter()
    with subprocess.Popen([*command, "--size", str(SIZE)], stdout=subprocess.PIPE, text=True) as process:
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - began
        watcher.join()
    assert json.loads("\n".join(output.splitlines()[:-1]))["added"] == PHOTOGRAPHS
    return seconds, peak[0]


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    try:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak[0] = max(peak[0], watched.memory_info().rss / 1e6)
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        pass
