"""Pictures by the terminal's own graphics: what is sent for them, what is left of them when lines are cut."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip
from textual_image.renderable.tgp import _NUMBER_TO_DIACRITIC as DIACRITICS
from textual_image.renderable.tgp import _PLACEHOLDER as PLACEHOLDER

from tests.tui.sixel import SLICE, painted
from tui.widgets import drawing, kitty_lines, sixel_lines
from tui.widgets.half_blocks import lines_of
from tui.widgets.picture_lines import Drawn, Ground, JoinedLine

GROUND = Ground((10, 20, 30), False, (8, 15))
_MESSAGE = re.compile(r"\x1b_G([^;\x1b]*);([A-Za-z0-9+/=]*)\x1b\\")
_PLACE = re.compile(f"{chr(PLACEHOLDER)}(.)(.)")
CONSOLE = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")


@pytest.fixture
def picture() -> Image.Image:
    """150 by 100 pixels of noise and a plain corner."""
    data = np.random.default_rng(3).integers(0, 255, (100, 150, 3), dtype=np.uint8)
    data[:50, :70] = (200, 40, 40)
    return Image.fromarray(data)


def places(text: str) -> list[tuple[int, int]]:
    """Row and column of each place for a part of a picture."""
    return [(DIACRITICS.index(ord(row)), DIACRITICS.index(ord(column))) for row, column in _PLACE.findall(text)]


def by_kitty(picture: Image.Image) -> Drawn:
    return kitty_lines.drawn(picture, 20, 8, GROUND)


def by_sixel(picture: Image.Image, colors: int = 256) -> Drawn:
    return sixel_lines.drawn(picture, 20, 8, GROUND, colors)


def test_kitty_gets_the_whole_picture_in_messages_of_a_size_that_it_takes(picture: Image.Image) -> None:
    messages = _MESSAGE.findall(by_kitty(picture).arrives)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in messages) == by_kitty_again(picture, messages)
    assert len(messages) > 5
    assert all(len(data) <= 4096 for _, data in messages)
    assert re.fullmatch(r"a=T,U=1,f=100,i=\d+,c=20,r=8,q=2,m=1", messages[0][0])
    assert [keys for keys, _ in messages[1:]] == ["q=2,m=1"] * (len(messages) - 2) + ["q=2,m=0"]
    with Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in messages)))) as sent:
        assert sent.format == "PNG"
        assert sent.convert("RGB").tobytes() == picture.tobytes()


def by_kitty_again(picture: Image.Image, messages: list[tuple[str, str]]) -> str:
    """The same picture under the number that these messages have."""
    number = re.search(r"i=(\d+)", messages[0][0])
    assert number is not None
    return re.sub(r"i=\d+", number[0], by_kitty(picture).arrives)


def test_kitty_never_gets_more_pixels_than_there_are_to_show(picture: Image.Image) -> None:
    large = picture.resize((1500, 1000))
    data = "".join(data for _, data in _MESSAGE.findall(by_kitty(large).arrives))
    with Image.open(io.BytesIO(base64.b64decode(data))) as sent:
        assert sent.size == (160, 107)  # of 20 x 8 pixels by 8 x 15


def test_a_line_by_kitty_names_row_and_column_of_each_of_its_characters(picture: Image.Image) -> None:
    drawn = by_kitty(picture)
    number = re.search(r"i=(\d+)", drawn.arrives)
    assert number is not None
    value = int(number[1])
    for row, line in enumerate(drawn.lines):
        text = line.sent(CONSOLE)
        assert places(text) == [(row, column) for column in range(20)]
        color = f"38;2;{value >> 16};{value >> 8 & 255};{value & 255};48;2;10;20;30"
        assert text.startswith(f"\x1b[{color}m")
        assert text.endswith("\x1b[0m")
        assert line.cells == 20
    assert drawn.leaves == f"\x1b_Ga=d,d=I,i={value},q=2\x1b\\"
    assert 256 <= value < 1 << 24


def test_pictures_by_kitty_have_numbers_of_their_own(picture: Image.Image) -> None:
    assert len({by_kitty(picture).leaves for _ in range(50)}) == 50


def test_what_is_cut_from_a_line_by_kitty_shows_its_own_part(picture: Image.Image) -> None:
    line = by_kitty(picture).lines[3]
    joined = JoinedLine([Segment("<<"), line, Segment(">>"), line], 44)
    assert places(joined.render(CONSOLE)) == [(3, column) for column in range(20)] * 2
    assert places(joined.crop(5, 30).render(CONSOLE)) == [(3, c) for c in range(3, 20)] + [(3, c) for c in range(6)]
    left, middle, right = joined.divide([4, 34, 44])
    assert places(left.render(CONSOLE)) == [(3, 0), (3, 1)]
    assert places(middle.render(CONSOLE)) == [(3, c) for c in range(2, 20)] + [(3, c) for c in range(10)]
    assert ">>" in middle.render(CONSOLE)
    assert places(right.crop(2, 6).render(CONSOLE)) == [(3, c) for c in range(12, 16)]
    assert [part.cell_length for part in (left, middle, right)] == [4, 30, 10]


@pytest.mark.parametrize("way", [by_kitty, by_sixel])
def test_who_wants_another_look_of_a_line_gets_half_blocks(
    way: Callable[[Image.Image], Drawn], picture: Image.Image
) -> None:
    drawn = way(picture)
    blocks = lines_of(picture, 20, 8, GROUND)
    for line, block in zip(drawn.lines, blocks, strict=True):
        assert line.segments() == block.segments()
        joined = JoinedLine([Segment("<"), line], 21)
        assert list(joined) == [Segment("<"), *block.segments()]
        assert list(joined.crop(4, 9)) == list(Strip(block.segments(), 20).crop(3, 8))


@pytest.mark.parametrize("size", [(150, 100), (60, 150), (150, 40), (7, 150), (150, 3), (1024, 768)])
def test_slices_by_sixel_are_the_picture(picture: Image.Image, size: tuple[int, int]) -> None:
    image = picture.resize(size)
    drawn = by_sixel(image)
    slices = [painted(line.slice) for line in drawn.lines if isinstance(line, sixel_lines.SlicedLine) and line.slice]
    whole = np.concatenate([one.pixels[: one.height] for one in slices])
    scale = min(160 / size[0], 120 / size[1])
    assert whole.shape == (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)), 3)
    assert (whole >= 0).all()
    assert all((one.pixels[one.height :] < 0).all() for one in slices)  # nothing in the line below
    assert all(one.clear and one.told_first and one.height <= 15 for one in slices)
    shown = image.resize(whole.shape[1::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
    assert np.abs(whole - np.asarray(shown).astype(int)).mean() < 25  # noise in few colours


@pytest.mark.parametrize("colors", [2, 16, 100])
def test_pictures_by_sixel_have_no_more_colours_than_the_terminal(picture: Image.Image, colors: int) -> None:
    for line in by_sixel(picture, colors).lines:
        assert isinstance(line, sixel_lines.SlicedLine)
        assert not line.slice or painted(line.slice).colors <= colors


def test_a_line_by_sixel_erases_its_field_paints_and_leaves_the_cursor_behind_it(picture: Image.Image) -> None:
    line = by_sixel(picture.resize((60, 150))).lines[2]  # 48 pixels wide, in the middle of 160
    text = line.sent(CONSOLE)
    found = SLICE.search(text)
    assert found is not None
    assert text[: found.start()] == f"\x1b7\x1b[48;2;10;20;30m{' ' * 20}\x1b[0m\x1b8\x1b[7C"
    assert text[found.end() :] == "\x1b8\x1b[20C"
    below = by_sixel(picture.resize((150, 40))).lines[7]
    assert below.sent(CONSOLE) == f"\x1b[48;2;10;20;30m{' ' * 20}\x1b[0m"


def test_what_is_cut_from_a_line_by_sixel_is_half_blocks_and_what_is_whole_stays(picture: Image.Image) -> None:
    line = by_sixel(picture).lines[3]
    assert isinstance(line, sixel_lines.SlicedLine)
    block = lines_of(picture, 20, 8, GROUND)[3]
    joined = JoinedLine([line, Segment("|"), line], 41)
    assert joined.crop(0, 21).render(CONSOLE) == line.sent(CONSOLE) + "|"
    cut = joined.crop(0, 30).render(CONSOLE)
    assert cut == line.sent(CONSOLE) + "|" + block.cropped(0, 9).sent(CONSOLE)


def test_old_terminals_that_would_show_letters_in_place_of_pictures_are_known() -> None:
    for name in (">|kitty(0.28.0)", ">|kitty(0.41.1)", ">|kitty(1.0.0)", ">|ghostty 1.2.0"):
        assert drawing._has_places(name), name
    for name in ("", ">|kitty(0.26.5)", ">|WezTerm 20240203", ">|Konsole 23.08", ">|tmux 3.4", ">|XTerm(379)"):
        assert not drawing._has_places(name), name


def test_better_pictures_follow_what_is_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_cell", (10, 20))
    stages = drawing.stages
    drawing.choose("none")
    assert stages(22, moving=False) == []
    drawing.choose("blocks")
    assert stages(50, moving=False) == [("blocks", False)]
    for way in ("kitty", "sixel"):
        monkeypatch.setattr(drawing, "_chosen", way)
        assert stages(22, moving=False) == [("blocks", False), (way, False)]
        assert stages(50, moving=False)[-1] == (way, True)
        assert stages(50, moving=True) == [("blocks", False)]
