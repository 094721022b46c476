"""The screen of jobs: what runs moves, whoever started it; what ended is told, and may be started again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, OptionList, Select

from lumina_fs.catalog import Catalog
from lumina_fs.cli.jobs_shown import pairs_of
from lumina_fs.jobs.records import list_records
from lumina_fs.jobs.running import run
from lumina_fs.jobs.schedules import schedules
from lumina_fs.jobs.work import Work
from lumina_fs.progress import Finished, Progress, Trouble
from tests.conftest import Library
from tests.tui.driving import app_on, judged, settled, text, until
from tests.tui.snapshots import check
from tui.app import LuminaApp
from tui.asking import Choose
from tui.jobs.job_forms import work_form
from tui.jobs.running_job import RunningJob, said
from tui.jobs.schedules import Schedules
from tui.screens.jobs import JobsScreen
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1)
    library.photo("2019/b.jpg", 2)
    library.scan()
    return library


@contextmanager
def running(library: Library, kind: str = "scan") -> Iterator[threading.Event]:
    """A job of another hand: half of it is done, and it goes on when the event is set or somebody stops it."""
    go_on, cancel, begun = threading.Event(), threading.Event(), threading.Event()

    def work() -> Iterator[Any]:
        yield Progress("reading photos", 500, 1000, "files")
        yield Trouble("main", "2019/b.jpg", "truncated", "the file ends in the middle")
        begun.set()
        while not go_on.wait(0.02) and not cancel.is_set():
            pass
        yield Finished({"found": 1000, "added": 3} if not cancel.is_set() else {"found": 500})

    def do() -> None:
        with Catalog.open(str(library.root)) as catalog:
            for _ in run(catalog, Work(kind), work(), cancel=cancel):
                pass

    thread = threading.Thread(target=do)
    thread.start()
    assert begun.wait(20)
    try:
        yield go_on
    finally:
        go_on.set()
        thread.join()


async def on_jobs(pilot: Pilot[Any]) -> JobsScreen:
    await pilot.press("6")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, JobsScreen)
    return screen


def table(pilot: Pilot[Any], which: str = "#jobs") -> VirtualTable:
    return pilot.app.screen.query_one(which, VirtualTable)


def row(pilot: Pilot[Any], number: int = 0, which: str = "#jobs") -> list[str]:
    found = table(pilot, which).row(number)
    assert found is not None
    return [cell if isinstance(cell, str) else cell.text for cell in found]


def states(library: Library) -> list[tuple[str, str]]:
    with Catalog.open(str(library.root)) as catalog:
        return [(record.job.work, record.state) for record in list_records(catalog.root)[0]]


async def test_a_job_of_another_process_appears_moves_and_ends(scanned: Library) -> None:
    async with app_on(scanned, size=(140, 32)) as pilot:
        screen = await on_jobs(pilot)
        assert table(pilot).total == 0
        with running(scanned) as go_on:
            await until(pilot, lambda: table(pilot).total == 1 and "500 of 1,000" in row(pilot)[5])
            shown = screen.query(RunningJob).first()
            assert shown.display
            assert "reading photos, 500 of 1,000 files" in str(shown.render())
            assert " 50 %" in str(shown.render())
            assert row(pilot)[:2] == ["scan", "running"]
            go_on.set()
            await until(pilot, lambda: row(pilot)[1] == "success")
        assert not shown.display
        assert "1,000 found" in row(pilot)[5]
        assert row(pilot)[4] == "1"
        assert row(pilot, 0, "#problems") == ["truncated", "2019/b.jpg", "the file ends in the middle"]


async def test_a_running_job_is_stopped(scanned: Library) -> None:
    with running(scanned):
        async with app_on(scanned) as pilot:
            await on_jobs(pilot)
            await until(pilot, lambda: table(pilot).total == 1)
            await pilot.press("c")
            await until(pilot, lambda: states(scanned) == [("scan", "cancelled")])
            await until(pilot, lambda: row(pilot)[1] == "cancelled")
            await settled(pilot)
            named = text(pilot).splitlines()[-1]
            assert ("c Stop" in named, "r Retry" in named) == (False, True)


async def test_enter_on_a_problem_goes_to_the_photo(scanned: Library) -> None:
    with running(scanned):
        pass
    async with app_on(scanned) as pilot:
        await on_jobs(pilot)
        await until(pilot, lambda: table(pilot).total == 1)
        await pilot.press("enter")
        assert table(pilot, "#problems").has_focus
        await pilot.press("enter")
        await settled(pilot)
        assert pilot.app.screen.NAME == "photos"  # type: ignore[attr-defined]
        here = pilot.app.screen.current()  # type: ignore[attr-defined]
        assert here is not None
        assert here.hit.path == "2019/b.jpg"


async def test_a_scan_is_started_with_its_options(scanned: Library) -> None:
    scanned.photo("new.jpg", 5)
    async with app_on(scanned) as pilot:
        await on_jobs(pilot)
        await pilot.press("s")
        dialog = await judged(pilot)
        dialog.query_one("#field-rehash", Checkbox).value = True
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: states(scanned) == [("rehash", "success")])
        await until(pilot, lambda: table(pilot).total == 1 and row(pilot)[1] == "success")
        await settled(pilot)
    assert scanned.sidecar("new.jpg").exists()


async def test_a_search_for_duplicates_is_started_and_a_threshold_that_makes_no_sense_is_not_taken(
    scanned: Library,
) -> None:
    async with app_on(scanned) as pilot:
        await on_jobs(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        pilot.app.screen.query_one(OptionList).highlighted = 1
        await pilot.press("enter")
        dialog = await judged(pilot)
        dialog.query_one("#field-threshold", Input).value = "eleven"
        await judged(pilot)
        assert dialog.query_one("#accept", Button).disabled
        dialog.query_one("#field-threshold", Input).value = "7"
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: states(scanned) == [("duplicates", "success")])
        await settled(pilot)
    with Catalog.open(str(scanned.root)) as catalog:
        assert list_records(catalog.root)[0][0].job.arguments == {"threshold": 7}


def test_the_words_of_every_kind() -> None:
    def words(kind: str, sources: tuple[str, ...] = ("main",), **values: Any) -> list[str]:
        return work_form(kind, sources).words(values)

    assert words("analyze") == ["analyze"]
    assert words("rebuild") == ["index", "rebuild"]
    assert words("verify") == ["index", "verify"]
    assert words("tag", which="both", again=False) == ["tag"]
    assert words("tag", which="objects", again=True) == ["tag", "--objects", "--again"]
    assert words("thumbnails", size="1024") == ["cache", "thumbnail", "--all", "--size", "1024"]
    assert words("scan", rehash=False, missing=True) == ["scan", "--accept-missing"]
    two = {"source-0": False, "source-1": True, "rehash": True, "missing": False}
    assert words("scan", ("main", "card"), **two) == ["scan", "--source", "card", "--rehash"]


async def test_tagging_is_started_where_models_can_run_and_else_says_what_is_missing(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[str] = ["tagging needs the extra lumina-fs[ai]"]
    monkeypatch.setattr("tui.jobs.job_forms.hindrance", lambda measurers: missing[0] if missing else None)
    async with app_on(scanned, size=(140, 32)) as pilot:
        await on_jobs(pilot)
        app: Any = pilot.app
        started: list[list[str]] = []
        monkeypatch.setattr(app, "start", started.append)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        options = pilot.app.screen.query_one(OptionList)
        options.highlighted = next(
            at for at, option in enumerate(options.options) if str(option.prompt).startswith("tag:")
        )
        await pilot.press("enter")
        dialog = await judged(pilot)
        assert dialog.query_one("#accept", Button).disabled
        assert any("lumina-fs[ai]" in str(one.render()) for one in dialog.query("Static"))
        missing.clear()
        dialog.query_one("#field-which", Select).value = "clip"
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: started == [["tag", "--clip"]])


async def test_work_that_changes_nothing_is_told_too(scanned: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app_on(scanned) as pilot:
        app: Any = pilot.app
        told: list[str] = []
        monkeypatch.setattr(app, "notify", lambda message, **options: told.append(f"{options.get('title')}: {message}"))
        for kind in (["index", "verify"], ["index", "verify"]):
            before = len(told)
            app.start(kind)
            await until(pilot, lambda before=before: len(told) > before)  # type: ignore[misc]
        await pilot.press("f4")
        await until(pilot, lambda: any("nothing to do" in one or "found" in one for one in told))
        await settled(pilot)


async def test_a_stopped_job_is_started_again_under_its_record(scanned: Library) -> None:
    with running(scanned, "verify"):
        async with app_on(scanned) as pilot:
            await on_jobs(pilot)
            await until(pilot, lambda: table(pilot).total == 1)
            await pilot.press("c")
            await until(pilot, lambda: row(pilot)[1] == "cancelled")
            await pilot.press("r")
            await until(pilot, lambda: states(scanned) == [("verify", "success")])
            await until(pilot, lambda: row(pilot)[1] == "success")
            await settled(pilot)
            assert "r Retry" not in text(pilot).splitlines()[-1]
    with Catalog.open(str(scanned.root)) as catalog:
        assert list_records(catalog.root)[0][0].job.attempts == 2


async def test_what_ends_as_the_app_leaves_it_is_given_back_all_the_same(scanned: Library) -> None:
    busy = threading.Event()
    async with app_on(scanned) as pilot:
        app = pilot.app
        assert isinstance(app, LuminaApp)
        asyncio.get_running_loop().set_default_executor(full := ThreadPoolExecutor(1))
        full.submit(busy.wait)  # no thread has time for what comes now
        app.start(["status"])
        await until(pilot, lambda: app.launched)
        [pid] = app.launched
        await until(pilot, lambda: not Path(f"/proc/{pid}").exists() or "Z" in state_of(pid))
        await pilot.pause(0.3)
        app.workers.cancel_group(app, "processes")
        await pilot.pause()
        busy.set()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_records_are_removed_after_asking(scanned: Library) -> None:
    with running(scanned):
        pass
    async with app_on(scanned) as pilot:
        await on_jobs(pilot)
        await until(pilot, lambda: table(pilot).total == 1)
        await pilot.press("x")
        dialog = await judged(pilot)
        assert "1 record of 1 are removed" in str(dialog.query_one("#notes").render())
        await pilot.press("escape")
        await settled(pilot)
        assert states(scanned)
        await pilot.press("x")
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: table(pilot).total == 0)
        await settled(pilot)
    assert not states(scanned)


async def test_schedules_are_kept_and_removed(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await on_jobs(pilot)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.screen, Schedules))
        await settled(pilot)
        await pilot.press("a")
        dialog = await judged(pilot)
        dialog.query_one("#field-work", Select).value = "scan"
        dialog.query_one("#field-when", Select).value = "at"
        await judged(pilot)
        assert "a time as 03:00" in str(dialog.query_one("#wrong").render())
        dialog.query_one("#field-time", Input).value = "03:30"
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Schedules) and table(pilot, "VirtualTable").total == 1)
        with Catalog.open(str(scanned.root)) as catalog:
            assert [(one.name, one.work, one.at) for one in schedules(catalog)] == [("scan", "scan", "03:30")]
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, Schedules) and table(pilot, "VirtualTable").total == 0)
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_it_looks_as_it_should(
    steady_library: Library, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.jobs.took", lambda record: "12 s")
    # which process it was differs from run to run
    monkeypatch.setattr(
        "tui.screens.jobs.pairs_of", lambda record: [pair for pair in pairs_of(record) if pair[0] != "process"]
    )
    monkeypatch.setattr("tui.jobs.running_job.said", lambda record: said(record).partition(", 1")[0])
    library = steady_library
    library.photo("2019/a.jpg", 1)
    library.photo("2019/b.jpg", 2)
    library.scan()
    with running(library):
        pass
    with running(library, "duplicates"):
        async with app_on(library, size=size) as pilot:
            await on_jobs(pilot)
            await until(pilot, lambda: table(pilot).total == 2 and "500 of" in row(pilot)[-1])
            table(pilot).cursor = 1
            await pilot.pause()
            await settled(pilot)
            await check(pilot, "jobs")
