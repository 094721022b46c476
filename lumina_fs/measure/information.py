"""How much a picture holds for a hash to go by. A flat, black or white picture has hashes that mean nothing."""

from __future__ import annotations

import numpy as np
from PIL import Image

#: Standard deviation, in levels of 256, below which the reduced picture is flat.
FLAT = 4.0
#: Mean level below which a picture of little contrast is dark, and above which it is bright.
DARK, BRIGHT, LITTLE = 10.0, 245.0, 8.0


def information(gray: Image.Image) -> tuple[float, list[str]]:
    """A value from 0 (nothing) to 1, and the reasons why hashes are worthless: flat, dark, bright."""
    pixels = np.asarray(gray, dtype=np.float64)
    mean, deviation = float(pixels.mean()), float(pixels.std())
    reasons = []
    if deviation < FLAT:
        reasons.append("flat")
    if mean < DARK and deviation < LITTLE:
        reasons.append("dark")
    if mean > BRIGHT and deviation < LITTLE:
        reasons.append("bright")
    return round(min(1.0, deviation / 64.0), 4), reasons
