"""Pictures as half blocks: a terminal is sent what Textual has as segments, in all colours or in those of a palette."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.color import ColorType
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets.half_blocks import lines_of
from tui.widgets.picture_lines import Ground, JoinedLine

_STEP = re.compile(r"\x1b\[([\d;]*)m|([^\x1b])")


def seen(text: str) -> list[tuple[str, str, str]]:
    """Each character as (letter, its colour, the colour behind it), as a terminal would show them."""
    found, letter, ground = [], "", ""
    for codes, character in _STEP.findall(text):
        if character:
            found.append((character, letter, ground))
        elif codes in ("", "0"):
            letter = ground = ""
        else:
            for code in re.findall(r"(?:38|48);(?:2;\d+;\d+;\d+|5;\d+)", codes):
                if code.startswith("38"):
                    letter = code[3:]
                else:
                    ground = code[3:]
    return found


def console(colours: str) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=colours)  # type: ignore[arg-type]


@pytest.fixture
def picture() -> Image.Image:
    """Noise with a plain corner, so that there are runs of one character and of many."""
    data = np.random.default_rng(7).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    data[:20, :30] = (200, 40, 40)
    return Image.fromarray(data)


@pytest.mark.parametrize("few", [False, True])
def test_what_is_sent_shows_what_the_segments_say(picture: Image.Image, few: bool) -> None:
    lines = lines_of(picture, 20, 8, Ground((10, 20, 30), few))
    assert len(lines) == 8
    shown = console("256" if few else "truecolor")
    for line in lines:
        joined = JoinedLine([Segment("<", Style(bold=True)), line, Segment(">")], 22)
        plain = Strip([Segment("<", Style(bold=True)), *line.segments(), Segment(">")], 22)
        assert seen(joined.render(shown)) == seen(plain.render(shown))
        assert list(joined) == list(plain)
        assert joined.cell_length == 22
        assert joined.crop(3, 9).text == plain.crop(3, 9).text


def test_a_plain_line_is_short_and_a_picture_is_half_of_what_each_character_alone_would_take(
    picture: Image.Image,
) -> None:
    plain = lines_of(Image.new("RGB", (40, 40), (8, 16, 24)), 20, 8, Ground((0, 0, 0), False))[3]
    assert (
        plain.sent(console("truecolor")).count("\x1b") == 4
    )  # what is left of it, it, what is right of it, and the end
    noise = lines_of(picture, 30, 10, Ground((0, 0, 0), False))[6]
    assert len(noise.sent(console("truecolor"))) < len(Strip(noise.segments()).render(console("truecolor")))


def test_in_a_terminal_of_256_colours_all_are_of_the_palette_that_these_share(picture: Image.Image) -> None:
    for line in lines_of(picture, 20, 8, Ground((10, 20, 30), True)):
        for segment in line.segments():
            assert segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor):
                assert colour is not None
                assert colour.type is ColorType.EIGHT_BIT
                assert colour.number is not None
                assert colour.number >= 16


def test_the_palette_is_that_of_xterm() -> None:
    for colour, number in (((0, 0, 0), 16), ((255, 255, 255), 231), ((95, 135, 175), 67), ((8, 8, 8), 232)):
        lines = lines_of(Image.new("RGB", (4, 4), colour), 2, 1, Ground(colour, True))
        [segment] = lines[0].segments()
        assert segment.style is not None
        assert segment.style.color is not None
        near = {16: {16, 232}, 231: {231, 255}, 67: {67}, 232: {16, 232}}[number]
        assert segment.style.color.number in near
