"""What tests of the screen of plans share: a catalog whose photos may be moved, and the steps of a person."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from lumina_fs.durable import Disk
from lumina_fs.jobs.kinds import apply_work
from lumina_fs.jobs.running import run
from lumina_fs.plans.apply import Applied, apply, resume
from lumina_fs.plans.files import plan_ids, read_plan, write_approval, write_draft
from lumina_fs.progress import Event, Finished, Progress
from tests.conftest import Library
from tests.lumina_fs.faults import Interrupted
from tests.tui.driving import settled, until
from tui.plans.creator import CreatePlan
from tui.screens.plans import PlansScreen


def fill(library: Library) -> Library:
    """Six photos in one folder that plans may move; one has a file time for a date."""
    for number in range(5):
        library.photo(f"incoming/IMG_{number}.jpg", number, DateTimeOriginal=f"2019:0{number + 1}:14 12:00:00")
    library.photo("incoming/scan.jpg", 9)
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.set_source("main", managed=True)
    return library


def photos_in(root: Path) -> dict[str, str]:
    """Every file but Lumina's own folder, with its digest."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".lumina"]
        for name in names:
            path = Path(folder) / name
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def draft(library: Library, *, do: str = "move", name: str = "by hand", approved: bool = False) -> str:
    """A plan that moves all photos to `sorted/`, or puts them into the trash; its id."""
    with Catalog.open(str(library.root)) as catalog:
        actions = []
        for path in sorted(library.root.glob("incoming/*.jpg")):
            at = f"incoming/{path.name}"
            data = path.read_bytes()
            action: dict[str, Any] = {
                "do": do, "source": "main", "path": at, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                "reason": "because", "companions": [{"part": "sidecar", "path": f"{at}.lumina.json"}],
            }  # fmt: skip
            if do == "move":
                action["to"] = {"source": "main", "path": f"sorted/{path.name}"}
                action["companions"][0]["to"] = f"sorted/{path.name}.lumina.json"
            actions.append(action)
        plan = write_draft(catalog, {"name": name, "purpose": "organise", "actions": actions})
        if approved:
            write_approval(catalog, read_plan(catalog, plan))
    return plan


def last_plan(library: Library) -> str:
    """The id of the newest plan."""
    with Catalog.open(str(library.root)) as catalog:
        return plan_ids(catalog)[-1]


@contextmanager
def run_by_another(
    library: Library, plan: str, how: Literal["apply", "resume"] = "apply"
) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A run as the command starts it, waiting before its fourth rename: what lets it go on, and what says stop."""
    arrived, go_on, cancel = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        arrived.set()
        go_on.wait(60)

    def work() -> None:
        with Catalog.open(str(library.root), Disk(Interrupted({("rename_new", 4): wait}))) as catalog:
            events = {"apply": apply, "resume": resume}[how](catalog, read_plan(catalog, plan), cancel=cancel)
            for _ in run(catalog, apply_work(plan, how), events, cancel=cancel):
                pass

    thread = threading.Thread(target=work)
    thread.start()
    assert arrived.wait(60)
    try:
        yield go_on, cancel
    finally:
        go_on.set()
        thread.join()


@contextmanager
def check_by_another(library: Library, plan: str) -> Iterator[threading.Event]:
    """A run that is about to begin, and checks the plan until it is told to stop; by what it is told."""
    begun, cancel = threading.Event(), threading.Event()

    def checking() -> Iterator[Event | Finished[Applied]]:
        yield Progress("checking", 1, 6, "actions")
        begun.set()
        cancel.wait(60)

    def work() -> None:
        with Catalog.open(str(library.root)) as catalog:
            for _ in run(catalog, apply_work(plan, "apply"), checking(), cancel=cancel):
                pass

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    try:
        yield cancel
    finally:
        cancel.set()
        thread.join()


def screen(pilot: Pilot[Any]) -> PlansScreen:
    """The screen of plans, which may be under a question."""
    found = pilot.app.screen_stack[0]
    assert isinstance(found, PlansScreen)
    return found


async def at_plans(pilot: Pilot[Any]) -> PlansScreen:
    """Go there."""
    await pilot.press("4")
    await settled(pilot)
    return screen(pilot)


async def opened(pilot: Pilot[Any], plan: str) -> PlansScreen:
    """Go there, and into a plan."""
    plans = await at_plans(pilot)
    await until(pilot, lambda: any(one.id == plan for one in plans.plans.plans))
    plans.open(plan)
    await until(pilot, lambda: plans.plan.status)
    await settled(pilot)
    return plans


async def form(pilot: Pilot[Any]) -> CreatePlan:
    """Open the form of a new plan."""
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, CreatePlan))
    await settled(pilot)
    found = pilot.app.screen
    assert isinstance(found, CreatePlan)
    return found


async def create(pilot: Pilot[Any]) -> None:
    """Propose by date and wait for the draft."""
    await form(pilot)
    await pilot.press("ctrl+s")
    await until(pilot, lambda: screen(pilot).shown == "plan" and screen(pilot).plan.status == "draft")
    await settled(pilot)


async def asked(pilot: Pilot[Any]) -> None:
    """Wait for a question."""
    await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
    await pilot.pause()


async def agree(pilot: Pilot[Any]) -> None:
    """Wait for a question and say yes."""
    await asked(pilot)
    await pilot.press("y")
    await settled(pilot)


async def becomes(pilot: Pilot[Any], status: str) -> None:
    """Wait for the open plan to be in this state."""
    await until(pilot, lambda: screen(pilot).plan.status == status)
    await settled(pilot)
