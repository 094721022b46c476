"""A proposal whose window goes away in the midst: it is asked to stop, and nothing of it stays open here."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.launch import launch
from tests.conftest import Library
from tests.tui.driving import PATIENCE
from tui.plans.proposing import Proposing


def scratch() -> int:
    """How many files this process holds open that have no name any more."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(link.endswith(" (deleted)") for link in links)


async def test_cancelled_in_the_midst_it_is_stopped_and_leaves_nothing_open(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.scan()
    before = scratch()
    said: list[str] = []
    # a server that answers nobody keeps the proposal waiting
    with Catalog.open(str(library.root)) as catalog, socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"host=127.0.0.1 port={deaf.getsockname()[1]} dbname=none connect_timeout=60"
        monkeypatch.setenv("LUMINA_DATABASE_URL", address)
        proposing = Proposing(catalog, ["duplicates", "resolve", "--json"], said.append)
        task = asyncio.create_task(proposing.run())
        while not said:
            await asyncio.sleep(0.05)
        launched = proposing._launched
        assert launched is not None
        assert scratch() == before + 2
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # as an app does that closes: first the worker, then all there is
        with pytest.raises(asyncio.CancelledError):
            await task
        assert scratch() == before
        async with asyncio.timeout(PATIENCE):
            while launched.running():
                await asyncio.sleep(0.05)


def test_a_command_that_cannot_be_started_leaves_nothing_open(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.scan()
    before = scratch()
    with Catalog.open(str(library.root)) as catalog:
        monkeypatch.setattr(sys, "executable", str(library.root / "no such program"))
        with pytest.raises(FileNotFoundError):
            launch(catalog, ["verify"])
    assert scratch() == before
