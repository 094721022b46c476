"""The app as a whole: it opens, moves between screens, and remembers."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.jobs import records
from tests.conftest import Library
from tests.lumina_fs.jobs.conftest import done
from tests.tui.driving import app_on, settled, text, until
from tui.app import LuminaApp
from tui.asking import Keys
from tui.following import JobsChanged
from tui.forms import Form
from tui.plans.creator import CreatePlan
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
            assert "^p Palette" in line, room
            assert len(line) == width


async def test_jobs_that_cannot_be_read_are_told_once_and_every_room_goes_on(
    scanned: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalog.open(str(scanned.root)) as catalog:
        done(catalog)
    folder, elsewhere = scanned.root / ".lumina/jobs", tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    async with app_on(scanned) as pilot:
        app = pilot.app
        assert isinstance(app, LuminaApp)

        def told(what: str) -> int:
            return len([one for one in app._notifications if what in one.message])

        await until(pilot, lambda: told("jobs: passes through a link"))
        for key, name in zip("1234567", ROOMS, strict=True):
            await pilot.press(key)
            await settled(pilot)
            assert name == app.screen.NAME  # type: ignore[attr-defined]
        await pilot.pause(1.2)  # it is looked at again
        assert told("jobs: passes through a link") == 1
        assert app.jobs == ()
        folder.unlink()
        elsewhere.rename(folder)
        await until(pilot, lambda: app.jobs)

        def failing(root: object, path: str) -> list[str]:
            raise OSError(errno.EIO, os.strerror(errno.EIO), 7)

        monkeypatch.setattr(records, "ids_in", failing)
        (folder / "new.tmp").touch()
        await until(pilot, lambda: told(f"Input/output error: '{folder}'"))


async def test_many_messages_leave_the_last_lines_of_a_small_terminal_free(scanned: Library) -> None:
    app = LuminaApp(Catalog.open(str(scanned.root)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        before = text(pilot).splitlines()[-2:]
        for number in range(6):
            app.notify(f"message {number}, which is so long that it takes some lines where there is so little room")
        await until(pilot, lambda: "message 5" in text(pilot))
        assert text(pilot).splitlines()[-2:] == before
        assert [number for number in range(6) if f"message {number}" in text(pilot)] == [3, 4, 5]
        await app.close_session()


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
        elsewhere = {
            "Photos: Rate: then 0 to 5", "Photos: Rebuild the index", "Plans: New plan: propose one",
            "Plans: Open the plan under the cursor", "Duplicates: Search for duplicates",
            "Audit: Export the lines that are filtered as CSV", "Tags: Take the last change of tags back",
        }  # fmt: skip
        assert elsewhere <= set(titles)
        theme.callback()
        await until(pilot, lambda: app.theme == "lumina-light")


async def test_the_palette_does_what_makes_sense_from_anywhere_in_its_room_and_goes_there_for_the_rest(
    scanned: Library,
) -> None:
    async def find(title: str) -> None:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press(*title, "enter")

    async with app_on(scanned) as pilot:
        await pilot.press("7")
        await settled(pilot)
        await find("New plan")
        await until(pilot, lambda: isinstance(pilot.app.screen, CreatePlan))
        assert pilot.app.current_mode == "plans"
        await pilot.press("escape")
        await settled(pilot)
        await find("Start rebuild")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form))
        assert pilot.app.current_mode == "jobs"
        await pilot.press("escape")
        await settled(pilot)
        await find("Photos: Rate: then")
        await until(pilot, lambda: pilot.app.current_mode == "photos")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1


async def test_only_keys_that_are_no_letters_of_a_text_are_named_while_one_types(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("2")
        await settled(pilot)
        assert "/ Search" in text(pilot).splitlines()[-1]
        await pilot.press("slash")
        await settled(pilot)
        assert "/ Search" not in text(pilot).splitlines()[-1]
        assert "^p" in text(pilot).splitlines()[-1]
        titles = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert {"Search", "Rate: then 0 to 5", "Rebuild the index"} <= set(titles), "they can be done all the same"
        assert sorted(set(titles)) == sorted(titles)
