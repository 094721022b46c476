"""The daemon as a process: a thread for each catalog, signals, and when to say that it is ready."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from index.protocol import IndexUnavailable
from lumina_fs.daemon.account import write_line
from lumina_fs.daemon.keeper import Keeper
from lumina_fs.daemon.manners import notify, stay_in_the_background
from lumina_fs.daemon.settling import quietly
from lumina_fs.errors import LuminaError
from lumina_fs.index_session import server


def run(paths: Sequence[str]) -> None:
    """Watch the catalogs at these paths until SIGTERM, SIGINT or `lumina daemon stop`. Raises Locked."""
    quietly()
    # No event: a handler that sets one in the midst of its `wait` would stand still for ever. And no write by a handler
    # alone: the kernel gives a signal to any of our threads, and only this one, which sleeps then, runs handlers.
    asked, ask = os.pipe()
    os.set_blocking(ask, False)

    def stop(*_: object) -> None:
        with contextlib.suppress(BlockingIOError):  # it is full: it was asked often enough
            os.write(ask, b".")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(ask, warn_on_full_buffer=False)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(IndexUnavailable):  # the server is to keep its own priority
            stack.enter_context(server())
        stay_in_the_background()
        crew = _Crew(paths, stop)
        crew.start()
        os.read(asked, 1)
        notify("STOPPING=1")
        crew.end()
    if crew.failed:
        raise crew.failed[0]


class NotWatched(LuminaError):
    """A catalog that could not be watched, for a reason of the system."""


class _Crew:
    """All the keepers."""

    def __init__(self, paths: Sequence[str], stop: Callable[[], None]) -> None:
        self._stop = stop
        self._guard = threading.Lock()
        self._keepers = [Keeper(path, self._ready, stop) for path in paths]
        self._waiting = set(self._keepers)
        self._threads = [threading.Thread(target=self._run, args=(keeper,)) for keeper in self._keepers]
        self.failed: list[LuminaError] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        for keeper in self._keepers:
            keeper.stop()
        for thread in self._threads:
            thread.join()

    def _run(self, keeper: Keeper) -> None:
        try:
            keeper.run()
        except Exception as error:
            told = error if isinstance(error, LuminaError) else NotWatched(str(error), path=keeper.catalog.path)
            with self._guard:
                self.failed.append(told)
            if len(self.failed) == len(self._keepers):
                self._stop()
            else:
                write_line(f"lumina: {error}")
                self._ready(keeper)

    def _ready(self, keeper: Keeper) -> None:
        with self._guard:
            self._waiting.discard(keeper)
            if self._waiting:
                return
        folders = sum(one.watcher.count for one in self._keepers)
        write_line(f"ready: {len(self._keepers)} catalog(s), {folders:,} folders watched", sys.stdout)
        notify("READY=1\nSTATUS=watching")
