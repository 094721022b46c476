"""What leads out of the screen of photos, the mouse, the palette, and themes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.photos.full_photo import FullPhoto
from tui.photos.photo_grid import PhotoGrid
from tui.screens.photos import PhotosScreen
from tui.widgets.thumbnails import Wanted


@pytest.fixture
def scanned(library: Library) -> Library:
    """Eight photos, a day each."""
    for number in range(8):
        library.photo(f"2019/a{number}.jpg", number, DateTimeOriginal=f"2019:07:{number + 1:02} 12:00:00")
    library.scan()
    return library


def photos(pilot: Pilot[Any]) -> PhotosScreen:
    """The screen that is shown."""
    assert isinstance(pilot.app.screen, PhotosScreen)
    return pilot.app.screen


def told_of(pilot: Pilot[Any], words: str) -> bool:
    """True where a toast has these words."""
    return any(words in f"{toast.title} {toast.message}" for toast in pilot.app._notifications)


async def test_the_original_is_shown_by_the_viewer_of_the_system(
    scanned: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    viewer = tmp_path / "bin/xdg-open"
    viewer.parent.mkdir()
    viewer.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}\n')
    viewer.chmod(0o755)
    monkeypatch.setenv("PATH", f"{viewer.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with app_on(scanned) as pilot:
        await pilot.press("down", "o")
        await until(pilot, lambda: told_of(pilot, "No display here"))
        assert told_of(pilot, "2019/a")
        assert not told.exists()
        monkeypatch.setenv("DISPLAY", ":none")
        await pilot.press("o")
        await settled(pilot)
        here = photos(pilot).current()
        assert here is not None
        assert told.read_text() == str(scanned.root / here.hit.path)
        viewer.write_text("#!/bin/sh\nexit 3\n")
        await pilot.press("o")
        await until(pilot, lambda: told_of(pilot, "ended with 3"))


async def test_the_path_goes_to_the_clipboard(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("y")
        await until(pilot, lambda: pilot.app.clipboard)
        assert pilot.app.clipboard == str(scanned.root / "2019/a7.jpg")


async def test_in_the_grid_a_click_takes_the_cursor_selects_and_opens(scanned: Library) -> None:
    async with app_on(scanned, size=(100, 40)) as pilot:
        screen = photos(pilot)
        form = screen.grid.form

        def place(number: int) -> tuple[int, int]:
            row, column = divmod(number, screen.grid.across)
            return column * form.columns + 3, row * form.lines + 2

        await pilot.click(PhotoGrid, offset=place(2))
        assert screen.at == 2
        await pilot.click(PhotoGrid, offset=place(1), control=True)
        assert (screen.at, len(screen.selection)) == (1, 1)
        await pilot.click(PhotoGrid, offset=place(3), shift=True)
        await settled(pilot)
        assert (screen.at, len(screen.selection)) == (3, 3)
        await pilot.click(PhotoGrid, offset=place(5), times=2)
        await settled(pilot)
        assert screen.at == 5
        await until(pilot, lambda: "Dates" in text(pilot))


async def test_values_beside_a_scroll_bar_are_broken_beside_their_names(library: Library) -> None:
    library.photo("a.jpg", 1, DateTimeOriginal="2008:07:30 09:00:00", DateTime="2008:07:31 17:32:06")
    library.scan()
    async with app_on(library, size=(80, 36)) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: "EXIF:ModifyDate" in text(pilot))
        await settled(pilot)
        lines = text(pilot).splitlines()
        [at] = [number for number, line in enumerate(lines) if "EXIF:ModifyDate" in line]
        assert lines[at + 1].startswith(" " * 10), lines[at : at + 3]


async def test_a_photo_is_shown_however_long_its_screen_takes_to_be_made(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = FullPhoto.on_mount

    async def late(self: FullPhoto) -> None:
        await asyncio.sleep(0.5)  # a slow machine; by now the cursor has come to rest
        made(self)

    monkeypatch.setattr(FullPhoto, "on_mount", late)
    library.photo("a.jpg", 1)
    library.scan()
    async with app_on(library, size=(80, 36)) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: "1 of 1  a.jpg" in text(pilot) and "File" in text(pilot))


async def test_the_palette_has_every_action_of_the_screen(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        shown = [one.binding for one in pilot.app.screen.active_bindings.values() if one.binding.description]
        for binding in shown:
            if not binding.action.startswith(("go(", "command_palette")):
                assert (binding.tooltip or binding.description) in offered, binding
        assert {"Go to Duplicates", "Scan now: look at what is new in all sources"} <= offered
        await pilot.press("ctrl+p", *"grid/table", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PhotosScreen))  # not at once
        await until(pilot, lambda: photos(pilot).view is photos(pilot).table)


async def test_another_theme_draws_the_pictures_on_its_own_ground(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        grid = photos(pilot).grid

        def ground() -> bytes | None:
            cell = grid.row(0)
            assert cell is not None
            lines = grid.pictures.thumbnails.get(Wanted(*cell.thumbnail, grid.form.columns - 2, grid.form.picture))
            return lines[-1].lower[-3:] if isinstance(lines, list) else None

        await until(pilot, lambda: ground() == bytes(grid.background_colors[1].rgb))
        dark = ground()
        await pilot.press("f2")
        await until(pilot, lambda: ground() not in (None, dark))
        assert ground() == bytes(grid.background_colors[1].rgb)
