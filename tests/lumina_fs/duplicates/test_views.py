"""The views of a picture are the hashes of what they stand for: the picture itself, turned, mirrored, a part of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lumina_fs.duplicates.views import COUNT, ORIENTATIONS, WINDOWS, Views, bands_of, inverse, oriented, views
from lumina_fs.measure import hashes
from tests.lumina_fs.duplicates.made import Gray, codes, gray_of, noise, photographs

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def hashed(gray: Gray) -> tuple[int, int]:
    image = Image.fromarray(gray)
    return int(hashes.phash(image), 16), int(hashes.dhash(image), 16)


def apart(found: Views, view: int, gray: Gray) -> tuple[int, int]:
    """Bits by which pHash and dHash of a view differ from those of a picture."""
    wanted = hashed(gray)
    return tuple((int(code[0, view]) ^ one).bit_count() for code, one in zip(found, wanted, strict=True))  # type: ignore[return-value]


@given(st.integers(0, 2**32), st.integers(2, 64), st.integers(-200, 200), st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_the_first_view_is_the_hashes_of_the_picture_bit_for_bit(
    seed: int, cells: int, lighter: int, contrast: float
) -> None:
    """Also where it is white or black, or all but flat: levels are rounded and cut off as Pillow does."""
    gray = np.clip(noise(seed, cells=cells) * contrast + lighter, 0, 255).astype(np.uint8)
    assert apart(codes(gray), 0, gray) == (0, 0)


def test_the_first_view_of_real_photographs_is_their_hashes(photos: Path) -> None:
    for photo in photographs(photos):
        gray = gray_of(photo)
        assert apart(codes(gray), 0, gray) == (0, 0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_an_orientation_is_what_the_really_turned_picture_hashes_to(orientation: int, photos: Path) -> None:
    for photo in photographs(photos):
        turned = gray_of(photo.transpose(TURNS[orientation]))
        found = apart(codes(gray_of(photo)), ORIENTATIONS.index(orientation) + 1, turned)
        assert max(found) <= 2, found


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_an_array_is_turned_as_pillow_turns_a_picture_and_back(orientation: int) -> None:
    gray = noise(1)
    turned = oriented(gray, orientation)
    assert np.array_equal(turned, np.asarray(Image.fromarray(gray).transpose(TURNS[orientation])))
    assert np.array_equal(oriented(turned, inverse(orientation)), gray)
    assert np.array_equal(oriented(np.stack([gray, turned]), orientation)[0], turned)


def test_a_window_is_about_what_the_really_cropped_picture_hashes_to(photos: Path) -> None:
    bits = []
    for photo in photographs(photos):
        found = codes(gray_of(photo))
        for number, window in enumerate(WINDOWS):
            left, top, right, bottom = (round(share * side) for share, side in zip(window, photo.size * 2, strict=True))
            cropped = gray_of(photo.crop((left, top, right, bottom)))
            bits.append(sum(apart(found, 1 + len(ORIENTATIONS) + number, cropped)))
    assert np.mean(bits) <= 4
    assert np.quantile(bits, 0.99) <= 12
    assert max(bits) <= 24  # what is asked of a view to be looked at


def parts(photos: Path) -> Iterator[tuple[Views, Gray]]:
    """Of photographs their views, and a part of them: seven eighths or more of each side, anywhere."""
    choose = np.random.default_rng(5)
    for photo in photographs(photos):
        found = codes(gray_of(photo))
        for _ in range(10):
            width, height = photo.size
            w, h = (round(side * choose.uniform(0.875, 1)) for side in photo.size)
            left, top = int(choose.integers(0, width - w + 1)), int(choose.integers(0, height - h + 1))
            yield found, gray_of(photo.crop((left, top, left + w, top + h)))


def test_any_crop_of_an_eighth_of_each_side_is_near_to_some_window(photos: Path) -> None:
    near = [min(sum(apart(found, view, gray)) for view in range(COUNT)) for found, gray in parts(photos)]
    assert np.mean(np.array(near) <= 24) >= 0.9


@pytest.mark.parametrize("width", [16, 18, 20])
def test_a_crop_is_equal_to_a_view_that_is_near_under_one_of_the_masks(width: int, photos: Path) -> None:
    """More of them than under masks of bits that lie side by side, though those take no more bits."""
    beside = [((1 << width) - 1) << at for at in (0, width, 2 * width)]
    shares = []
    for masks in ([[band.mask for band in some] for some in bands_of(width)], (beside, beside)):
        met = []
        for found, gray in parts(photos):
            wanted = hashed(gray)
            met.append(
                any(
                    (int(code[0, view]) ^ one) & mask == 0
                    for view in range(COUNT)
                    if sum(apart(found, view, gray)) <= 24
                    for code, one, own in zip(found, wanted, masks, strict=True)
                    for mask in own
                )
            )
        shares.append(np.mean(met))
    assert shares[0] >= 0.95
    assert shares[0] > shares[1]


def test_masks_have_as_many_bits_as_asked_for_and_never_that_of_the_brightness() -> None:
    for width in (14, 16, 18, 20):
        for bands in bands_of(width):
            assert [band.mask.bit_count() for band in bands] == [width] * 3
        assert not any(band.mask >> 63 for band in bands_of(width)[0])


@pytest.mark.parametrize("width", [14, 16, 18, 20])
def test_codes_share_a_bucket_only_if_they_are_equal_under_the_mask(width: int) -> None:
    for band in itertools.chain(*bands_of(width)):
        codes = np.zeros(1, np.uint64)
        for bit in range(64):
            if band.mask >> bit & 1:
                codes = np.concatenate([codes, codes | np.uint64(1 << bit)])
        assert len(codes) == 1 << width
        noise = np.random.default_rng(width).integers(0, 2**64, len(codes), dtype=np.uint64) & ~np.uint64(band.mask)
        buckets = band.buckets(codes | noise)
        assert len(np.unique(buckets)) == len(codes)
        assert 0 <= buckets.min() <= buckets.max() < 1 << band.bits <= 2 << width


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(0, 29))
@settings(max_examples=20, deadline=None)
def test_views_do_not_depend_on_what_else_is_asked_for(seed: int, count: int, at: int) -> None:
    some = np.stack([noise(seed + number) for number in range(count)])
    at %= count
    together, alone = views(some), views(some[at : at + 1])
    assert np.array_equal(together.phash[at], alone.phash[0])
    assert np.array_equal(together.dhash[at], alone.dhash[0])
    assert together.phash.shape == together.dhash.shape == (count, COUNT)


def test_a_white_border_costs_no_bits() -> None:
    """Where much is white the differences are all zero, and must not be the noise of a resize."""
    gray = np.full((64, 64), 255, np.uint8)
    gray[16:48, 16:48] = noise(3, side=32)
    for orientation in ORIENTATIONS:
        found = apart(
            codes(gray), ORIENTATIONS.index(orientation) + 1, np.ascontiguousarray(oriented(gray, orientation))
        )
        assert max(found) <= 2, (orientation, found)
