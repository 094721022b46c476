"""Starts scheduled jobs when they are due, in a process of their own: watching never waits for them."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.schedules import due


class Timetable:
    """The schedules of one catalog."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None

    def look(self, catalog: Catalog) -> bool:
        """Start what is due, unless something runs; True when it did. Raises CorruptDocument."""
        if self._running is not None and self._running.poll() is None:
            return False
        self._running = None
        if not due(catalog, datetime.now().astimezone()):
            return False
        command = [sys.executable, "-P", "-m", "lumina_fs", "jobs", "run-due", "--json", "--catalog", catalog.path]
        self._running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        return True

    def close(self) -> None:
        """Ask a running job to stop where everything is valid, and wait for its end."""
        if self._running is None:
            return
        if self._running.poll() is None:
            self._running.terminate()
        try:
            self._running.wait(60.0)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
