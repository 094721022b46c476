"""What is written can be read: in both looks each text of each room has 4.5 to 1 of contrast to what lies behind it."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from rich.color_triplet import ColorTriplet
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Select

from lumina_fs.cli import main
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.themes import DARK, LIGHT

#: What WCAG 2 asks for of texts.
_LEAST = 4.5
#: No texts: pictures, frames, bars, signs beside a choice.
_DRAWN = frozenset("▀▄█▌▐▎▏▔▁▂▃▅▆▇▊▕│─╭╮╰╯╸╺━┃├└▲▼")


@pytest.fixture
def varied(library: Library, capsys: pytest.CaptureFixture[str]) -> Library:
    """Tags, a problem, duplicates, jobs that ended, plans."""
    shutil.copy2(library.photo("2019/a.jpg", 1), library.root / "copy.jpg")
    library.photo("2019/b.jpg", 2)
    (library.root / "broken.jpg").write_bytes(b"no picture")
    library.scan()
    library.curate("2019/b.jpg", tags=["people/anna", "beach"], rating=3)
    library.scan()
    at = ["--catalog", str(library.root)]
    for words in (["duplicates", "find"], ["source", "set", "main", "--managed", "yes"], ["plan", "propose", "YYYY"]):
        assert main([*words, *at]) in (0, 3), capsys.readouterr().err
    capsys.readouterr()
    return library


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
async def test_every_text_of_every_room_can_be_read(varied: Library, theme: str) -> None:
    async with app_on(varied, size=(120, 40)) as pilot:
        pilot.app.theme = theme
        for keys in ("1", "2", "f", "escape i", "i v", "3", "tab", "4", "enter", "escape 5", "6", "7", "p"):
            await pilot.press(*keys.split())
            await settled(pilot)
            await until(pilot, lambda: not faint(pilot))


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
async def test_a_choice_that_has_the_focus_is_seen(varied: Library, theme: str) -> None:
    async with app_on(varied) as pilot:
        pilot.app.theme = theme
        await pilot.press("7", "p")
        await settled(pilot)
        choice = pilot.app.screen.query_one("ProblemsPane #kind", Select)
        label = choice.query_one("#label")
        before = label.background_colors[1]
        choice.focus()
        await settled(pilot)
        after = label.background_colors[1]
        assert contrast(before.rich_color.get_truecolor(), after.rich_color.get_truecolor()) > 3
        assert not faint(pilot)


@pytest.mark.parametrize("keys", ["2", "3"])
async def test_of_the_other_look_nothing_is_left_around_pictures(varied: Library, keys: str) -> None:
    async with app_on(varied, size=(120, 40)) as pilot:
        pilot.app.theme = DARK.name
        await pilot.press(keys)
        await settled(pilot)
        await until(pilot, lambda: "▀" in text(pilot))
        assert dark_grounds(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: not dark_grounds(pilot))
        assert "▀" in text(pilot)


def dark_grounds(pilot: Pilot[Any]) -> list[str]:
    """Texts that stand on a colour of the dark look."""
    grounds = {Color.parse(str(color)).rgb for color in (DARK.background, DARK.surface, DARK.panel)}
    segments = [one for strip in pilot.app.screen._compositor.render_strips() for one in strip]
    return [
        one.text for one in segments
        if one.style is not None and one.style.bgcolor is not None and one.style.bgcolor.triplet in grounds
    ]  # fmt: skip


def faint(pilot: Pilot[Any]) -> list[str]:
    """Texts of the screen with too little contrast, and how much they have."""
    found = []
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            said = segment.text.strip()
            if said and not set(said) <= _DRAWN and segment.style is not None and (has := of(segment.style)) < _LEAST:
                found.append(f"{said}: {has:.1f}")
    return found


def of(style: Style) -> float:
    """Between letters and what lies behind them."""
    assert style.color is not None
    assert style.bgcolor is not None
    return contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """As WCAG 2 defines it: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: ColorTriplet) -> float:
    """Relative luminance of a colour, 0 to 1."""
    levels = [level / 255 for level in color]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
