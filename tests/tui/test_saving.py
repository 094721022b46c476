"""Saving many changes: some at a time, with a word on how far it is, and stopped by a key."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.viewing import pending
from lumina_fs.viewing.pending import Edit, Outcome
from lumina_fs.viewing.photos import Key
from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tui.photos import curating_screen
from tui.photos.conflict import Conflict
from tui.screens.photos import PhotosScreen

COUNT = 8


@pytest.fixture
def scanned(library: Library) -> Library:
    """Photos, a day each."""
    for number in range(COUNT):
        library.photo(f"a{number}.jpg", number, DateTimeOriginal=f"2019:07:{number + 1:02} 12:00:00")
    library.scan()
    return library


class Held:
    """Batches of three; one is only written when `go` is set, and counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.sizes: list[int] = []
        monkeypatch.setattr(curating_screen, "_TOGETHER", 3)
        monkeypatch.setattr(curating_screen, "save_some", self._save)

    def _save(self, catalog: Catalog, edits: Sequence[tuple[Key, Edit]]) -> list[Outcome]:
        self.sizes.append(len(edits))
        assert self.go.wait(60)
        return pending.save_some(catalog, edits)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def photos(pilot: Pilot[Any]) -> PhotosScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, PhotosScreen)
    return screen


def status(pilot: Pilot[Any]) -> str:
    return str(photos(pilot).query_one("#status", Static).content)


def rated(library: Library, stars: int) -> list[int]:
    """The numbers of the photos that have so many stars on the disk."""
    said = [library.value(f"a{number}.jpg").get("curation", {}) for number in range(COUNT)]
    return [number for number, one in enumerate(said) if one.get("rating") == stars]


async def rate_all(pilot: Pilot[Any], stars: int) -> None:
    await pilot.press("ctrl+a")
    await settled(pilot)
    await pilot.press(f"alt+{stars}")
    await settled(pilot)
    assert len(photos(pilot).open_session.pending) == COUNT


async def test_saving_tells_how_far_it_is_and_writes_some_at_a_time(scanned: Library, held: Held) -> None:
    async with app_on(scanned) as pilot:
        await rate_all(pilot, 3)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: f"saving 0 of {COUNT}, Esc stops" in status(pilot))
        await pilot.press("ctrl+s")
        held.go.set()
        await settled(pilot)
        assert held.sizes == [3, 3, 2]
        assert "saving" not in status(pilot)
        assert "not saved" not in status(pilot)
        assert rated(scanned, 3) == list(range(COUNT))
    assert len(scanned.search("rating:3")) == COUNT


async def test_escape_stops_after_what_is_being_written_and_the_rest_can_be_saved_later(
    scanned: Library, held: Held
) -> None:
    async with app_on(scanned) as pilot:
        await rate_all(pilot, 4)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: held.sizes)
        await pilot.press("escape")
        held.go.set()
        await settled(pilot)
        assert held.sizes == [3]
        assert len(photos(pilot).open_session.pending) == COUNT - 3
        assert len(rated(scanned, 4)) == 3
        assert f"* {COUNT - 3} not saved" in status(pilot)
        assert any("stopped" in toast.message for toast in pilot.app._notifications)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert rated(scanned, 4) == list(range(COUNT))


async def test_what_is_changed_or_discarded_while_saving_counts_for_what_is_not_written_yet(
    scanned: Library, held: Held
) -> None:
    async with app_on(scanned) as pilot:
        await rate_all(pilot, 2)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: held.sizes)
        kept = photos(pilot).open_session.pending
        first, last = next(iter(kept)), list(kept)[-1]
        edit = kept.get(first)
        assert edit is not None
        kept.put(first, Edit(edit.seen, {"rating": 5}))
        kept.discard([last])
        held.go.set()
        await settled(pilot)
        assert held.sizes == [3, 3, 1]
        assert list(kept) == [first]
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert not len(kept)
        assert len(rated(scanned, 2)) == COUNT - 2
        assert len(rated(scanned, 5)) == 1


async def test_what_was_decided_about_conflicts_is_written_together(scanned: Library, held: Held) -> None:
    held.go.set()
    async with app_on(scanned) as pilot:
        await rate_all(pilot, 1)
        for number in (1, 3, 5, 6):
            scanned.curate(f"a{number}.jpg", rating=5)
        await pilot.press("ctrl+s")
        asked: list[object] = []
        for key in ("t", "escape", "M"):
            await until(pilot, lambda: isinstance(pilot.app.screen, Conflict) and pilot.app.screen not in asked)
            asked.append(pilot.app.screen)
            await pilot.press(key)
        await settled(pilot)
        await until(pilot, lambda: "saving" not in status(pilot))
        assert held.sizes == [3, 3, 2, 2]
        assert len(rated(scanned, 1)) == COUNT - 2
        assert len(rated(scanned, 5)) == 2
        assert len(photos(pilot).open_session.pending) == 1


async def test_one_broken_sidecar_leaves_the_others_saved(scanned: Library, held: Held) -> None:
    held.go.set()
    async with app_on(scanned) as pilot:
        await rate_all(pilot, 3)
        broken = scanned.sidecar("a2.jpg")
        whole = broken.read_bytes()
        broken.write_bytes(whole[:-3])
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert len(photos(pilot).open_session.pending) == 1
        assert any("a2.jpg" in toast.message for toast in pilot.app._notifications)
        assert broken.read_bytes() == whole[:-3]
        broken.write_bytes(whole)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert rated(scanned, 3) == list(range(COUNT))
