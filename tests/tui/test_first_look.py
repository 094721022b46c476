"""What a start shows before the index has answered: the photos that were there when somebody looked last."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from lumina_fs.errors import NeedsIndex
from lumina_fs.viewing import photos
from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tui.app import LuminaApp
from tui.screens.photos import PhotosScreen


@pytest.fixture
def looked(library: Library) -> Library:
    """Three photos that somebody looked at."""
    for number in range(3):
        library.photo(f"a{number}.jpg", number, DateTimeOriginal=f"2019:07:{number + 1:02} 12:00:00")
    library.scan()

    async def look() -> None:
        async with app_on(library):
            pass

    asyncio.run(look())
    return library


class Held:
    """The first question to the index waits until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> None:
        self.go = threading.Event()
        asked = photos.first_page

        def first_page(*args: Any) -> Any:
            assert self.go.wait(60)
            if fails:
                raise NeedsIndex(fails)
            return asked(*args)

        monkeypatch.setattr(photos, "first_page", first_page)


@asynccontextmanager
async def started(library: Library, held: Held) -> AsyncIterator[tuple[Pilot[Any], PhotosScreen]]:
    """The app that just started, while the index does not answer."""
    app = LuminaApp(Catalog.open(str(library.root)))
    async with app.run_test(size=(100, 30)) as pilot:
        try:
            await until(pilot, lambda: isinstance(app.screen, PhotosScreen))
            assert isinstance(app.screen, PhotosScreen)
            yield pilot, app.screen
        finally:
            held.go.set()
            await settled(pilot)
            await app.close_session()


def shown(screen: PhotosScreen) -> list[str]:
    return [one.hit.path for _, one in sorted(screen.listing.kept(), key=lambda pair: pair[0])]


async def test_photos_of_the_last_look_are_there_before_the_index_answers(
    looked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    async with started(looked, held) as (pilot, screen):
        await until(pilot, lambda: shown(screen) == ["a2.jpg", "a1.jpg", "a0.jpg"])
        assert screen.listing.order is None
        held.go.set()
        await until(pilot, lambda: screen.listing.order is not None)
        assert shown(screen) == ["a2.jpg", "a1.jpg", "a0.jpg"]


async def test_what_changed_since_is_right_as_soon_as_the_index_answers(
    looked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked.photo("a3.jpg", 3, DateTimeOriginal="2019:07:09 12:00:00")
    (looked.root / "a0.jpg").unlink()
    looked.sidecar("a0.jpg").unlink()
    looked.scan()
    held = Held(monkeypatch)
    async with started(looked, held) as (pilot, screen):
        await until(pilot, lambda: shown(screen) == ["a2.jpg", "a1.jpg", "a0.jpg"])
        held.go.set()
        await until(pilot, lambda: screen.listing.order is not None)
        assert shown(screen) == ["a3.jpg", "a2.jpg", "a1.jpg"]


async def test_where_the_index_cannot_answer_nothing_old_stays(
    looked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch, fails="the index is away")
    async with started(looked, held) as (pilot, screen):
        await until(pilot, lambda: len(shown(screen)) == 3)
        held.go.set()
        await until(pilot, lambda: screen.problem != "")
        await until(pilot, lambda: shown(screen) == [])
        assert screen.grid.total == 0


async def test_after_the_start_other_questions_wait_for_the_index(
    looked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_on(looked) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PhotosScreen)
        held = Held(monkeypatch)
        screen.ask_for("a1")
        await pilot.pause()
        assert len(shown(screen)) == 3
        held.go.set()
        await until(pilot, lambda: shown(screen) == ["a1.jpg"])


async def test_what_is_shown_is_kept_when_it_is_left_not_with_each_question(looked: Library) -> None:
    kept = looked.root / ".lumina/cache/last-look-v1.json"
    before = kept.read_bytes()
    async with app_on(looked) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PhotosScreen)
        for query in ("a1", "a2"):
            screen.ask_for(query)
            await settled(pilot)
            assert shown(screen) == [f"{query}.jpg"]
        assert kept.read_bytes() == before
        await pilot.press("2")
        await until(pilot, lambda: kept.read_bytes() != before)
        assert orjson.loads(kept.read_bytes())["query"] == "a2"
