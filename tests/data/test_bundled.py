"""The bundled sample and the script that cuts it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.bundled.make_fashion_mnist_sample import SAMPLE, cut


def test_it_is_small_and_stratified() -> None:
    assert SAMPLE.stat().st_size <= 8_000_000
    with np.load(SAMPLE) as arrays:
        assert arrays["train_images"].shape == (12_000, 28, 28)
        assert arrays["test_images"].shape == (2_000, 28, 28)
        assert np.bincount(arrays["train_labels"]).tolist() == [1200] * 10
        assert np.bincount(arrays["test_labels"]).tolist() == [200] * 10


def test_licence_and_origin_lie_beside_it() -> None:
    text = SAMPLE.with_name("ATTRIBUTION.md").read_text("utf-8")
    assert "Zalando SE" in text
    assert "Permission is hereby granted" in text
    assert "github.com/zalandoresearch/fashion-mnist" in text


def test_the_script_cuts_the_same_sample_again(fashion_mnist_folder: Path, tmp_path: Path) -> None:
    script = [sys.executable, "-m", "cnn_core.data.bundled.make_fashion_mnist_sample"]
    subprocess.run([*script, fashion_mnist_folder, tmp_path / "again.npz"], check=True, cwd=Path(__file__).parents[2])
    with np.load(SAMPLE) as ours, np.load(tmp_path / "again.npz") as again:
        assert ours.files == again.files
        assert all(np.array_equal(ours[name], again[name]) for name in ours.files)


def test_a_folder_without_the_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cut(tmp_path)
