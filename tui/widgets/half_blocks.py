"""A picture as lines of half blocks: two pixels a character, the upper in the colour of the letter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from PIL import Image
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets.picture_lines import Drawn, Ground

#: Bits of each colour that are kept: fewer colours are fewer changes of style on the way to the terminal.
_MASK = 0xF8
_TABLE = [value & _MASK for value in range(256)] * 3
#: The first of the 240 colours that are the same in all terminals of 256.
_FIXED = 16
#: Bytes that a character of a picture takes as it is kept, about.
_WEIGHT = 100

#: Characters of the same look: their upper and lower half, each three bytes of a colour or one of a palette; how many.
_Run = tuple[bytes, bytes, int]


class BlockLine(NamedTuple):
    """A line of a picture: its runs as bytes, and what a terminal of all colours gets, made by the thread that draws.

    No object for each character: thousands of lines are kept, and looking for cycles among all of them would be felt.
    """

    upper: bytes
    lower: bytes
    wide: int
    """Bytes of a pixel: 3, or 1 for one of a palette."""
    made: str = ""
    """What is sent, where that was worked out before."""

    @property
    def cells(self) -> int:
        """How many characters wide it is."""
        return len(self.upper) // self.wide

    def sent(self, console: Console) -> str:
        """What the terminal gets."""
        if self.wide == 3 and console.color_system in ("truecolor", None):
            return self.made or _sent(_runs(self.upper, self.lower, self.wide))
        return Strip(self.segments()).render(console)

    def segments(self) -> list[Segment]:
        """The line as Textual knows lines."""
        runs = _runs(self.upper, self.lower, self.wide)
        return [Segment("▀" * count, _style(upper, lower)) for upper, lower, count in runs]

    def cropped(self, start: int, end: int) -> BlockLine:
        """The part from one character up to, without, another."""
        part = slice(start * self.wide, end * self.wide)
        return BlockLine(self.upper[part], self.lower[part], self.wide)


def read_thumbnail(place: str, most_pixels: int = 1024 * 1024) -> Image.Image:
    """A thumbnail of ours, decoded. Raises OSError and Pillow's errors for what is none."""
    with Image.open(place, formats=("JPEG",)) as image:
        if image.width * image.height > most_pixels:
            raise OSError("is no thumbnail of ours")
        return image.convert("RGB")


def few_colours(console: Console) -> bool:
    """True for a terminal that has a palette and no more."""
    return console.color_system == "256"


def fitted(image: Image.Image, wide: int, high: int) -> Image.Image:
    """The picture in as many pixels as it may have at most."""
    scale = min(wide / image.width, high / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def lines_of(image: Image.Image, columns: int, lines: int, ground: Ground, *, ready: bool = True) -> list[BlockLine]:
    """The picture in the middle of a field of characters; what it leaves free has the colour of the ground.

    In few colours they are those of the palette that terminals of 256 colours share, so that nobody looks for the next
    of each. `ready`: what is sent is worked out too, as for lines that will be sent and not only may.
    """
    small, size = fitted(image, columns, lines * 2), (columns, lines * 2)
    field = Image.new("RGB", size, ground.color)
    if ground.few:
        field, small = _in_palette(field), _in_palette(small)
    else:
        small = small.point(_TABLE)
    field.paste(small, ((columns - small.width) // 2, (lines * 2 - small.height) // 2))
    data, wide = field.tobytes(), 1 if ground.few else 3
    stride = columns * wide
    rows = [data[top : top + stride] for top in range(0, len(data), stride)]
    ready = ready and not ground.few
    return [
        BlockLine(upper, lower, wide, _sent(_runs(upper, lower, wide)) if ready else "")
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def drawn(image: Image.Image, columns: int, lines: int, ground: Ground) -> Drawn:
    """The picture as half blocks alone."""
    return Drawn(lines_of(image, columns, lines, ground), columns * lines * _WEIGHT)


def _in_palette(image: Image.Image) -> Image.Image:
    """Each pixel in the next colour: dithered, so few pixels are a chequerboard."""
    return image.quantize(palette=_palette(), dither=Image.Dither.NONE)


@cache
def _palette() -> Image.Image:
    """A cube of six levels, then grays: colours 16 to 255 of such a terminal. No source but the standard of xterm."""
    levels = (0, 95, 135, 175, 215, 255)
    cube = [value for red in levels for green in levels for blue in levels for value in (red, green, blue)]
    grays = [value for gray in range(8, 239, 10) for value in (gray, gray, gray)]
    image = Image.new("P", (1, 1))
    image.putpalette(cube + grays)
    return image


def _runs(upper: bytes, lower: bytes, wide: int) -> Iterator[_Run]:
    """(upper, lower, how many) of neighbours of the same look."""
    before, count = (upper[:wide], lower[:wide]), 0
    for at in range(0, len(upper), wide):
        pair = (upper[at : at + wide], lower[at : at + wide])
        if pair == before:
            count += 1
        else:
            yield *before, count
            before, count = pair, 1
    yield *before, count


def _sent(runs: Iterable[_Run]) -> str:
    """A line as a terminal of all colours understands it: what stays as it was is not said again."""
    found, letter, ground = [], b"", b""
    for upper, lower, count in runs:
        codes = []
        if upper != letter:
            codes.append(f"38;2;{upper[0]};{upper[1]};{upper[2]}")
        if lower != ground:
            codes.append(f"48;2;{lower[0]};{lower[1]};{lower[2]}")
        found.append(f"\x1b[{';'.join(codes)}m{'▀' * count}")
        letter, ground = upper, lower
    return "".join(found) + "\x1b[0m"


@lru_cache(maxsize=32768)
def _style(upper: bytes, lower: bytes) -> Style:
    return Style.from_color(_color(upper), _color(lower))


@lru_cache(maxsize=32768)
def _color(pixel: bytes) -> Color:
    if len(pixel) == 1:
        return Color.from_ansi(_FIXED + pixel[0])
    return Color.from_triplet(ColorTriplet(pixel[0], pixel[1], pixel[2]))
