"""Gathers hints until things have come to rest, and tells files that somebody is still writing."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lumina_fs.file_state import has_writer

#: A change is looked into when nothing more was heard for this long, or this long after it was first heard of.
QUIET, PATIENCE = 0.1, 0.8

#: More folders than this are not told apart: all of them are compared.
_MOST_FOLDERS = 5_000
_MOST_NAMES = 50_000

#: Nobody holds back a file that did not change for this long, even if it is open for writing.
_STALE_SECONDS = 120.0
#: Where the kernel does not say who writes, a file that changed less long ago is left alone.
_REST_SECONDS = 2.0


@dataclass(slots=True)
class _Mark:
    below: bool = False
    names: set[str] | None = field(default_factory=set)


class Gathered:
    """Folders that changed, by source. Safe to use from several threads; `bell` is notified of each first hint."""

    def __init__(self, bell: threading.Condition) -> None:
        self._bell = bell
        self._marks: dict[tuple[str, str], _Mark] = {}
        self._first = self._last = 0.0
        self._names = 0
        self.not_before = 0.0

    def add(self, source: str, folder: str, path: str, *, below: bool = False) -> None:
        """Something changed in a folder: the file at the absolute `path`, or ("") anything."""
        with self._bell:
            now = time.monotonic()
            if not self._marks:
                self._first = now
                self._bell.notify_all()
            self._last = now
            mark = self._marks.setdefault((source, folder), _Mark())
            mark.below |= below
            if below or not path or self._names > _MOST_NAMES:
                mark.names = None
            elif mark.names is not None and path not in mark.names:
                mark.names.add(path)
                self._names += 1

    def due(self) -> float | None:
        """When it is time to look (monotonic seconds); None while there is nothing."""
        with self._bell:
            if not self._marks:
                return None
            return max(self.not_before, min(self._last + QUIET, self._first + PATIENCE))

    def __len__(self) -> int:
        return len(self._marks)

    def clear(self) -> None:
        """All is going to be compared."""
        with self._bell:
            self._marks = {}
            self._names = 0

    def take(self, ours: Callable[[str], bool]) -> dict[str, dict[str, bool]] | None:
        """The folders by source that somebody else than us changed; None when there are too many to tell apart."""
        with self._bell:
            marks, self._marks = self._marks, {}
            self._names = 0
        if len(marks) > _MOST_FOLDERS:
            return None
        folders: dict[str, dict[str, bool]] = {}
        for (source, folder), mark in marks.items():
            if mark.below or mark.names is None or not all(map(ours, mark.names)):
                folders.setdefault(source, {})[folder] = mark.below
        return folders


def is_being_written(path: str, now: float | None = None) -> bool:
    """True when somebody has the file open for writing, as far as the kernel tells, else when it changed just now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        age = (time.time() if now is None else now) - os.fstat(fd).st_mtime
        if age > _STALE_SECONDS:
            return False
        written = has_writer(fd) if signal.getsignal(signal.SIGIO) is signal.SIG_IGN else None
        return 0 <= age < _REST_SECONDS if written is None else written
    finally:
        os.close(fd)


def quietly() -> None:
    """Ignore the signal of leases; to be called once, in the main thread."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
