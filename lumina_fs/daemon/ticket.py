"""A process that waits for `sync`: it is answered after a comparison of everything that began after it asked."""

from __future__ import annotations

import threading
import time
from typing import Any

from lumina_fs.scan import ScanResult

#: Files that are still being written hold a sync back for at most this long.
_UNFINISHED_SECONDS = 30.0


class Ticket:
    """One question, and its answer when there is one."""

    def __init__(self, seconds: float) -> None:
        self._begun = time.monotonic()
        self._seconds = seconds
        self._answered = threading.Event()
        self._answer: dict[str, Any] = {}
        self._behind = 0

    def give(self, answer: dict[str, Any]) -> None:
        """Answer it."""
        self._answer = {**answer, "seconds": round(time.monotonic() - self._begun, 3)}
        self._answered.set()

    def take(self, result: ScanResult, unfinished: list[str]) -> bool:
        """Everything was compared: True when that answers it, False when once more may give a better answer."""
        waited = time.monotonic() - self._begun
        if unfinished and waited < min(self._seconds, _UNFINISHED_SECONDS):
            return False
        self._behind += result.index == "behind"
        if result.index == "behind" and self._behind < 4 and waited < self._seconds:
            return False
        whole = not (unfinished or result.offline or result.index == "behind")
        self.give({
            "done": whole, "index": result.index, "offline": result.offline, "unfinished": unfinished,
            "found": result.found, "problems": result.problems, "message": None,
        })  # fmt: skip
        return True

    def wait(self, stopping: threading.Event) -> dict[str, Any]:
        """The answer, when it is there; another one when time is up or the daemon ends."""
        deadline = self._begun + self._seconds
        while not self._answered.wait(0.5):
            if time.monotonic() > deadline + 5.0:
                return {"done": False, "message": f"not done in {self._seconds:g} s; lumina daemon status says why"}
            if stopping.is_set() and not self._answered.wait(2.0):
                return {"done": False, "message": "the daemon was stopped"}
        return self._answer
