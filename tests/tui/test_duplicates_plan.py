"""From decisions about duplicates to a plan: proposed in a process of its own, shown, and stopped by a key."""

from __future__ import annotations

import json
import shutil
import socket
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from tests.conftest import Library
from tests.lumina_fs.duplicates.searching import searched
from tests.tui.driving import app_on, settled, text, until
from tui.app import LuminaApp
from tui.plans.proposing import ProposingWindow
from tui.screens.duplicates import DuplicatesScreen
from tui.screens.plans import PlansScreen


@pytest.fixture
def twins(library: Library) -> Library:
    """A picture, its copy, and another one with its copy."""
    for name, seed in (("house", 1), ("lake", 2)):
        library.photo(f"{name}.jpg", seed, Make="Canon", DateTimeOriginal="2019:07:15 12:00:00")
        shutil.copy2(library.root / f"{name}.jpg", library.root / f"{name} (1).jpg")
    library.scan()
    assert searched(library) is not None
    return library


def manage(library: Library) -> None:
    """Plans may move its files."""
    with Catalog.open(str(library.root)) as catalog:
        [source] = catalog.sources()
        catalog.set_source(source.name, managed=True)


def plans(library: Library) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in (library.root / ".lumina/plans").glob("*.json")]


def told(pilot: Pilot[Any], words: str) -> bool:
    return any(words in f"{toast.title} {toast.message}" for toast in pilot.app._notifications)


async def at_duplicates(pilot: Pilot[Any]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: isinstance(pilot.app.screen, DuplicatesScreen))
    await settled(pilot)


async def test_what_was_decided_ends_in_a_plan_that_is_shown(twins: Library) -> None:
    manage(twins)
    async with app_on(twins) as pilot:
        await at_duplicates(pilot)
        await pilot.press("p")
        await until(pilot, lambda: told(pilot, "No file that is here was decided to go"))
        await until(pilot, lambda: isinstance(pilot.app.screen, DuplicatesScreen))
        assert plans(twins) == []
        await pilot.press("o", "p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlansScreen))
        await settled(pilot)
        assert told(pilot, "1 file would go to the trash")
        [value] = plans(twins)
        assert isinstance(pilot.app, LuminaApp)
        assert pilot.app.remembered("plans").get("plan") == value["id"]
        [action] = value["actions"]
        assert action["do"] == "trash"
        assert action["path"].endswith(" (1).jpg")


async def test_the_proposing_can_be_stopped_and_begun_again(twins: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    manage(twins)
    async with app_on(twins) as pilot:
        await at_duplicates(pilot)
        await pilot.press("o")
        await settled(pilot)
        # a server that answers nobody keeps the proposal waiting
        with socket.create_server(("127.0.0.1", 0)) as deaf, monkeypatch.context() as patched:
            port = deaf.getsockname()[1]
            patched.setenv("LUMINA_DATABASE_URL", f"host=127.0.0.1 port={port} dbname=none connect_timeout=60")
            await pilot.press("p")
            await until(pilot, lambda: isinstance(pilot.app.screen, ProposingWindow) and "proposing" in text(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: told(pilot, "Stopped: no plan was written"))
        await until(pilot, lambda: isinstance(pilot.app.screen, DuplicatesScreen))
        assert plans(twins) == []
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlansScreen))
        await settled(pilot)
        assert len(plans(twins)) == 1


async def test_what_lies_on_the_window_stays_when_the_plan_is_there(twins: Library) -> None:
    manage(twins)
    async with app_on(twins) as pilot:
        await at_duplicates(pilot)
        await pilot.press("o", "p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProposingWindow))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: CommandPalette.is_open(pilot.app))
        await until(pilot, lambda: plans(twins))
        await pilot.pause(1)
        assert CommandPalette.is_open(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlansScreen))
        await settled(pilot)
        assert len(plans(twins)) == 1


async def test_why_no_plan_can_be_made_is_told(twins: Library) -> None:
    async with app_on(twins) as pilot:
        await at_duplicates(pilot)
        await pilot.press("o", "p")
        await until(pilot, lambda: told(pilot, "no file may be moved"))
        await until(pilot, lambda: isinstance(pilot.app.screen, DuplicatesScreen))
        assert plans(twins) == []
