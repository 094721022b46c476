"""The form for a new plan: it shows what would come of it, says what is wrong, and proposes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Button, Input, Select

from lumina_fs.catalog import Catalog
from lumina_fs.plans.files import plan_ids, read_plan
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tests.tui.planning import at_plans, fill, form, last_plan, screen
from tui.plans.creator import CreatePlan
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def managed(library: Library) -> Library:
    return fill(library)


def choose(form: CreatePlan, field: str, value: str) -> None:
    form.query_one(f"#{field}", Select).value = value


def write(form: CreatePlan, field: str, value: str) -> None:
    form.query_one(f"#{field}", Input).value = value


async def test_a_template_is_tried_on_real_originals_while_it_is_typed(managed: Library) -> None:
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        choose(asking, "strategy", "own template")
        write(asking, "template", "{camera}/YYYY-MM")
        write(asking, "file_name", "{date}_{name}")
        await until(pilot, lambda: "Unsorted/" in text(pilot))  # no camera is known
        write(asking, "template", "Photos/YYYY-MM")
        await until(pilot, lambda: "Photos/2019-03/2019-03-14_IMG_2.jpg" in text(pilot))
        write(asking, "query", "name:scan")
        await until(pilot, lambda: asking.query_one("#example", VirtualTable).total <= 1)


async def test_mistakes_are_told_with_their_column_and_nothing_can_be_proposed(managed: Library) -> None:
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        choose(asking, "strategy", "own template")
        write(asking, "template", "YYYY/{camra}")
        await until(pilot, lambda: "did you mean {camera}?" in text(pilot))
        assert "column 6" in text(pilot)
        assert asking.query_one("#propose", Button).disabled
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert plan_count(managed) == 0
        write(asking, "template", "YYYY")
        write(asking, "query", "(date:2019")
        await until(pilot, lambda: "the query" in text(pilot))
        write(asking, "query", "")
        write(asking, "template", "-YYYY")
        await until(pilot, lambda: "starts with a dash" in text(pilot))
        write(asking, "template", "YYYY")
        await until(pilot, lambda: not asking.query_one("#propose", Button).disabled)


def plan_count(library: Library) -> int:
    with Catalog.open(str(library.root)) as catalog:
        return len(plan_ids(catalog))


async def test_everything_that_the_form_says_is_in_the_plan(managed: Library) -> None:
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        choose(asking, "strategy", "YYYY-MM")
        choose(asking, "into", "main")
        choose(asking, "on_failure", "stop")
        choose(asking, "on_collision", "skip")
        write(asking, "folder", "Archive")
        write(asking, "doubtful", "Doubtful")
        write(asking, "below", "50")
        write(asking, "name", "mine")
        await settled(pilot)
        await until(pilot, lambda: "main:Archive/" in text(pilot))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen(pilot).plan.status == "draft")
        await settled(pilot)
    with Catalog.open(str(managed.root)) as catalog:
        plan = read_plan(catalog, last_plan(managed)).plan
    assert (plan.name, plan.on_failure, plan.on_collision) == ("mine", "stop", "skip")
    targets = {getattr(action, "to").path for action in plan.actions}  # noqa: B009 - all are moves
    assert "Archive/2019-01/IMG_0.jpg" in targets
    assert "Archive/Doubtful/2020-09/scan.jpg" in targets


async def test_a_file_of_rules_decides_and_its_mistakes_have_a_line(managed: Library, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[\n  {"to": "{camra}"}\n]')
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        choose(asking, "strategy", "rules")
        write(asking, "rules", str(rules))
        await until(pilot, lambda: "line 2" in text(pilot))
        rules.write_text(json.dumps([{"if": "date:2019", "to": "Nineteen"}, {"to": "Rest/YYYY"}]))
        write(asking, "name", "by rules")
        await until(pilot, lambda: "Nineteen/IMG_0.jpg" in text(pilot))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen(pilot).plan.status == "draft")


async def test_where_all_is_in_place_the_form_says_so_and_stays(managed: Library) -> None:
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        choose(asking, "strategy", "own template")
        write(asking, "template", "incoming/{nothing}")
        await until(pilot, lambda: asking.query_one("#propose", Button).disabled)
        write(asking, "template", "{camera}")
        write(asking, "fallback", "")
        await until(pilot, lambda: "(stays)" in text(pilot))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "nothing to do" in text(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert screen(pilot).shown == "list"
    assert plan_count(managed) == 0


async def test_a_catalog_that_may_not_be_moved_says_what_to_do(library: Library) -> None:
    library.photo("a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.scan()
    async with app_on(library) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        await until(pilot, lambda: "no source is managed" in text(pilot))
        assert asking.query_one("#propose", Button).disabled


async def test_a_proposal_can_be_stopped_before_it_is_written(
    managed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a server that answers nobody keeps the proposal waiting
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        async with app_on(managed) as pilot:
            await at_plans(pilot)
            asking = await form(pilot)
            port = deaf.getsockname()[1]
            monkeypatch.setenv("LUMINA_DATABASE_URL", f"host=127.0.0.1 port={port} dbname=none connect_timeout=60")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "proposing" in text(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: "stopped; nothing was written" in text(pilot))
            assert asking.is_attached
    assert plan_count(managed) == 0
