"""Rows that are asked for where somebody looks: kept within bounds, and asked for again where the question failed."""

from __future__ import annotations

from typing import Any

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.screen import Screen

from lumina_fs.errors import NeedsIndex
from lumina_fs.viewing import photos
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.screens.photos import PhotosScreen
from tui.widgets import paged_view
from tui.widgets.paged_view import PAGE, PagedView
from tui.widgets.virtual_table import Column, VirtualTable

TOTAL = 30 * PAGE


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paged_view, "_PATIENCE", 0.02)
    monkeypatch.setattr(paged_view, "_MOST_PATIENCE", 0.1)


class Rows(Screen[None]):
    """A table."""

    def compose(self) -> ComposeResult:
        yield VirtualTable([Column("name", "Name")])


class Owner(App[None]):
    """Answers what a table asks for, except the first `failures` questions."""

    MODES = {"rows": Rows, "other": Screen}  # noqa: RUF012
    DEFAULT_MODE = "rows"

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.asked: list[int] = []

    @property
    def table(self) -> VirtualTable:
        return self.screen.query_one(VirtualTable)

    def on_ready(self) -> None:
        self.table.reset(TOTAL)

    @on(PagedView.NeedRows)
    def _answer(self, event: PagedView.NeedRows) -> None:
        self.asked.append(event.first)
        if len(self.asked) > self.failures:
            event.view.put(event.first, [(f"row {number}",) for number in range(event.first, event.end)])


async def test_a_page_whose_question_failed_is_asked_for_again_without_a_key() -> None:
    app = Owner(failures=1)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: app.table.row(0))
        assert len(app.asked) >= 2  # more often on a slow machine, which needs longer than it is patient
        assert set(app.asked) == {0}
        await until(pilot, lambda: "row 0" in text(pilot))


async def test_questions_that_go_on_failing_come_ever_less_often_until_one_is_answered() -> None:
    app = Owner(failures=6)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: len(app.asked) == 5)
        assert app.table._patience == 0.1
        await until(pilot, lambda: app.table.row(0))
        assert len(app.asked) >= 7
        assert set(app.asked) == {0}
        assert app.table._patience == 0.02


async def test_a_page_that_came_is_not_asked_for_again() -> None:
    app = Owner()
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: app.table.row(0))
        await until(pilot, lambda: app.table._reminder is None)
        before = list(app.asked)
        app.table._ask_again()
        await pilot.press("down", "down", "up")
        await until(pilot, lambda: app.table.cursor == 1)
        assert app.asked == before


async def test_while_another_room_is_shown_nothing_is_asked_for() -> None:
    app = Owner(failures=1_000_000)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: len(app.asked) > 1)
        table = app.table
        await app.switch_mode("other")
        asked = dict(table._asked)
        for _ in range(3):
            table._ask_again()
        assert table._asked == asked
        await app.switch_mode("rows")
        app.failures = 0
        await until(pilot, lambda: table.row(0))


async def test_pages_are_kept_within_bounds_and_the_next_one_is_there_before_one_comes_to_it() -> None:
    app = Owner()
    async with app.run_test(size=(40, 12)) as pilot:
        for row in range(0, TOTAL, PAGE):
            app.table.go(row + PAGE - 20)
            await until(pilot, lambda at=row: app.table.row(min(at + PAGE, TOTAL - 1)))  # type: ignore[misc]
        assert len(app.table._pages) == 20
        assert app.table.row(0) is None
        await pilot.press("home")
        await until(pilot, lambda: app.table.row(0))


@pytest.fixture
def two_pages(library: Library) -> Library:
    """More photos than one page."""
    for number in range(PAGE + 10):
        library.photo(f"2019/a{number:03}.jpg", number, size=(16, 16), DateTimeOriginal="2019:07:01 12:00:00")
    library.scan()
    return library


async def test_photos_that_could_not_be_read_for_a_moment_are_shown_when_they_can(
    two_pages: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = photos.page
    down = [False]

    def page(*wanted: Any) -> Any:
        if down[0]:
            down[0] = False
            raise NeedsIndex("the index cannot be reached")
        return read(*wanted)

    monkeypatch.setattr(photos, "page", page)
    async with app_on(two_pages) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PhotosScreen)
        for way in ("grid", "table"):
            assert screen.view.id == way
            for pages in (screen.listing._pages, screen.view._pages):
                pages.pop(1, None)
            down[0] = True
            await pilot.press("end")
            await until(pilot, lambda: not down[0])
            await until(pilot, lambda: screen.current() is not None)
            assert screen.at == PAGE + 9
            await pilot.press("home", "v")
            await settled(pilot)
