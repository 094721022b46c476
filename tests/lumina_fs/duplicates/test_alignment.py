"""One picture laid over another: a shift, a crop and a small turn are found, and nothing on a picture breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from lumina_fs.duplicates.alignment import blurred, compare, fit, window_map
from tests.lumina_fs.duplicates.made import Gray, noise

WHOLE = window_map(0, 0, 1, 1)


def floats(*pictures: Gray) -> np.ndarray:
    return np.stack(pictures).astype(np.float32)


def mapped(gray: Gray, matrix: np.ndarray) -> Gray:
    """What one sees at (x, y) if the picture is looked at through the map, by Pillow."""
    a, b, c = matrix[0] * [1, 1, 32]
    d, e, f = matrix[1] * [1, 1, 32]
    # from units of the half side, 0 in the middle, to pixels
    terms = (a, b, c + 32 - 32 * (a + b), d, e, f + 32 - 32 * (d + e))
    return np.asarray(
        Image.fromarray(gray).transform((64, 64), Image.Transform.AFFINE, terms, Image.Resampling.BICUBIC)
    )


def test_a_picture_lies_on_itself() -> None:
    gray = floats(noise(1))
    for found in (
        compare(gray, gray, WHOLE[None]),
        fit(gray, gray, WHOLE[None]),
        fit(gray, gray, WHOLE[None], near=True),
    ):
        assert found.whole[0] > 0.999
        assert found.agreeing[0] == 1
        assert np.allclose(found.maps[0], WHOLE, atol=0.01)
    # the detail of the second is taken after it was laid over, but a picture on itself loses nothing by that
    assert compare(gray, gray, WHOLE[None]).detail[0] > 0.999


def test_unlike_pictures_do_not_agree_however_they_are_laid() -> None:
    first, second = floats(*(noise(seed) for seed in range(20))), floats(*(noise(seed + 100) for seed in range(20)))
    found = fit(first, second, np.repeat(WHOLE[None], 20, 0))
    assert found.whole.max() < 0.9
    assert found.detail.max() < 0.7


@pytest.mark.parametrize(
    "change",
    [
        [[1, 0, 0.05], [0, 1, -0.04]],
        [[0.88, 0, 0.03], [0, 0.9, -0.05]],
        [[np.cos(0.05), -np.sin(0.05), 0], [np.sin(0.05), np.cos(0.05), 0]],
        [[1.06, 0, 0], [0, 0.96, 0.02]],
    ],
)
def test_a_shift_a_crop_a_turn_and_another_aspect_are_found_to_half_a_pixel(change: list[list[float]]) -> None:
    wanted = np.array(change, np.float32)
    whole = [noise(seed, cells=12) for seed in range(8)]
    part = [mapped(gray, wanted) for gray in whole]
    found = fit(floats(*part), floats(*whole), np.repeat(WHOLE[None], 8, 0))
    assert np.abs(found.maps - wanted).max() < 0.5 / 32
    assert found.whole.min() > 0.99


@given(st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.2), st.floats(0.75, 1), st.floats(0.75, 1)), min_size=1))
@settings(max_examples=25, deadline=None)
def test_a_window_map_leads_the_corners_of_the_part_to_where_they_were(parts: list[tuple[float, ...]]) -> None:
    for left, top, width, height in parts:
        matrix = window_map(left, top, left + width, top + height)
        corner = matrix @ np.array([-1, -1, 1]), matrix @ np.array([1, 1, 1])
        assert np.allclose((corner[0] + 1) / 2, (left, top), atol=1e-5)
        assert np.allclose((corner[1] + 1) / 2, (left + width, top + height), atol=1e-5)


PICTURES = arrays.arrays(np.uint8, (64, 64), elements=st.integers(0, 255), fill=st.sampled_from([0, 128, 255]))


@given(PICTURES, PICTURES, st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=60, deadline=None)
def test_any_two_pictures_give_numbers(first: Gray, second: Gray, scale: float, shift: float) -> None:
    """Flat, empty, laid beside each other, or through a map that leads nowhere: numbers, no warning."""
    start = np.array([[[scale, 0, shift], [0, scale, -shift]]], np.float32)
    for found in (compare(floats(first), floats(second), start), fit(floats(first), floats(second), start)):
        for value in (found.whole, found.detail):
            assert np.all(np.abs(value) <= 1.001)
        assert 0 <= found.agreeing[0] <= 1
        assert np.isfinite(found.maps).all()


@given(st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=15, deadline=None)
def test_a_pair_agrees_the_same_whatever_is_compared_beside_it(seed: int, count: int) -> None:
    first = floats(*(noise(seed + number) for number in range(count)))
    second = floats(*(np.roll(noise(seed + number), 1, 0) for number in range(count)))
    together = fit(first, second, np.repeat(WHOLE[None], count, 0))
    alone = fit(first[-1:], second[-1:], WHOLE[None])
    for many, one in zip(together, alone, strict=True):
        assert np.allclose(many[-1], one[0], atol=1e-5)


def test_a_blur_keeps_the_mean_of_a_flat_picture_and_dims_a_point() -> None:
    flat = np.full((1, 64, 64), 7, np.float32)
    assert np.allclose(blurred(flat, 3.0), 7, atol=1e-4)
    point = np.zeros((1, 64, 64), np.float32)
    point[0, 32, 32] = 1
    assert blurred(point, 1.0).sum() == pytest.approx(1, abs=1e-4)
    assert blurred(point, 1.0).max() < 0.2
