"""What all tests of the terminal UI start from."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Library
from tests.open_files import scratch_files
from tests.tui import lateness
from tui.widgets import drawing


@pytest.fixture(autouse=True)
def _pictures_as_blocks() -> None:
    drawing.choose("blocks")


@pytest.fixture(autouse=True)
def _late(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if lateness.SEED:
        lateness.be_late(monkeypatch, request.node.nodeid)


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of catalogs has only what the test made, and nothing is remembered of others."""
    monkeypatch.setenv("LUMINA_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _clock_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as context:
        context.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _no_scratch_left_open() -> Iterator[None]:
    """What an app leaves open is told where it was left, not where it is found."""
    before = scratch_files()
    yield
    patience = time.monotonic() + 10
    while scratch_files() > before and time.monotonic() < patience:
        time.sleep(0.05)  # threads that are about to end
    assert scratch_files() <= before, "scratch files are open still"


@pytest.fixture
def steady_library(postgres: str) -> Iterator[Library]:
    """An empty library under a path of a constant length, for pictures of screens."""
    base = Path(tempfile.mkdtemp(prefix="lumina-snap-"))
    root = base / "library"
    root.mkdir()
    yield Library(root)
    shutil.rmtree(base)
