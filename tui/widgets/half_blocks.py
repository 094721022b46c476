"""A picture as lines of half blocks: two pixels a character, the upper in the colour of the letter."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

#: Bits of each colour that are kept: fewer colours are fewer changes of style on the way to the terminal.
_MASK = 0xF8
_TABLE = [value & _MASK for value in range(256)] * 3

Lines = list[list[Segment]]


def read_thumbnail(place: str, most_pixels: int = 1024 * 1024) -> Image.Image:
    """A thumbnail of ours, decoded. Raises OSError and Pillow's errors for what is none."""
    with Image.open(place, formats=("JPEG",)) as image:
        if image.width * image.height > most_pixels:
            raise OSError("is no thumbnail of ours")
        return image.convert("RGB")


def fitted(image: Image.Image, columns: int, lines: int) -> Image.Image:
    """The picture in as many pixels as there are in so many characters, two above each other in one."""
    wide, high = columns, lines * 2
    scale = min(wide / image.width, high / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).point(_TABLE)


def lines_of(image: Image.Image, columns: int, lines: int, background: tuple[int, int, int]) -> Lines:
    """The picture in the middle of a field of characters; what it leaves free has the background."""
    small = fitted(image, columns, lines)
    field = Image.new("RGB", (columns, lines * 2), background)
    field.paste(small, ((columns - small.width) // 2, (lines * 2 - small.height) // 2))
    data = field.tobytes()
    stride = columns * 3
    return [
        _line(data[row * 2 * stride : (row * 2 + 1) * stride], data[(row * 2 + 1) * stride : (row + 1) * 2 * stride])
        for row in range(lines)
    ]


def _line(upper: bytes, lower: bytes) -> list[Segment]:
    """A line, with characters of the same look in one segment."""
    found: list[Segment] = []
    before, count = (upper[:3], lower[:3]), 0
    for at in range(0, len(upper), 3):
        pair = (upper[at : at + 3], lower[at : at + 3])
        if pair == before:
            count += 1
        else:
            found.append(_segment(before, count))
            before, count = pair, 1
    found.append(_segment(before, count))
    return found


def _segment(pair: tuple[bytes, bytes], count: int) -> Segment:
    return Segment("▀" * count, _style(*pair))


@lru_cache(maxsize=32768)
def _style(upper: bytes, lower: bytes) -> Style:
    return Style(color=_color(upper), bgcolor=_color(lower))


@lru_cache(maxsize=32768)
def _color(pixel: bytes) -> Color:
    return Color.from_triplet(ColorTriplet(pixel[0], pixel[1], pixel[2]))
