"""Sixel as a terminal reads it."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: All that a slice may be made of: size, colours told and named, runs, ends of bands.
SLICE = re.compile(r'\x1bP0;([01]);0q"1;1;(\d+);(\d+)((?:#\d+(?:;2;\d+;\d+;\d+)?|![0-9]+[?-~]|[?-~]|\$|-)*)\x1b\\')
_STEP = re.compile(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|(?:!(\d+))?([?-~])|([$-])")


class Slice(NamedTuple):
    """What a terminal would paint: colours, -1 where there is none, with the rows that reach into the next line."""

    pixels: NDArray[np.int64]
    height: int
    colors: int
    clear: bool
    """What is not painted stays as it was."""
    told_first: bool
    """No colour is told once something was painted."""


def painted(text: str) -> Slice:
    """Of one sequence."""
    whole = SLICE.fullmatch(text)
    assert whole is not None, text[:80]
    wide, high = int(whole[2]), int(whole[3])
    pixels = np.full((high + 6, wide, 3), -1)
    palette: dict[int, tuple[int, ...]] = {}
    x = y = color = 0
    begun, told_first = False, True
    for step in _STEP.finditer(whole[4]):
        if step[1]:
            color = int(step[1])
            if step[2]:
                palette[color] = tuple(round(int(part) * 2.55) for part in step.group(2, 3, 4))
                told_first &= not begun
        elif step[7]:
            x, y = 0, y + 6 * (step[7] == "-")
        else:
            begun, count, bits = True, int(step[5] or 1), ord(step[6]) - 63
            for row in range(6):
                if bits >> row & 1:
                    pixels[y + row, x : x + count] = palette[color]
            x += count
    return Slice(pixels, high, len(palette), whole[1] == "1", told_first)
