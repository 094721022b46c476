"""A picture by Sixel: a slice of it for each line of characters, sent again whenever the line is.

Slices lie where text lies, so lines scroll and are covered as others are. What cuts a picture gets half blocks of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from PIL import Image
from rich.console import Console
from rich.segment import Segment
from textual_image._sixel import image_to_sixels

from tui.widgets.half_blocks import BlockLine, fitted, lines_of
from tui.widgets.picture_lines import Drawn, Ground

#: More colours are hardly seen in a picture of fewer characters, and are as many bytes more.
_MOST_COLORS, _SMALL = 128, 1000
#: With fewer than these, colours are mixed from dots.
_FEW_COLORS = 64
_KEEP, _BACK = "\x1b7", "\x1b8"
#: A colour that is told, and how it is named from then on.
_COLOR = re.compile(r"(#\d+);2;\d+;\d+;\d+")
#: How the encoder begins, and the same for pictures that leave alone what they do not cover: the last six rows of
#: pixels of a slice reach into the next line.
_OPAQUE, _CLEAR = "\x1bP0;0;0q", "\x1bP0;1;0q"


class SlicedLine(NamedTuple):
    """A line of a picture: a slice of it, so many characters from the left."""

    color: str
    left: int
    slice: str
    blocks: BlockLine

    @property
    def cells(self) -> int:
        """How many characters wide it is."""
        return self.blocks.cells

    def sent(self, console: Console) -> str:
        """Nothing is left of what was there, and the cursor is put where it belongs, wherever the slice leaves it."""
        erased = f"\x1b[48;2;{self.color}m{' ' * self.cells}\x1b[0m"
        if not self.slice:
            return erased
        begin = f"{_BACK}\x1b[{self.left}C" if self.left else _BACK
        return f"{_KEEP}{erased}{begin}{self.slice}{_BACK}\x1b[{self.cells}C"

    def segments(self) -> list[Segment]:
        """Half blocks, which can be shown in other colours."""
        return self.blocks.segments()

    def cropped(self, start: int, end: int) -> BlockLine:
        """Half blocks: a slice cannot be cut."""
        return self.blocks.cropped(start, end)


def drawn(image: Image.Image, columns: int, lines: int, ground: Ground, colors: int) -> Drawn:
    """The picture in a field of characters, near its middle, at the edge of one; in at most so many colours."""
    cell_wide, cell_high = ground.cell
    wide, high = columns * cell_wide, lines * cell_high
    shown = _in_colors(fitted(image, wide, high), min(colors, _MOST_COLORS if columns * lines < _SMALL else 256))
    left, top = (wide - shown.width) // 2 // cell_wide, (high - shown.height) // 2 // cell_high
    color = ";".join(map(str, ground.color))
    found = []
    for row, blocks in enumerate(lines_of(image, columns, lines, ground, ready=False)):
        upper = (row - top) * cell_high
        lower = min(upper + cell_high, shown.height)
        inside = 0 <= upper < lower
        found.append(SlicedLine(color, left, _encoded(shown, upper, lower) if inside else "", blocks))
    return Drawn(found, sum(len(line.slice) for line in found) + columns * lines * 10)


def _in_colors(image: Image.Image, colors: int) -> Image.Image:
    """One palette for all slices, so that none is seen."""
    found = image.quantize(colors, Image.Quantize.FASTOCTREE)
    if colors >= _FEW_COLORS:
        return found
    return image.quantize(palette=found, dither=Image.Dither.FLOYDSTEINBERG)


def _encoded(image: Image.Image, upper: int, lower: int) -> str:
    """The colours are told first: xterm paints with others where they are told on the way, as the encoder does."""
    text = image_to_sixels(image.crop((0, upper, image.width, lower))).replace(_OPAQUE, _CLEAR, 1)
    told = "".join(match.group() for match in _COLOR.finditer(text))
    begin = text.index("#")
    return text[:begin] + told + _COLOR.sub(r"\1", text[begin:])
