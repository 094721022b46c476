"""Another catalog is opened, or none is open: nothing of the one before stays, and nothing waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.launch import Ended
from lumina_fs.viewing.catalogs import CatalogRow, catalog_rows
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.app import LuminaApp
from tui.asking import Choose
from tui.catalog_screen import CatalogScreen
from tui.following import JobsChanged
from tui.photos.full_photo import FullPhoto
from tui.rooms import ROOMS
from tui.screens import catalogs
from tui.screens.photos import PhotosScreen
from tui.screens.tags import TagsScreen
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def scanned(library: Library) -> Library:
    for number in range(3):
        library.photo(f"{number}.jpg", number, Make="Canon", DateTimeOriginal=f"2019:07:1{number} 12:00:00")
    library.scan()
    return library


@pytest.fixture
def other(scanned: Library) -> Library:
    """Another catalog, whose photos have the same paths."""
    found = Library(scanned.root.parent / "other")
    for number in range(3):
        found.photo(f"{number}.jpg", number + 10, Make="Nikon", DateTimeOriginal=f"2020:07:1{number} 12:00:00")
    found.scan()
    return found


def app_of(pilot: Pilot[Any]) -> LuminaApp:
    app = pilot.app
    assert isinstance(app, LuminaApp)
    return app


def photos(pilot: Pilot[Any]) -> PhotosScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, PhotosScreen)
    return screen


def is_open(pilot: Pilot[Any], library: Library) -> bool:
    session = app_of(pilot).session
    return session is not None and session.catalog.path == str(library.root)


async def rated(pilot: Pilot[Any]) -> None:
    """In the room of photos, with a rating that is not saved."""
    await pilot.press("2")
    await settled(pilot)
    await pilot.press("alt+1")
    await settled(pilot)


@pytest.mark.parametrize("room", [name for name in ROOMS if name != "catalogs"])
async def test_without_a_catalog_no_key_of_a_room_does_anything(room: str) -> None:
    async with app_on(None) as pilot:
        app_of(pilot).action_go(room)
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, CatalogScreen)
        assert room == screen.NAME
        for key in list(screen._bindings.key_to_bindings):
            await pilot.press(key)
        await settled(pilot)
        assert pilot.app.screen is screen
        assert "No catalog is open" in text(pilot)


async def test_what_is_not_saved_is_saved_also_when_a_photo_is_on_the_whole_screen(scanned: Library) -> None:
    async with app_on(scanned, size=(80, 24)) as pilot:
        await rated(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, FullPhoto))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        await pilot.press("ctrl+q")  # it is being asked already
        await pilot.pause(0.2)
        assert len([one for one in pilot.app.screen_stack if isinstance(one, Choose)]) == 1
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.return_code == 0)
    assert scanned.value("2.jpg")["curation"] == {"rating": 1}


async def test_of_the_catalog_before_nothing_stays_where_photos_were_shown_last(
    scanned: Library, other: Library
) -> None:
    async with app_on(scanned) as pilot:
        await rated(pilot)
        await pilot.press("space")
        await until(pilot, lambda: photos(pilot).choices)
        before = photos(pilot)
        assert before.selection
        await pilot.press("1")
        await settled(pilot)
        app_of(pilot).open_catalog(Catalog.open(str(other.root)), room="photos")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        await pilot.press("enter")  # they are saved in the room of photos, and so that is the one shown by then
        await until(pilot, lambda: is_open(pilot, other) and isinstance(pilot.app.screen, PhotosScreen))
        await until(pilot, lambda: photos(pilot).choices)
        await settled(pilot)
        assert photos(pilot) is not before
        assert photos(pilot).selection == {}
        assert "Nikon" in str(photos(pilot).choices)
        assert "Canon" not in str(photos(pilot).choices)
    assert scanned.value("2.jpg")["curation"] == {"rating": 1}


async def test_who_opens_a_catalog_from_the_list_gets_into_it_though_they_left_it_there(
    scanned: Library, other: Library
) -> None:
    async with app_on(scanned) as pilot:
        for wanted in (other, scanned, other):
            await pilot.press("1")  # which is remembered as the last room
            await settled(pilot)
            table = pilot.app.screen.query_one("#catalogs", VirtualTable)
            table.cursor = next(at for at in range(table.total) if str(wanted.root) in str(table.row(at)))
            await settled(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, PhotosScreen))
            await settled(pilot)
            assert is_open(pilot, wanted)


async def test_work_that_ends_when_another_catalog_is_open_is_told_and_does_nothing(
    scanned: Library, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    async with app_on(scanned) as pilot:
        app = app_of(pilot)
        await pilot.press("5")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, TagsScreen)
        monkeypatch.setattr(LuminaApp, "_say_done", lambda *told: ended.append("told"))

        def then(end: Ended) -> None:
            ended.append("done")
            screen.load()

        app.start(["status"], then)
        app.open_catalog(Catalog.open(str(other.root)), room="tags")
        await until(pilot, lambda: ended and is_open(pilot, other))
        await settled(pilot)
        assert ended == ["told"]
        app.start(["status"], lambda end: ended.append("done"))
        await until(pilot, lambda: ended == ["told", "done"])


async def test_nobody_goes_elsewhere_while_screens_are_made_anew(
    scanned: Library, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_on(scanned) as pilot:
        app = app_of(pilot)
        for key in "134567":
            await pilot.press(key)
            await settled(pilot)
        remove: Callable[[Any, str], Any] = LuminaApp.remove_mode

        def clicked(self: LuminaApp, mode: str) -> Any:
            self.action_go("jobs")  # a click on the bar
            self.go_and("audit", "")
            return remove(self, mode)

        monkeypatch.setattr(LuminaApp, "remove_mode", clicked)
        app.open_catalog(Catalog.open(str(other.root)), room="plans")
        await until(pilot, lambda: is_open(pilot, other) and app.current_mode == "plans")
        await settled(pilot)
        assert app.current_mode == "plans"


async def test_the_list_of_catalogs_is_read_to_its_end_however_often_a_job_tells_of_itself(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, read = threading.Event(), 0

    def slow() -> list[CatalogRow]:
        nonlocal read
        read += 1
        go_on.wait(30)
        return catalog_rows()

    async with app_on(scanned) as pilot:
        await pilot.press("1")
        await settled(pilot)
        monkeypatch.setattr(catalogs, "catalog_rows", slow)
        for _ in range(6):
            app_of(pilot).changes.publish(JobsChanged((), ()))
            pilot.app.screen.load()  # type: ignore[attr-defined]
            await pilot.pause(0.05)
        assert read == 1
        go_on.set()
        await settled(pilot)
        assert read == 2  # once more, for what was told meanwhile
