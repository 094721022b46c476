"""What a copy may show of a picture, as hashes: turned, mirrored, a part of it, or without its bars.

Everything is computed from the reduced picture of 64 x 64 by matrices: a resize is one for each axis, and a DCT is
another, so that all views of many pictures are a few products. The matrices are Pillow's own, read off an identity.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.hamming import Band

#: Side of a reduced picture.
SIDE = 64

Gray = NDArray[np.uint8]
Codes = NDArray[np.uint64]
Floats = NDArray[Any]


class Window(NamedTuple):
    """A part of a picture, as shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


def _grid(share: float, places: tuple[float, ...]) -> list[Window]:
    """Windows of `share` of both sides; a place is 0 at the left or top edge and 1 at the other."""
    return [
        Window(x * (1 - share), y * (1 - share), x * (1 - share) + share, y * (1 - share) + share)
        for y in places
        for x in places
    ]


def _strips(share: float, places: tuple[float, ...]) -> list[Window]:
    """Windows as wide or as high as the picture, and `share` of it in the other direction."""
    wide = [Window(0, y * (1 - share), 1, y * (1 - share) + share) for y in places]
    return wide + [Window(x * (1 - share), 0, x * (1 - share) + share, 1) for x in places]


#: Parts that stand for all crops down to three quarters of the area: any such crop is close to one of them.
WINDOWS = [*_grid(0.93, (0.0, 0.5, 1.0)), *_grid(0.87, (0.0, 0.5, 1.0)), *_strips(0.85, (0.0, 0.5, 1.0))]
#: EXIF orientations but the first: what turning and mirroring make of a picture.
ORIENTATIONS = (2, 3, 4, 5, 6, 7, 8)


def oriented(picture: Gray, orientation: int) -> Gray:
    """An array of (..., rows, columns) as the EXIF orientation shows it."""
    if orientation >= 5:
        picture = np.swapaxes(picture, -1, -2)
    flips = {1: (), 2: (-1,), 3: (-2, -1), 4: (-2,), 5: (), 6: (-1,), 7: (-2, -1), 8: (-2,)}[orientation]
    return np.flip(picture, flips) if flips else picture


def inverse(orientation: int) -> int:
    """The orientation that undoes this one."""
    return {6: 8, 8: 6}.get(orientation, orientation)


@cache
def _resize(size: int, start: float, end: float) -> Floats:
    """The (size, 64) matrix that brings the part from `start` to `end` of 64 pixels to `size`, as LANCZOS does.

    Its numbers are whole multiples of 2 ** -22, as Pillow's are for bytes.
    """
    from PIL import Image  # the views of most pictures were made before

    identity = Image.fromarray(np.eye(SIDE, dtype=np.float32))
    box = (start * SIDE, 0, end * SIDE, SIDE)
    matrix = np.asarray(identity.resize((size, SIDE), Image.Resampling.LANCZOS, box=box)).T
    return np.ascontiguousarray(np.rint(matrix * 2.0**22) / 2.0**22, dtype=np.float32)


_K, _N = np.arange(8)[:, None], np.arange(32)[None]
_DCT = 2 * np.cos(np.pi * _K * (2 * _N + 1) / 64)


@cache
def _spectrum(start: float, end: float) -> Floats:
    """The (8, 64) matrix from a part of 64 pixels to its eight lowest DCT coefficients."""
    return _DCT.astype(np.float32) @ _resize(32, start, end)


def _whole(values: Floats) -> Floats:
    """Rounded and cut off to levels of 256, as Pillow does after each axis: where a picture is white, all is equal."""
    np.floor(values + 0.5, out=values)
    return np.asarray(np.clip(values, 0, 255, out=values))


def _scaled(pixels: Floats, down: Floats, across: Floats) -> Floats:
    """Pictures resized by two matrices, to the level as Pillow resizes them."""
    return _whole(down @ _whole(pixels @ across.T))


def _packed(bits: NDArray[np.bool_]) -> Codes:
    """(..., 8, 8) bits as 64-bit codes."""
    flat = np.packbits(bits.reshape(*bits.shape[:-2], 64), axis=-1)
    return np.ascontiguousarray(flat).view(">u8")[..., 0].astype(np.uint64)


