"""The app as a whole: it opens, moves between screens, and remembers."""

from __future__ import annotations

import pytest

from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.app import LuminaApp
from tui.asking import Keys
from tui.following import JobsChanged
from tui.rooms import ROOMS
from tui.widgets.key_bar import KeyBar
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.photo("2019/b.jpg", 2, DateTimeOriginal="2019:07:15 12:00:00")
    library.scan()
    return library


async def test_without_a_catalog_the_list_of_catalogs_is_shown() -> None:
    async with app_on(None) as pilot:
        assert pilot.app.screen.NAME == "catalogs"  # type: ignore[attr-defined]


async def test_a_catalog_is_listed_with_its_numbers(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        app = pilot.app
        assert isinstance(app, LuminaApp)
        app.action_go("catalogs")
        await settled(pilot)
        text = app.export_screenshot()
        assert "library" in text


async def test_a_catalog_is_opened_from_the_list_and_every_screen_is_reached_by_its_number(scanned: Library) -> None:
    async with app_on(None) as pilot:
        app = pilot.app
        assert isinstance(app, LuminaApp)
        table = app.screen.query_one(VirtualTable)
        wanted = next(n for n in range(table.total) if str(scanned.root) in str(table.row(n)))
        for _ in range(wanted):
            await pilot.press("down")
        await pilot.press("enter")
        await settled(pilot)
        assert app.session is not None
        assert app.session.catalog.path == str(scanned.root)
        for key, name in zip("1234567", ROOMS, strict=True):
            await pilot.press(key)
            await settled(pilot)
            assert name == app.screen.NAME  # type: ignore[attr-defined]


async def test_the_screen_that_was_left_is_shown_again_at_the_next_start(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("4")
        await settled(pilot)
    async with app_on(scanned) as pilot:
        assert pilot.app.screen.NAME == "plans"  # type: ignore[attr-defined]


async def test_at_80_columns_what_runs_is_told_and_the_names_of_other_screens_give_way(scanned: Library) -> None:
    async with app_on(scanned, size=(80, 24)) as pilot:
        assert "4 Plans" in text(pilot)
        app = pilot.app
        assert isinstance(app, LuminaApp)
        app.trouble = "scan 43% 2 min 10 s left"
        app.changes.publish(JobsChanged((), ()))
        await until(pilot, lambda: "scan 43% 2 min 10 s left  library" in text(pilot))
        assert "Photos]" in text(pilot)
        assert "4 Plans" not in text(pilot)


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_help_and_palette_are_seen_in_the_last_line_however_narrow_it_is(scanned: Library, width: int) -> None:
    async with app_on(scanned, size=(width, 24)) as pilot:
        for room in "1234567":
            await pilot.press(room)
            await settled(pilot)
            line = text(pilot).splitlines()[-1]
            assert "? Keys" in line, room
            assert "^p palette" in line, room
            assert len(line) == width


async def test_a_click_on_a_key_in_the_last_line_is_that_key(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("2")
        await settled(pilot)
        at = text(pilot).splitlines()[-1].index("Keys")
        await pilot.click(KeyBar, offset=(at, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, Keys))


async def test_the_palette_names_each_action_once_with_all_its_keys(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        app = pilot.app
        await pilot.press("6")
        await settled(pilot)
        commands = list(app.get_system_commands(app.screen))
        titles = [command.title for command in commands]
        assert sorted(set(titles)) == sorted(titles)
        [down] = [command for command in commands if command.title == "Down"]
        assert down.help == "keys: ↓ j"
        [theme] = [command for command in commands if "Theme" in command.title]
        theme.callback()
        await until(pilot, lambda: app.theme == "lumina-light")
