"""The terminal UI on a large catalog: how soon it is there, how fast it answers while a scan runs, what it takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from textual._compositor import CompositorUpdate

from tests.benchmarks.figures import Options
from tests.benchmarks.measure import REPOSITORY, Figure, memory
from tests.tui.pty_terminal import lumina_on_pty

_SIZE = (120, 40)
_NAME = re.compile(rb"\.(jpe?g|heic|png|tiff?|mp4|cr2|nef|arw|dng)\b", re.IGNORECASE)
_PATIENCE = 30.0


def terminal(options: Options) -> Iterator[Figure]:
    """Seconds to the first screen, keys, pages, jumps and queries in milliseconds, memory in MB."""
    folder = options.catalog or options.scanned_tree()[0]
    yield from _started(folder)
    with _scanning(options, folder):
        found, total = asyncio.run(_driven(folder))
    for name, target, values in found:
        spent = sorted(values)
        p95 = spent[min(len(spent) - 1, int(len(spent) * 0.95))]
        detail = f"{len(spent)} times in {total:,} photos: p50 {statistics.median(spent):.0f}, max {spent[-1]:.0f}"
        yield Figure(name, p95 if "95 %" in name else spent[-1], target, detail)


def _started(folder: Path) -> Iterator[Figure]:
    """From the command to the first name of a photo on a real pty, and memory after a walk through the pages."""
    times = []
    with tempfile.TemporaryDirectory(prefix="bench-home-") as home:
        for _ in range(5):
            begun = time.perf_counter()
            words = ("ui", "--catalog", str(folder), "--pictures", "blocks")
            with lumina_on_pty(*words, size=_SIZE, environment={"LUMINA_HOME": home}) as shown:
                while not _NAME.search(shown.written):
                    assert time.perf_counter() - begun < _PATIENCE, "no photo is shown"
                    shown.read(0.01)
                times.append(time.perf_counter() - begun)
                for _ in range(20):
                    shown.press("\x1b[6~")
                    shown.rest(0.1)
                taken = memory(shown.pid)
    yield Figure("first photo on the screen, seconds", statistics.median(times), 0.8, f"worst {max(times):.2f}")
    yield Figure("memory of the app, MB", taken, 300, "with all its processes, after 20 pages of pictures")


@contextlib.contextmanager
def _scanning(options: Options, folder: Path) -> Iterator[None]:
    """A scan that reads every original, again and again, in processes of its own: of the catalog shown, if ours."""
    scanned = options.scanned_tree()[0] if options.catalog is not None else folder
    loop = f'while :; do "{sys.executable}" -m lumina_fs scan "{scanned}" --rehash --quiet; done'
    process = subprocess.Popen(
        ["sh", "-c", loop], cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(3)
    try:
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()
        with contextlib.suppress(ProcessLookupError):  # until the last of them has ended
            while True:
                os.killpg(process.pid, 0)
                time.sleep(0.1)


class _Drive:
    """Presses keys and waits for the paint that follows."""

    def __init__(self, pilot: Any) -> None:
        self.app = pilot.app
        self._painted = asyncio.Event()
        display = self.app._display

        def displayed(screen: Any, renderable: Any) -> None:
            display(screen, renderable)
            if isinstance(renderable, CompositorUpdate):  # without a terminal the app would leave this out
                renderable.render_segments(self.app.console)
            self._painted.set()

        self.app._display = displayed

    async def press(self, key: str, done: Callable[[], bool]) -> float:
        """Milliseconds from a key to the first paint at which `done()` holds."""
        self._painted.clear()
        begun = time.perf_counter()
        self.app.simulate_key(key)
        while True:
            await asyncio.wait_for(self._painted.wait(), _PATIENCE)
            self._painted.clear()
            if done():
                return (time.perf_counter() - begun) * 1000

    async def rest(self) -> None:
        """Until nothing is painted for a while."""
        with contextlib.suppress(TimeoutError):
            for _ in range(100):
                self._painted.clear()
                await asyncio.wait_for(self._painted.wait(), 0.15)


async def _driven(folder: Path) -> tuple[list[tuple[str, float, list[float]]], int]:
    from lumina_fs.catalog import Catalog
    from lumina_fs.collector import starting
    from tui.app import LuminaApp
    from tui.screens.photos import PhotosScreen

    with tempfile.TemporaryDirectory(prefix="bench-home-") as home:
        os.environ.update(LUMINA_HOME=home, COLORTERM="truecolor")
        starting()  # as the command does
        app = LuminaApp(Catalog.open(str(folder)))
        async with app.run_test(size=_SIZE) as pilot:
            drive = _Drive(pilot)
            while not (isinstance(app.screen, PhotosScreen) and app.screen.current() is not None):
                await asyncio.sleep(0.05)
            screen = app.screen
            while screen.listing.order is None and not screen.listing.complete:
                await asyncio.sleep(0.05)
            found = []
            for view in ("grid", "table"):
                found += [
                    (f"{name}, {view}, ms", target, values) for name, target, values in await _walked(drive, screen)
                ]
                await drive.press("v", lambda: True)
                await drive.rest()
            found.append(("query typed to answer, ms", 200, await _asked(drive, screen)))
            total = screen.listing.total
            await app.close_session()
    return found, total


async def _walked(drive: _Drive, screen: Any) -> list[tuple[str, float, list[float]]]:
    """Single steps, pages, and jumps to both ends and to places between."""

    def moved(before: int) -> Callable[[], bool]:
        return lambda: screen.at != before and screen.current() is not None

    steps, pages, jumps = [], [], []
    for _ in range(100):
        steps.append(await drive.press("down", moved(screen.at)))
        await asyncio.sleep(0.01)
    for _ in range(60):
        pages.append(await drive.press("pagedown", moved(screen.at)))
        await asyncio.sleep(0.02)
    for key in ("end", "home") * 5:
        jumps.append(await drive.press(key, moved(screen.at)))
        await drive.rest()
    return [("key to paint, 95 %", 50.0, steps), ("a page, longest", 100.0, pages), ("a jump, longest", 100.0, jumps)]


async def _asked(drive: _Drive, screen: Any) -> list[float]:
    """From the last letter of a query to its first photos."""
    spent = []
    for text in ("camera:canon", "date:2015", "rating:>=1", "beach", "type:jpeg", "") * 2:
        before = screen.listing
        begun = time.perf_counter()
        screen.query_one("QueryInput").value = text
        while screen.listing is before or not (screen.listing.complete or screen.current() is not None):
            assert time.perf_counter() - begun < _PATIENCE, text
            await asyncio.sleep(0.002)
        spent.append((time.perf_counter() - begun) * 1000)
        await drive.rest()
    return spent
