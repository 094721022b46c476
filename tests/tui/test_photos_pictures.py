"""What the screen of photos looks like at two sizes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tests.tui.snapshots import check
from tests.tui.test_photos import photos
from tui.photos.full_photo import FullPhoto
from tui.screens.photos import PhotosScreen
from tui.widgets.picture_lines import Lines
from tui.widgets.thumbnails import Wanted

SIZES = [(80, 24), (200, 60)]


@pytest.fixture
def scanned(postgres: str) -> Iterator[Library]:
    base = Path(tempfile.mkdtemp(prefix="lumina-snap-"))
    library = Library(base / "library")
    library.root.mkdir()
    for number in range(14):
        name = f"2019/IMG_{number:04}.jpg"
        exif = {"DateTimeOriginal": f"2019:07:{number + 1:02} 12:00:00", "Make": "Canon", "Model": "Canon EOS 5D"}
        library.photo(name, number, (600, 400) if number % 3 else (400, 600), **exif)
    library.scan()
    library.curate("2019/IMG_0012.jpg", rating=4, label="green", tags=["people/anna"], caption="Two herons")
    library.scan()
    yield library
    shutil.rmtree(base)


async def drawn(pilot: Pilot[Any]) -> None:
    """All thumbnails in sight are there, and the large picture if one is shown."""
    grid = photos(pilot).grid
    form = grid.form

    def there(number: int) -> bool:
        cell = grid.row(number)
        if cell is None:
            return False
        lines: Lines | str | None = grid.pictures.thumbnails.get(
            Wanted(*cell.thumbnail, form.columns - 2, form.picture)
        )
        return lines is not None

    await until(pilot, lambda: all(there(number) for number in grid.in_sight()))
    await settled(pilot)


def large(screen: Any) -> bool:
    """The large picture is there."""
    return any(canvas.display and canvas.image is not None for canvas in screen.query(".canvas"))


@pytest.mark.parametrize("size", SIZES)
async def test_the_grid(scanned: Library, size: tuple[int, int]) -> None:
    async with app_on(scanned, size=size) as pilot:
        await pilot.press("space", "space", "alt+3")
        await settled(pilot)
        await drawn(pilot)
        await check(pilot, "photos-grid")


@pytest.mark.parametrize("size", SIZES)
async def test_the_table_with_filters_or_a_wrong_query(scanned: Library, size: tuple[int, int]) -> None:
    async with app_on(scanned, size=size) as pilot:
        await until(pilot, lambda: photos(pilot).choices)
        await pilot.press("v")
        if size[0] > 100:
            await pilot.press("f")
        photos(pilot).ask_for("camera:canon ratng:4")
        await settled(pilot)
        await check(pilot, "photos-table")


@pytest.mark.parametrize("size", SIZES)
async def test_all_about_one(scanned: Library, size: tuple[int, int]) -> None:
    async with app_on(scanned, size=size) as pilot:
        screen = photos(pilot)
        assert isinstance(screen, PhotosScreen)
        await pilot.press("right", "enter")
        if size[0] > 100:
            await until(pilot, lambda: large(screen))
            await drawn(pilot)
        else:
            await until(pilot, lambda: isinstance(pilot.app.screen, FullPhoto) and large(pilot.app.screen))
        await settled(pilot)
        await check(pilot, "photos-one")
