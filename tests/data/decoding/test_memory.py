"""Decoding keeps to its memory: one image needs little more than its own pixels, and all together one allowance."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core.data.decode import decode, fit, original_size
from cnn_core.data.decoding.budget import MemoryBudget
from tests.data.decoding.test_formats import saved

SIDE = 3500  # RGBA: 49 MB as Pillow holds it
STATUS = Path("/proc/self/status")
MEASURE = """
import io, sys, zlib, struct
from concurrent.futures import ThreadPoolExecutor
from cnn_core.data.decode import decode

def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

side, images, threads = map(int, sys.argv[1:])
packer = zlib.compressobj(1)
rows = b"".join([packer.compress(bytes(1 + 4 * side)) for _ in range(side)] + [packer.flush()])
header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
data = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

def peak():
    status = open("/proc/self/status").read().split()
    return int(status[status.index("VmHWM:") + 1]) / 1000

before = peak()
with ThreadPoolExecutor(threads) as pool:
    sizes = {image.size for image in pool.map(lambda number: decode(data, "x.png"), range(images))}
print(peak() - before, sizes)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the most memory a process had")
@pytest.mark.parametrize(("images", "threads"), [(1, 1), (4, 4)])
def test_large_transparent_images_take_one_allowance_together(
    images: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DECODE_MEGABYTES", "80")
    command = [sys.executable, "-c", MEASURE, str(SIDE), str(images), str(threads)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    megabytes = float(output.split()[0])
    assert 40 < megabytes < 95, output  # 49 MB of pixels, and a band of them at a time on white


def test_what_does_not_fit_waits_and_what_is_larger_than_all_goes_alone() -> None:
    budget, running, most, lock = MemoryBudget(), [0], [0], threading.Lock()

    def work(needed: int) -> None:
        with budget.reserve(needed, 10):
            with lock:
                running[0] += needed
                most[0] = max(most[0], running[0] if needed <= 10 else 0)
                assert needed <= 10 or running[0] == needed, "beside others"
            time.sleep(0.002)
            with lock:
                running[0] -= needed

    threads = [threading.Thread(target=work, args=(needed,)) for needed in (4, 4, 4, 50, 10, 1, 1, 7) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert 8 <= most[0] <= 10


@pytest.mark.parametrize(
    ("size", "seen"),
    [((1024, 2047), 1), ((2047, 3000), 1), ((2048, 3000), 2), ((3072, 3072), 3), ((60, 9000), 1)],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_large_image_comes_smaller_and_looks_the_same(format: str, size: tuple[int, int], seen: int) -> None:
    across = np.linspace(0, 255, size[0])[None] * np.linspace(0.2, 1, size[1])[:, None]
    image = Image.fromarray(across.astype(np.uint8))
    picture = decode(saved(image, format), "x")
    factor = seen if format == "PNG" else 2 ** (seen.bit_length() - 1)  # a JPEG by powers of two
    assert picture.size == (-(-size[0] // factor), -(-size[1] // factor))
    assert original_size(picture) == size
    assert np.abs(fit(picture, 1, 64).astype(int) - fit(image, 1, 64)).max() <= 2


def test_bands_meet_without_a_seam() -> None:
    """Transparent colour in several bands is what Pillow makes of the whole."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1500, 1400, 4), np.uint8))
    white = Image.new("RGBA", image.size, "white")
    assert np.array_equal(decode(saved(image, "PNG"), "x"), Image.alpha_composite(white, image).convert("RGB"))
