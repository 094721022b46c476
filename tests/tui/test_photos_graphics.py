"""The grid of photos in a terminal with graphics of its own: each picture is sent once, and none is left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tests.tui.test_photos import photos
from tui.app import LuminaApp
from tui.asking import Keys
from tui.photos.photo_grid import PhotoGrid
from tui.widgets import drawing, thumbnails
from tui.widgets.drawing import Way
from tui.widgets.graphics_canvas import GraphicsCanvas

_NUMBER = re.compile(r"\x1b_Ga=(T|d),[^;\x1b]*i=(\d+)")
_PLACE = "\U0010eeee"
_SLICE = "\x1bP0;1;0q"


class Told:
    """What the terminal is told of pictures, beside what is painted."""

    def __init__(self) -> None:
        self.text = ""

    def _numbers(self, action: str) -> list[str]:
        return [number for found, number in _NUMBER.findall(self.text) if found == action]

    @property
    def came(self) -> list[str]:
        return self._numbers("T")

    @property
    def went(self) -> list[str]:
        return self._numbers("d")

    @property
    def there(self) -> int:
        """Pictures that the terminal has now."""
        assert len(set(self.came)) == len(self.came)
        assert set(self.went) <= set(self.came)
        return len(self.came) - len(self.went)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()

    def tell(app: LuminaApp, text: str) -> None:
        found.text += text

    monkeypatch.setattr(LuminaApp, "tell", tell)
    monkeypatch.setenv("COLORTERM", "truecolor")
    return found


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Callable[[Way], None]:
    """Choose a way that would ask the terminal."""
    monkeypatch.setattr(drawing, "_cell", (10, 20))
    return lambda chosen: monkeypatch.setattr(drawing, "_chosen", chosen)


@pytest.fixture
def scanned(library: Library) -> Library:
    for number in range(40):
        library.photo(f"{number:02}.jpg", number, (300, 200))
    library.scan()
    return library


def grid(pilot: Pilot[Any]) -> PhotoGrid:
    return photos(pilot).grid


def painted(pilot: Pilot[Any]) -> str:
    """What a terminal would get for the whole screen."""
    compositor = pilot.app.screen._compositor
    return compositor.render_full_update().render_segments(pilot.app.console)


async def all_drawn(pilot: Pilot[Any], sign: str) -> None:
    """All pictures in sight are shown in the best way, of which a line has such a sign."""
    form = grid(pilot).form

    def shown() -> bool:
        seen = painted(pilot)
        lines = seen.count(sign) // (form.columns - 2) if sign == _PLACE else seen.count(sign)
        high = min(form.picture, 4)  # a picture may be less high than its field
        return lines >= high * grid(pilot).across

    await until(pilot, shown)
    await settled(pilot)


async def test_pictures_by_kitty_are_sent_once_and_shown_by_text(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("kitty")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _PLACE)
        seen = len(grid(pilot).in_sight())
        await until(pilot, lambda: told.there == seen)
        for key in ("right", "down", "left", "up", "space"):
            await pilot.press(key)
        await settled(pilot)
        assert told.there == seen == len(told.came)
        assert "\x1b_G" not in painted(pilot)
        assert painted(pilot).count(_PLACE) > seen * 20


async def test_a_window_over_pictures_gets_none_of_their_places(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("kitty")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _PLACE)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Keys))
        behind = painted(pilot)
        assert _PLACE not in behind
        assert "▀" in behind
        await pilot.press("escape")
        await all_drawn(pilot, _PLACE)
        assert told.went == []


async def test_what_is_scrolled_past_is_not_sent_and_what_is_not_kept_is_taken_back(
    scanned: Library, told: Told, way: Callable[[Way], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    way("kitty")
    monkeypatch.setattr(thumbnails, "_KEPT", 15 * 150 * 100)
    async with app_on(scanned, size=(110, 22)) as pilot:
        await all_drawn(pilot, _PLACE)
        first = list(told.came)
        assert len(first) < 15
        await pilot.press("end")
        await all_drawn(pilot, _PLACE)
        await until(pilot, lambda: len(told.came) > len(first))
        assert told.there <= 15
        assert told.went


async def test_another_theme_and_a_terminal_that_was_lent_get_all_pictures_again(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("kitty")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _PLACE)
        seen = len(grid(pilot).in_sight())
        await until(pilot, lambda: told.there == seen)
        await pilot.press("f2")
        await until(pilot, lambda: len(told.came) == 2 * seen)
        assert told.there == seen
        pilot.app.app_suspend_signal.publish(pilot.app)
        assert told.there == 0
        pilot.app.app_resume_signal.publish(pilot.app)
        await until(pilot, lambda: len(told.came) == 3 * seen)
        await all_drawn(pilot, _PLACE)


async def test_the_terminal_has_no_picture_left_when_the_app_ends(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("kitty")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _PLACE)
        assert told.there > 0
        await pilot.press("6")
        await settled(pilot)
        pilot.app.exit(0)
        assert told.there == 0


async def test_letters_of_another_size_get_pictures_of_another_size(
    scanned: Library, told: Told, way: Callable[[Way], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    way("kitty")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _PLACE)
        seen = len(grid(pilot).in_sight())
        await until(pilot, lambda: told.there == seen)
        monkeypatch.setattr(drawing, "_cell", (5, 10))
        await pilot.resize_terminal(111, 32)
        await until(pilot, lambda: len(told.came) > seen)
        await all_drawn(pilot, _PLACE)


async def test_large_thumbnails_take_the_place_of_small_ones_where_these_are_blurred(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("kitty")
    async with app_on(scanned, size=(110, 40)) as pilot:
        await pilot.press("plus", "plus")
        seen = len(grid(pilot).in_sight())
        await all_drawn(pilot, _PLACE)
        await until(pilot, lambda: told.there >= 2 * seen)
        large = scanned.root / ".lumina" / "cache" / "thumbnails" / "1024"
        await until(pilot, lambda: len(list(large.glob("*/*.jpg"))) >= seen)


async def test_pictures_by_sixel_are_blocks_while_the_grid_moves(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("sixel")
    async with app_on(scanned, size=(110, 22)) as pilot:
        await all_drawn(pilot, _SLICE)
        await until(pilot, lambda: "▀" not in painted(pilot))
        grid(pilot).scroll_to(y=10, animate=False)
        assert _SLICE not in painted(pilot)
        await all_drawn(pilot, _SLICE)
        assert told.text == ""


async def test_a_window_over_pictures_by_sixel_is_over_half_blocks(
    scanned: Library, told: Told, way: Callable[[Way], None]
) -> None:
    way("sixel")
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, _SLICE)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Keys))
        assert _SLICE not in painted(pilot)
        await pilot.press("escape")
        await all_drawn(pilot, _SLICE)


@pytest.mark.parametrize("chosen", ["kitty", "sixel"])
async def test_without_colours_pictures_are_gray_blocks(
    scanned: Library, told: Told, way: Callable[[Way], None], monkeypatch: pytest.MonkeyPatch, chosen: Way
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    way(chosen)
    async with app_on(scanned) as pilot:
        await until(pilot, lambda: "▀" in painted(pilot))
        await settled(pilot)
        assert _PLACE not in painted(pilot)
        assert _SLICE not in painted(pilot)


@pytest.mark.parametrize(("chosen", "sign"), [("kitty", _PLACE), ("sixel", _SLICE)])
async def test_the_large_picture_goes_the_same_way_one_at_a_time(
    scanned: Library, told: Told, way: Callable[[Way], None], chosen: Way, sign: str
) -> None:
    way(chosen)
    async with app_on(scanned) as pilot:
        await all_drawn(pilot, sign)
        await pilot.press("enter")
        canvas = photos(pilot).query_one(GraphicsCanvas)
        await until(pilot, lambda: canvas._drawn is not None and sign in painted_of(pilot, canvas))
        first = canvas._drawn
        assert first is not None
        assert first.arrives in told.text
        await pilot.press("right")
        await until(pilot, lambda: canvas._drawn not in (None, first) and sign in painted_of(pilot, canvas))
        assert first.leaves in told.text
        pilot.app.exit(0)
        assert canvas._drawn is None
        assert chosen == "sixel" or told.there == 0


def painted_of(pilot: Pilot[Any], canvas: GraphicsCanvas) -> str:
    """What a terminal would get for a canvas."""
    lines = canvas.render_lines(Region(0, 0, canvas.size.width, canvas.size.height))
    assert all(line.cell_length == canvas.size.width for line in lines)
    return "".join(line.render(pilot.app.console) for line in lines)
