"""How pictures are drawn in this terminal: by its own graphics, in half blocks, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import struct
import sys
import termios
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

    from tui.widgets.picture_lines import Drawn, Ground


Way = Literal["auto", "kitty", "sixel", "blocks", "none"]


class Stage(NamedTuple):
    """A way to draw a small picture, from the small or from the large thumbnail."""

    way: Way
    large: bool


_chosen: Way = "blocks"
#: Pixels of a character, wide and high, where the terminal does not say.
_cell = 10, 20
#: Colours that the terminal has for a picture by Sixel, where it does not say.
_colors = 256
#: Pixels across from where on a small thumbnail, of 150, is seen to be one.
_BLURRED = 300
#: The first version of kitty that has places for pictures in text.
_PLACES_SINCE = (0, 28)
#: Seconds that a terminal may take to say what it is.
_PATIENCE = 0.2


def choose(way: Way) -> None:
    """Settle the way for this process. All but blocks and none ask the terminal: only before the app runs."""
    global _chosen
    _chosen = way if way in ("blocks", "none") else _asked(way)


def _asked(way: Way) -> Way:
    """What the terminal says that it can, and how large its characters are, which is kept for later."""
    global _cell, _colors
    logging.getLogger("textual_image").setLevel(logging.ERROR)  # that a terminal does not answer is no news
    from textual_image import renderable  # asks when it is loaded
    from textual_image._terminal import get_cell_size

    size = get_cell_size()
    _cell = size.width, size.height
    found: Way = way
    if way == "auto":
        ways: dict[type, Way] = {renderable.SixelImage: "sixel", renderable.TGPImage: "kitty"}
        found = ways.get(renderable.Image, "blocks")
        if found == "kitty" and not _has_places(_answer("\x1b[>q", "\x1bP", "\x1b\\")):
            found = "blocks"
    if found == "sixel":
        told = re.fullmatch(r"1;0;(\d+)", _answer("\x1b[?1;1;0S", "\x1b[?", "S"))
        _colors = max(2, int(told[1])) if told is not None else _colors
    # tmux shows the places of Kitty's pictures, but keeps the pictures for itself
    return "blocks" if found == "kitty" and os.environ.get("TMUX") else found


def _answer(question: str, begin: str, end: str) -> str:
    """What the terminal says to that, between its first and its last characters; empty where it says nothing."""
    from textual_image._terminal import TerminalError, capture_terminal_response

    try:
        with capture_terminal_response(begin, end, _PATIENCE) as answer:
            os.write(1, question.encode("ascii"))
    except (TerminalError, TimeoutError, OSError):
        return ""
    return str(answer.sequence)[len(begin) : -len(end)]


def _has_places(name: str) -> bool:
    """Whether a terminal with Kitty's graphics has places for them in text too: old ones and others show letters."""
    kitty = re.match(r">\|kitty\((\d+)\.(\d+)", name)
    if kitty is not None:
        return (int(kitty[1]), int(kitty[2])) >= _PLACES_SINCE
    return name.startswith(">|ghostty")


def chosen() -> Way:
    """The way that was settled."""
    return _chosen


def draws() -> bool:
    """False when pictures are shown as text only."""
    return _chosen != "none"


def cell() -> tuple[int, int]:
    """Pixels of a character, wide and high, as it is now: people make letters larger and smaller."""
    global _cell
    if _chosen in ("kitty", "sixel"):
        with contextlib.suppress(OSError, ValueError):  # no terminal, which only tests have
            told = fcntl.ioctl(sys.__stdout__ or 1, termios.TIOCGWINSZ, bytes(8))
            lines, columns, wide, high = struct.unpack("HHHH", told)
            if lines and columns and wide >= columns and high >= lines:
                _cell = wide // columns, high // lines
    return _cell


def slow() -> bool:
    """Whether lines with pictures take long to come to the screen: they are none for while everything moves."""
    return _chosen == "sixel"


def stages(columns: int, *, moving: bool) -> list[Stage]:
    """How a small picture so many characters wide is drawn, first quickly, then better; not at all without stages.

    While everything `moving` is about to go again, quickly is good enough: better ones cost time, and bytes on the way
    to the terminal.
    """
    if _chosen == "none":
        return []
    found = [Stage("blocks", False)]
    if _chosen in ("kitty", "sixel") and not moving:
        large = columns * _cell[0] > _BLURRED
        if _chosen == "kitty" or not large:
            found.append(Stage(_chosen, False))
        if large:
            found.append(Stage(_chosen, True))
    return found


def drawn(way: Way, image: Image.Image, columns: int, lines: int, ground: Ground) -> Drawn:
    """The picture in the middle of a field of characters. May be called in any thread."""
    if way == "kitty":
        from tui.widgets import kitty_lines

        return kitty_lines.drawn(image, columns, lines, ground)
    if way == "sixel":
        from tui.widgets import sixel_lines

        return sixel_lines.drawn(image, columns, lines, ground, _colors)
    from tui.widgets import half_blocks

    return half_blocks.drawn(image, columns, lines, ground)
