"""A picture by Kitty's graphics: the terminal gets it once, and then text that says which part of it belongs where.

The text is the protocol's placeholder, with row and column of each character as diacritics and the picture's number as
its colour. So lines scroll, are cut and are covered as other text is, and to draw one again costs a few bytes.
"""

from __future__ import annotations

import io
from base64 import b64encode
from functools import lru_cache
from itertools import count
from random import randrange
from typing import NamedTuple

from PIL import Image
from rich.console import Console
from rich.segment import Segment
from textual_image.renderable.tgp import _NUMBER_TO_DIACRITIC as DIACRITICS
from textual_image.renderable.tgp import _PLACEHOLDER as PLACEHOLDER

from tui.widgets.half_blocks import BlockLine, fitted, lines_of
from tui.widgets.picture_lines import Drawn, Ground

#: The most of a picture that one message may carry.
_CHUNK = 4096
#: Numbers of pictures are colours, which have 24 bits. Those of the 256 that a palette has mean something else.
_FIRST, _LAST = 0x100, 0xFFFFFF
#: Other programs in the same window may have begun at the beginning.
_numbers = count(randrange(_LAST))


class PlacedLine(NamedTuple):
    """A line of a picture that the terminal has."""

    row: int
    first: int
    color: str
    """What the terminal is told of the number and of the colour around the picture."""
    blocks: BlockLine

    @property
    def cells(self) -> int:
        """How many characters wide it is."""
        return self.blocks.cells

    def sent(self, console: Console) -> str:
        """Colours have a meaning here: the terminal takes them exactly, whatever else it is known for."""
        return f"\x1b[{self.color}m{_places(self.row, self.first, self.cells)}\x1b[0m"

    def segments(self) -> list[Segment]:
        """Half blocks: whoever changes colours would change the picture for another."""
        return self.blocks.segments()

    def cropped(self, start: int, end: int) -> PlacedLine:
        """The part from one character up to, without, another."""
        return self._replace(first=self.first + start, blocks=self.blocks.cropped(start, end))


@lru_cache(maxsize=4096)
def _places(row: int, first: int, cells: int) -> str:
    """Each character says where it belongs, so that none depends on its neighbour being there."""
    head = chr(PLACEHOLDER) + chr(DIACRITICS[row])
    return "".join(head + chr(DIACRITICS[column]) for column in range(first, first + cells))


def drawn(image: Image.Image, columns: int, lines: int, ground: Ground) -> Drawn:
    """The picture in the middle of a field of characters, where the terminal puts it; no larger than it is shown."""
    wide, high = columns * ground.cell[0], lines * ground.cell[1]
    shown = fitted(image, wide, high) if image.width > wide or image.height > high else image
    number = _FIRST + next(_numbers) % (_LAST - _FIRST + 1)
    blocks = lines_of(image, columns, lines, ground, ready=False)
    red, green, blue = ground.color
    color = f"38;2;{number >> 16};{number >> 8 & 255};{number & 255};48;2;{red};{green};{blue}"
    placed = [PlacedLine(row, 0, color, line) for row, line in enumerate(blocks)]
    arrives = _transmission(shown, number, columns, lines)
    return Drawn(placed, shown.width * shown.height, arrives, f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\")


def _transmission(image: Image.Image, number: int, columns: int, lines: int) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    data = b64encode(file.getvalue()).decode("ascii")
    parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    keys = f"a=T,U=1,f=100,i={number},c={columns},r={lines},"
    messages = []
    for part in parts[:-1]:
        messages.append(f"\x1b_G{keys}q=2,m=1;{part}\x1b\\")
        keys = ""
    return "".join(messages) + f"\x1b_G{keys}q=2,m=0;{parts[-1]}\x1b\\"
