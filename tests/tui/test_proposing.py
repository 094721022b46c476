"""A proposal whose window goes away in the midst: it is asked to stop, and nothing of it stays open here."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.launch import launch
from tests.conftest import Library
from tests.open_files import scratch_files
from tests.tui.driving import PATIENCE
from tui.plans.proposing import Proposing


async def test_cancelled_in_the_midst_it_is_stopped_and_leaves_nothing_open(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.scan()
    before = scratch_files()
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
        assert scratch_files() == before + 2
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # as an app does that closes: first the worker, then all there is
        with pytest.raises(asyncio.CancelledError):
            await task
        assert scratch_files() == before
        async with asyncio.timeout(PATIENCE):
            while launched.running():
                await asyncio.sleep(0.05)


def test_a_command_that_cannot_be_started_leaves_nothing_open(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.scan()
    before = scratch_files()
    with Catalog.open(str(library.root)) as catalog:
        monkeypatch.setattr(sys, "executable", str(library.root / "no such program"))
        with pytest.raises(FileNotFoundError):
            launch(catalog, ["verify"])
    assert scratch_files() == before
