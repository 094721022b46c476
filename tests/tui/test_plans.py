"""The screen of plans, driven as a person would, on a catalog whose files really move."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tui.plans.creator import CreatePlan
from tui.screens.plans import PlansScreen


def photos_in(root: Path) -> dict[str, str]:
    """Every file but Lumina's own, with its digest."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".lumina"]
        for name in names:
            path = Path(folder) / name
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def managed(library: Library) -> Library:
    """Six photos in one folder that plans may move; one without a date."""
    for number in range(5):
        library.photo(f"incoming/IMG_{number}.jpg", number, DateTimeOriginal=f"2019:0{number + 1}:14 12:00:00")
    library.photo("incoming/scan.jpg", 9)
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.set_source("main", managed=True)
    return library


def screen(pilot: Pilot[Any]) -> PlansScreen:
    found = pilot.app.screen_stack[0]
    assert isinstance(found, PlansScreen)
    return found


async def at_plans(pilot: Pilot[Any]) -> PlansScreen:
    await pilot.press("4")
    await settled(pilot)
    return screen(pilot)


async def create(pilot: Pilot[Any]) -> None:
    """Propose by date and wait for the draft."""
    await pilot.press("n")
    await settled(pilot)
    assert isinstance(pilot.app.screen, CreatePlan)
    await pilot.press("ctrl+s")
    await until(pilot, lambda: screen(pilot).shown == "plan" and screen(pilot).plan.status == "draft")
    await settled(pilot)


async def agree(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
    await pilot.press("y")
    await settled(pilot)


async def becomes(pilot: Pilot[Any], status: str) -> None:
    await until(pilot, lambda: screen(pilot).plan.status == status)
    await settled(pilot)


async def test_from_a_new_plan_to_an_undone_one_with_every_byte_as_before(managed: Library) -> None:
    before = photos_in(managed.root)
    async with app_on(managed) as pilot:
        await at_plans(pilot)
        await create(pilot)
        plans = screen(pilot)
        first = plans.plan.plan
        assert plans.plan.rows.table.total == 6
        # reject the one under the cursor
        await pilot.press("end")
        await settled(pilot)
        await pilot.press("r")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "skip" in (plans.plan._opened.facts.counts if plans.plan._opened else {}))
        await settled(pilot)
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        moved = photos_in(managed.root)
        assert sum(path.startswith("2019/") for path in moved) == 10
        await pilot.press("u")
        await agree(pilot)
        await until(pilot, lambda: plans.plan.plan != first and plans.plan.status == "draft")
        await settled(pilot)
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        await pilot.press("escape")
        await until(pilot, lambda: [plan.status for plan in plans.plans.plans] == ["complete", "undone"])
    assert photos_in(managed.root) == before
