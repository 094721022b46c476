"""The list of catalogs: how each stands, making one, sources, forgetting and deleting."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, Select

from lumina_fs.catalog import Catalog
from lumina_fs.durable import Disk
from lumina_fs.known_catalogs import forget, known_catalogs
from tests.conftest import Library
from tests.tui.driving import app_on, judged, settled, text, until
from tests.tui.snapshots import check
from tui.asking import Choose
from tui.catalogs import catalog_rows
from tui.forms import Form
from tui.screens import catalogs
from tui.screens.catalogs import CatalogsScreen
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture(autouse=True)
def _an_empty_list() -> None:
    for known in known_catalogs():
        forget(Disk(), known.path)


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.photo("2019/b.jpg", 2, DateTimeOriginal="2019:07:15 12:00:00")
    (library.root / "broken.jpg").write_bytes(b"nothing")
    library.scan()
    return library


def screen_of(pilot: Pilot[Any]) -> CatalogsScreen:
    screen = pilot.app.screen
    assert isinstance(screen, CatalogsScreen)
    return screen


def row_of(pilot: Pilot[Any], number: int = 0) -> list[str]:
    row = pilot.app.screen.query_one("#catalogs", VirtualTable).row(number)
    assert row is not None
    return [cell if isinstance(cell, str) else cell.text for cell in row]


def messages(pilot: Pilot[Any]) -> list[str]:
    return [one.message for one in pilot.app._notifications]


async def on_list(pilot: Pilot[Any]) -> CatalogsScreen:
    await pilot.press("1")
    await settled(pilot)
    return screen_of(pilot)


async def form(pilot: Pilot[Any], key: str) -> Form:
    await pilot.press(key)
    return await judged(pilot)


async def test_a_catalog_is_shown_with_its_numbers_state_problems_and_sources(scanned: Library) -> None:
    async with app_on(scanned, size=(140, 32)) as pilot:
        screen = await on_list(pilot)
        name, images, videos, _, scan, problems, state, path = row_of(pilot)
        assert (name, images, videos, problems, state, path) == (
            "library (open)", "3", "0", "1", "idle", str(scanned.root),
        )  # fmt: skip
        assert scan.startswith("20")
        source = screen.query_one("#sources", VirtualTable).row(0)
        assert source is not None
        assert source[:2] == ("main", "referenced")
        assert "online" in str(source[2])
        assert source[3] == "3"
        assert source[4]


async def test_the_numbers_follow_a_scan_that_ended_while_another_screen_was_shown(scanned: Library) -> None:
    async with app_on(scanned, size=(140, 32)) as pilot:
        screen = await on_list(pilot)
        assert row_of(pilot)[1] == "3"
        await pilot.press("6")
        await settled(pilot)
        scanned.photo("later.jpg", 77)
        scanned.scan()
        await until(pilot, lambda: screen._stale)
        await pilot.press("1")
        await until(pilot, lambda: pilot.app.screen is screen and row_of(pilot)[1] == "4")


async def test_without_a_catalog_only_keys_that_do_something_are_named(postgres: str) -> None:
    async with app_on(None, size=(80, 24)) as pilot:
        await settled(pilot)
        last = text(pilot).splitlines()[-1]
        assert "New" in last
        assert not any(word in last for word in ("Open", "Scan", "Add source", "Forget", "Delete"))


async def test_an_offline_source_is_told_in_words(scanned: Library, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    with Catalog.open(str(scanned.root)) as catalog:
        catalog.add_source(str(card))
    shutil.rmtree(card)
    async with app_on(scanned, size=(140, 32)) as pilot:
        screen = await on_list(pilot)
        assert "card offline" in row_of(pilot)[6]
        assert "offline" in str(screen.query_one("#sources", VirtualTable).row(0))


async def test_a_catalog_is_made_scanned_and_opened(tmp_path: Path, postgres: str) -> None:
    folder, card = Library(tmp_path / "pictures"), Library(tmp_path / "card")
    folder.photo("a.jpg", 1)
    card.photo("b.jpg", 2)
    async with app_on(None) as pilot:
        dialog = await form(pilot, "n")
        dialog.query_one("#field-folder", Input).value = str(folder.root)
        dialog.query_one("#field-name", Input).value = "Holidays"
        dialog.query_one("#field-managed", Checkbox).value = True
        dialog.query_one("#field-further Input", Input).value = str(card.root)
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pilot.app.session is not None)  # type: ignore[attr-defined]
        catalog = pilot.app.session.catalog  # type: ignore[attr-defined]
        assert (catalog.name, catalog.path) == ("Holidays", str(folder.root))
        assert {source.path: source.managed for source in catalog.sources()} == {
            str(folder.root): True, str(card.root): False,
        }  # fmt: skip
        await until(pilot, lambda: folder.sidecar("a.jpg").exists() and card.sidecar("b.jpg").exists())
        await until(pilot, lambda: not [job for job in pilot.app.jobs if job.alive])  # type: ignore[attr-defined]
        await settled(pilot)
        assert pilot.app.screen.NAME == "jobs"  # type: ignore[attr-defined]


async def test_what_is_typed_is_checked_at_once(scanned: Library, tmp_path: Path) -> None:
    async with app_on(None) as pilot:
        dialog = await form(pilot, "n")
        folder, accept = dialog.query_one("#field-folder", Input), dialog.query_one("#accept", Button)

        async def told(value: str) -> str:
            folder.value = value
            await judged(pilot)
            return str(dialog.query_one("#wrong").render())

        assert "there is no folder" in await told(str(tmp_path / "nowhere"))
        assert accept.disabled
        await pilot.press("ctrl+s")
        await judged(pilot)
        assert pilot.app.screen is dialog
        assert "lies in the catalog library" in await told(str(scanned.root / "2019"))
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        assert await told(str(fresh)) == ""
        assert not accept.disabled
        dialog.query_one("#field-further Input", Input).value = str(fresh / "inner")
        (fresh / "inner").mkdir()
        await judged(pilot)
        assert "overlaps" in await told(str(fresh))
        await pilot.press("escape")
        await settled(pilot)
        assert not (fresh / ".lumina").exists()


async def test_a_folder_is_completed_with_tab(tmp_path: Path, postgres: str) -> None:
    (tmp_path / "Bilder").mkdir()
    (tmp_path / "Bad\x1b]0;x\x07").mkdir()
    async with app_on(None) as pilot:
        dialog = await form(pilot, "n")
        folder = dialog.query_one("#field-folder", Input)
        folder.value = str(tmp_path / "B")
        await until(pilot, lambda: folder._suggestion)
        await pilot.press("end", "tab")
        assert folder.value == f"{tmp_path}/Bilder/"
        assert folder.has_focus
        await judged(pilot)
        await pilot.press("tab")
        assert not folder.has_focus


async def test_sources_are_added_made_managed_and_removed(scanned: Library, tmp_path: Path) -> None:
    card = Library(tmp_path / "card")
    card.photo("x.jpg", 8)
    async with app_on(scanned) as pilot:
        await on_list(pilot)
        dialog = await form(pilot, "a")
        dialog.query_one("#field-folder", Input).value = str(scanned.root / "2019")
        await judged(pilot)
        assert "overlaps" in str(dialog.query_one("#wrong").render())
        dialog.query_one("#field-folder", Input).value = str(card.root)
        dialog.query_one("#field-scan", Checkbox).value = False
        await judged(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        sources = pilot.app.screen.query_one("#sources", VirtualTable)
        await until(pilot, lambda: sources.total == 2)
        sources.focus()
        await pilot.press("home", "m")
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: "managed" in str(sources.row(0)))
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: sources.total == 1)
        await settled(pilot)
    with Catalog.open(str(scanned.root)) as catalog:
        assert [source.name for source in catalog.sources()] == ["main"]
    assert (card.root / "x.jpg").exists()


async def test_a_catalog_whose_document_is_a_link_is_told_and_not_opened(scanned: Library, tmp_path: Path) -> None:
    document = scanned.root / ".lumina/catalog.json"
    document.rename(tmp_path / "elsewhere.json")
    document.symlink_to(tmp_path / "elsewhere.json")
    async with app_on(None, size=(140, 32)) as pilot:
        assert row_of(pilot)[6] == "problem"
        for key in ("enter", "s"):
            await pilot.press(key)
            await settled(pilot)
            assert messages(pilot)[-1].endswith(f"'{document}'")
        assert pilot.app.session is None  # type: ignore[attr-defined]
        document.unlink()
        (tmp_path / "elsewhere.json").rename(document)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.session is not None)  # type: ignore[attr-defined]
        await settled(pilot)


async def test_a_catalog_that_vanishes_while_the_question_about_changes_is_open_is_told_and_the_list_is_shown(
    scanned: Library, tmp_path: Path
) -> None:
    other = Library(tmp_path / "other")
    other.photo("a.jpg", 3)
    other.scan()
    before = scanned.sidecar("2019/a.jpg").read_bytes()
    async with app_on(scanned) as pilot:
        await pilot.press("2", "ctrl+a")
        await settled(pilot)
        await pilot.press("alt+3")
        await settled(pilot)
        screen = await on_list(pilot)
        screen.restore({"at": str(other.root)})
        screen.load()
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        other.root.rename(tmp_path / "another")
        await pilot.press("down", "enter")
        await until(pilot, lambda: pilot.app.session is None)  # type: ignore[attr-defined]
        await settled(pilot)
        assert str(other.root) in messages(pilot)[-1]
        assert {row_of(pilot, number)[0] for number in range(2)} == {"library", "other"}
        screen_of(pilot).restore({"at": str(scanned.root)})
        screen_of(pilot).load()
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.session is not None)  # type: ignore[attr-defined]
        await settled(pilot)
    assert scanned.sidecar("2019/a.jpg").read_bytes() == before


async def test_forgetting_asks_and_changes_nothing_of_the_catalog(scanned: Library) -> None:
    before = scanned.tree()
    async with app_on(None) as pilot:
        await pilot.press("f")
        await pilot.pause()
        await pilot.press("enter")  # no
        await settled(pilot)
        assert len(known_catalogs()) == 1
        await pilot.press("f")
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: not known_catalogs())
        await settled(pilot)
    assert scanned.tree() == before


async def test_deleting_says_what_happens_and_wants_the_name(scanned: Library) -> None:
    photo = (scanned.root / "2019/a.jpg").read_bytes()
    async with app_on(scanned) as pilot:
        await on_list(pilot)
        dialog = await form(pilot, "d")
        said = str(dialog.query_one("#notes").render())
        assert "No photo is touched: 3 originals stay where they are." in said
        assert dialog.query_one("#accept", Button).disabled
        await pilot.press("ctrl+s")
        await judged(pilot)
        assert pilot.app.screen is dialog
        dialog.query_one("#field-typed", Input).value = "library"
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not (scanned.root / ".lumina").exists())
        await until(pilot, lambda: pilot.app.session is None)  # type: ignore[attr-defined]
        await settled(pilot)
        assert screen_of(pilot).query_one("#catalogs", VirtualTable).total == 0
    assert (scanned.root / "2019/a.jpg").read_bytes() == photo
    assert scanned.sidecar("2019/a.jpg").exists()
    assert [name for name in os.listdir(scanned.root) if name.startswith(".lumina-deleted-")]


async def test_managed_photos_go_to_the_trash_by_a_plan_only(scanned: Library) -> None:
    with Catalog.open(str(scanned.root)) as catalog:
        catalog.set_source("main", managed=True)
    async with app_on(scanned) as pilot:
        await on_list(pilot)
        dialog = await form(pilot, "d")
        dialog.query_one("#field-photos", Select).value = "trash"
        dialog.query_one("#field-typed", Input).value = "library"
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: list((scanned.root / ".lumina/plans").glob("*.json")))
        await settled(pilot)
        assert pilot.app.screen.NAME == "plans"  # type: ignore[attr-defined]
    assert (scanned.root / "2019/a.jpg").exists()
    assert (scanned.root / ".lumina/catalog.json").exists()


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_it_looks_as_it_should(
    steady_library: Library, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is free differs from day to day, and the cut folder holds a random part
    monkeypatch.setattr(catalogs, "source_row", lambda source: [
        *catalog_rows.source_row(source)[:4], "1.0 TB", "/photos/library",
    ])  # fmt: skip
    library = steady_library
    library.photo("2019/a.jpg", 1)
    (library.root / "broken.jpg").write_bytes(b"nothing")
    library.scan()
    async with app_on(library, size=size) as pilot:
        await on_list(pilot)
        await check(pilot, "catalogs")
        dialog = await form(pilot, "d")
        dialog.query_one("#field-typed", Input).cursor_blink = False
        said = dialog.query_one("#notes")
        said.update(str(said.render()).replace(_aside(said), "20260101-000000"))  # type: ignore[attr-defined]
        await pilot.pause()
        await check(pilot, "catalogs-delete")
        await pilot.press("escape")


def _aside(said: Any) -> str:
    found = re.search(r"\d{8}-\d{6}", str(said.render()))
    assert found is not None
    return found.group()
