"""What the screen of plans looks like, at two sizes."""

from __future__ import annotations

import pytest
from textual.widgets import Select

from tests.conftest import Library
from tests.tui.driving import app_on, jobs_ended, settled, text, until
from tests.tui.planning import asked, at_plans, create, draft, fill, form, screen
from tests.tui.snapshots import check

SIZES = [(80, 24), (200, 60)]


@pytest.fixture
def managed(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    # what is free on a disk differs from run to run
    rooms = ["/photos: 0 B arrive, 55.8 GB free"]
    monkeypatch.setattr("tui.plans.plan_pane.rooms", lambda facts, idle: rooms if idle else [])
    return fill(library)


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_a_plan_from_the_form_to_the_question(managed: Library, size: tuple[int, int]) -> None:
    async with app_on(managed, size=size) as pilot:
        await at_plans(pilot)
        asking = await form(pilot)
        await until(pilot, lambda: "2019/01/IMG_0.jpg" in text(pilot))
        asking.query_one("#strategy", Select).focus()
        await settled(pilot)
        await check(pilot, "plan-form")
        await pilot.press("escape")
        await settled(pilot)
        await create(pilot)
        await pilot.press("end")
        await until(pilot, lambda: "with sidecar scan.jpg" in text(pilot))
        await settled(pilot)
        await check(pilot, "plan-preview")
        await pilot.press("v")
        await until(pilot, lambda: "2019/" in text(pilot))
        await settled(pilot)
        await check(pilot, "plan-folders")
        await pilot.press("v", "v", "a")
        await asked(pilot)
        assert "SHA-256" in text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_the_list_and_the_trash(managed: Library, size: tuple[int, int]) -> None:
    draft(managed, name="the first")
    plan = draft(managed, name="to the trash", do="trash", approved=True)
    async with app_on(managed, size=size) as pilot:
        plans = await at_plans(pilot)
        await until(pilot, lambda: len(plans.plans.plans) == 2)
        await settled(pilot)
        await check(pilot, "plan-list")
        plans.open(plan)
        await until(pilot, lambda: screen(pilot).plan.status == "approved")
        await pilot.press("x")
        await asked(pilot)
        await pilot.press("y")
        await until(pilot, lambda: screen(pilot).plan.status == "complete")
        await pilot.press("t")
        await until(pilot, lambda: plans.trash.table.row(0) is not None)
        pilot.app.clear_notifications()
        await jobs_ended(pilot)
        await check(pilot, "plan-trash")