def _phash(spectra: Floats) -> Codes:
    medians = np.median(spectra.reshape(*spectra.shape[:-2], 64), axis=-1)
    return _packed(spectra > medians[..., None, None])


def _dhash(pixels: Floats) -> Codes:
    return _packed(pixels[..., 1:] > pixels[..., :-1])


class Views(NamedTuple):
    """Codes of pictures, an array (pictures, views) for each hash. View 0 is the picture itself."""

    phash: Codes
    dhash: Codes


#: By width, for each mask of a pHash: a factor that brings the bits it leaves to the top so that no two of their values
#: share a bucket, and bits that number the buckets. Found by trying sums of few powers of two, as chess programs do.
_PHASH_BANDS = {
    14: ((0x2400043F014, 15), (0xFFFFFE0004051002, 14), (0x110000084001, 15)),
    16: ((0x200004000080024, 17), (0x7FFF00040180802, 17), (0x22000041001, 17)),
    18: ((0x4008000C, 19), (0xFFFFFFC008000802, 18), (0x8004000080005, 19)),
    20: ((0x20008018010004, 21), (0x120000008802, 20), (0x1020000400020081, 21)),
}
#: By width, the same for the first mask of a dHash, as the powers; the others lie one and two bits higher.
_DHASH_BANDS = {14: (22, 36, 50), 16: (17, 31, 48), 18: (10, 30, 47), 20: (5, 25, 45)}


def bands_of(width: int) -> tuple[list[Band], list[Band]]:
    """Three bands of `width` bits for each hash: a copy is mostly equal to a view in one of them.

    What changes first in a pHash is its high frequencies. Its masks take two thirds each of the lowest ones, so that
    any two share half their bits. In a dHash neighbours are alike, so that bits side by side would say less: its masks
    take every third bit. A width is 14, 16, 18 or 20.
    """
    by_frequency = sorted(range(1, 64), key=lambda at: (at // 8 + at % 8, at))
    lowest = by_frequency[: width * 3 // 2]
    masks = [sum(1 << 63 - at for number, at in enumerate(lowest) if number % 3 != left) for left in range(3)]
    factor = sum(1 << power for power in _DHASH_BANDS[width])
    return (
        [Band(mask, *how) for mask, how in zip(masks, _PHASH_BANDS[width], strict=True)],
        [Band(sum(1 << at for at in range(first, 64, 3)[:width]), factor >> first, width) for first in range(3)],
    )


#: The views of every picture, in their order: itself, the orientations, the windows.
COUNT = 1 + len(ORIENTATIONS) + len(WINDOWS)


def views(gray: Gray) -> Views:
    """The codes of all views of (n, 64, 64) pictures."""
    pixels = gray.astype(np.float32)
    spectra, differences = [], []
    exact = gray.astype(np.float64)  # so that view 0 has the hashes of the picture, bit for bit
    small = _scaled(exact, _resize(32, 0, 1), _resize(32, 0, 1))
    spectrum = np.round(_DCT @ small @ _DCT.T, 6)
    across = _scaled(exact, _resize(8, 0, 1), _resize(9, 0, 1))
    down = _scaled(np.swapaxes(exact, -1, -2), _resize(8, 0, 1), _resize(9, 0, 1))
    signs = np.where(np.arange(8) % 2, np.float32(-1), np.float32(1))
    for orientation in (1, *ORIENTATIONS):
        turned = np.swapaxes(spectrum, -1, -2) if orientation >= 5 else spectrum
        rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
        turned = turned * (signs[:, None] if rows else 1) * (signs if columns else 1)
        spectra.append(turned)
        level = down if orientation >= 5 else across
        differences.append(level[..., :: -1 if rows else 1, :: -1 if columns else 1])
    for left, top, right, bottom in WINDOWS:
        spectra.append(_spectrum(top, bottom) @ pixels @ _spectrum(left, right).T)
        differences.append(_scaled(pixels, _resize(8, top, bottom), _resize(9, left, right)))
    return Views(_phash(np.stack(spectra, 1)), _dhash(np.stack(differences, 1)))
