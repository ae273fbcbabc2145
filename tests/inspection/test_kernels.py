"""Standard kernels against scipy, and fitting them to a layer."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.signal import convolve2d

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.kernels import NAMES, fitted, standard_kernel, with_norm_of

IMAGE = np.random.default_rng(0).standard_normal((12, 15))
SIZES = (1, 2, 3, 4, 5, 7, 31)


def correlated(name: str, size: int) -> np.ndarray:
    return ndimage.correlate(IMAGE, standard_kernel(name, size).astype(np.float64))


@pytest.mark.parametrize(("name", "axis"), [("sobel_x", 1), ("sobel_y", 0)])
def test_sobel_is_scipys(name: str, axis: int) -> None:
    np.testing.assert_allclose(correlated(name, 3), ndimage.sobel(IMAGE, axis=axis), atol=1e-6)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_larger_ones_are_the_small_one_smoothed_again(size: int) -> None:
    binomial = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    expected = {"sobel_x": standard_kernel("sobel_x", 3), "blur": binomial / 16}
    for _ in range((size - 3) // 2):
        expected = {
            "sobel_x": convolve2d(expected["sobel_x"], binomial),
            "blur": convolve2d(expected["blur"], binomial / 16),
        }
    for name, kernel in expected.items():
        np.testing.assert_allclose(standard_kernel(name, size), kernel, rtol=1e-6, atol=1e-9)
    assert np.array_equal(standard_kernel("sobel_y", size), standard_kernel("sobel_x", size).T)


def test_blur_is_nearly_the_gaussian_of_the_stated_width() -> None:
    wide = np.zeros((41, 41))
    wide[20, 20] = 1
    gaussian = ndimage.gaussian_filter(wide, np.sqrt(30) / 2)[5:36, 5:36]
    np.testing.assert_allclose(standard_kernel("blur", 31), gaussian, atol=4e-4)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_identity_changes_nothing(size: int) -> None:
    np.testing.assert_allclose(correlated("identity", size), IMAGE)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_of_every_size(name: str, size: int) -> None:
    if name.startswith("sobel") and size == 1:
        with pytest.raises(PlaygroundError, match="single pixel"):
            standard_kernel(name, size)
        return
    kernel = standard_kernel(name, size, seed=3)
    assert (kernel.shape, kernel.dtype) == ((size, size), np.float32)
    assert np.isfinite(kernel).all()
    if name == "blur":
        assert kernel.sum() == pytest.approx(1)
    if name.startswith("sobel"):
        assert kernel.sum(dtype=np.float64) == pytest.approx(0, abs=1e-6 * float(np.abs(kernel).max()))
        assert kernel[-1, -1] > 0 > kernel[0, 0]


def test_random_is_of_the_seed_alone() -> None:
    state = str(np.random.get_state())
    first = standard_kernel("random", 3, seed=1)
    assert np.array_equal(first, standard_kernel("random", 3, seed=1))
    assert not np.array_equal(first, standard_kernel("random", 3, seed=2))
    assert str(np.random.get_state()) == state


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(PlaygroundError, match="sobel_x, sobel_y, blur, identity, random"):
        standard_kernel("gabor", 3)


def test_another_size_is_cut_or_padded_about_the_middle() -> None:
    three = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    assert np.array_equal(fitted(three, 5, 5), np.pad(three, 1))
    assert np.array_equal(fitted(np.pad(three, 2), 3, 3), three)
    assert np.array_equal(fitted(three, 1, 1), [[5]])
    assert np.array_equal(fitted(three, 2, 2), [[1, 2], [4, 5]])
    assert np.array_equal(fitted(three, 4, 4), np.pad(three, ((1, 0), (1, 0))))
    assert np.array_equal(fitted(three, 1, 5), [[0, 4, 5, 6, 0]])


def test_each_kernel_gets_the_norm_of_the_old_one() -> None:
    random = np.random.default_rng(0)
    old, new = random.standard_normal((4, 3, 3)), random.standard_normal((4, 3, 3))
    old[1], new[2] = 0, 0
    scaled = with_norm_of(new, old)
    norms = np.linalg.norm(old, axis=(1, 2))
    norms[2] = 0
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=(1, 2)), norms, rtol=1e-6)
    np.testing.assert_allclose(np.sign(scaled[0]), np.sign(new[0]))
