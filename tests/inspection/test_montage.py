"""The montage against hand computation."""

import time

import numpy as np
import pytest

from cnn_core.inspection.montage import BETWEEN, DIVERGING, SEQUENTIAL, balanced_columns, enlarge, montage

RNG = np.random.default_rng(0)


def rgb(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def lightness(image: np.ndarray) -> np.ndarray:
    """Relative luminance (ITU-R BT.709) of uint8 RGB."""
    return image.astype(float) @ [0.2126, 0.7152, 0.0722]


def test_least_and_greatest_take_the_ends_of_the_scale() -> None:
    image = montage(np.array([[[1.0, 2], [3, 6]]]))
    assert image.dtype == np.uint8
    assert image.shape == (2, 2, 3)
    assert image[0, 0].tolist() == rgb(SEQUENTIAL[0])
    assert image[1, 1].tolist() == rgb(SEQUENTIAL[-1])
    # 2 is a fifth of the way from 1 to 6: the second of the six knots, up to rounding to 255 levels
    assert np.abs(image[0, 1].astype(int) - rgb(SEQUENTIAL[1])).max() <= 1


def test_layout_with_gaps_and_an_empty_cell() -> None:
    maps = np.stack([np.full((2, 3), value) for value in range(5)])
    image = montage(maps, columns=3)
    assert image.shape == (2 * 2 + 1, 3 * 3 + 2, 3)
    between = (image == rgb(BETWEEN)).all(-1)
    expected = np.zeros((5, 11), bool)
    expected[2] = expected[:, [3, 7]] = expected[3:, 8:] = True
    np.testing.assert_array_equal(between, expected)
    assert image[0, 0].tolist() == rgb(SEQUENTIAL[0])
    assert image[3, 4].tolist() == rgb(SEQUENTIAL[-1])
    assert montage(maps, columns=5, gap=0).shape == (2, 15, 3)


def test_one_scale_for_all_or_each_its_own() -> None:
    weak, strong = np.array([[0.0, 0.1]]), np.array([[0.0, 10]])
    together = montage(np.stack([weak, strong]), columns=1, gap=0)
    apart = montage(np.stack([weak, strong]), columns=1, gap=0, shared=False)
    assert lightness(together[0, 1]) < lightness(together[1, 1]) / 4
    np.testing.assert_array_equal(apart[0], apart[1])


def test_a_diverging_scale_is_centred_on_zero() -> None:
    image = montage(np.array([[[-1.0, 0, 4], [-4, 2, 1]]]), scale="diverging")
    assert image[0, 1].tolist() == rgb(DIVERGING[len(DIVERGING) // 2])
    assert image[1, 0].tolist() == rgb(DIVERGING[0])
    assert image[0, 2].tolist() == rgb(DIVERGING[-1])
    assert image[0, 0, 0] > image[0, 0, 2], "orange below zero"
    assert image[1, 2, 2] > image[1, 2, 0], "blue above zero"
    own = montage(np.array([[[-1.0, 0]], [[0, 5.0]]]), scale="diverging", shared=False, columns=1, gap=0)
    assert own[0, 0].tolist() == rgb(DIVERGING[0])
    assert own[1, 1].tolist() == rgb(DIVERGING[-1])


def test_scales_are_even_to_the_eye() -> None:
    ramp = lightness(montage(np.linspace(0, 1, 255)[None, None]))[0]
    assert (np.diff(ramp) > 0).all()
    halves = lightness(montage(np.linspace(-1, 1, 255)[None, None], scale="diverging"))[0]
    assert (np.diff(halves[:128]) > 0).all()
    assert (np.diff(halves[127:]) < 0).all()


@pytest.mark.parametrize("shared", [True, False])
def test_constant_maps_and_missing_numbers(shared: bool) -> None:
    zero = montage(np.zeros((3, 2, 2)), scale="diverging", shared=shared, gap=0)
    assert (zero == rgb(DIVERGING[len(DIVERGING) // 2])).all()
    assert (montage(np.full((4, 2, 2), 7.0), shared=shared, gap=0) == rgb(SEQUENTIAL[0])).all()
    holes = np.array([[[np.nan, np.inf], [-np.inf, 0]]])
    assert len(np.unique(montage(holes, shared=shared).reshape(-1, 3), axis=0)) == 1
    extreme = np.array([[[3e38, -3e38]]])
    assert montage(extreme, shared=shared)[0].tolist() == [rgb(SEQUENTIAL[-1]), rgb(SEQUENTIAL[0])]


def test_a_row_of_numbers_is_a_strip() -> None:
    assert montage(np.arange(10.0)).shape == (1, 10, 3)
    assert montage(np.arange(130.0)).shape == (3, 64, 3)
    assert montage(np.arange(6.0), columns=3).shape == (2, 3, 3)
    np.testing.assert_array_equal(montage(np.arange(10.0)), montage(np.arange(10.0)[None, None]))
    np.testing.assert_array_equal(montage(np.arange(10.0), shared=False), montage(np.arange(10.0)))


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros((1, 2, 3, 4)), np.zeros((0, 3, 3)), np.zeros(0)])
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="maps must be"):
        montage(wrong)


def test_grids_are_wide_and_full_where_they_can_be() -> None:
    assert [balanced_columns(count) for count in (1, 2, 3, 6, 7, 10, 16, 18, 32, 64, 96)] == [
        *(1, 2, 3, 3, 3, 5, 4, 6, 8, 8, 12)
    ]


def test_enlarging_repeats_pixels() -> None:
    image = montage(RNG.standard_normal((4, 3, 3)))
    large = enlarge(image, 30)
    assert large.shape == (35, 35, 3)
    np.testing.assert_array_equal(large[::5, ::5], image)
    np.testing.assert_array_equal(large[4::5, 4::5], image)
    assert enlarge(image, 3).shape == image.shape


def test_64_maps_are_drawn_within_5_ms() -> None:
    maps = RNG.standard_normal((64, 28, 28)).astype(np.float32)
    montage(maps)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        montage(maps, shared=False)
        times.append(time.perf_counter() - start)
    assert min(times) <= 0.005
