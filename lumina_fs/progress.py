"""What a long job tells while it runs: plain values that the CLI prints, the TUI posts and a test lists."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is. `total` is None while it is not known; `unit` names what is counted."""

    stage: str
    done: int
    total: int | None = None
    unit: str = "files"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know, about the job as a whole."""

    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One file that could not be treated as it should. `path` is relative to its source."""

    source: str
    path: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """One original whose sidecar was written: `outcome` is added, updated, moved or replaced."""

    source: str
    path: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Finished(Generic[Result]):
    """The last event of a job, with its result."""

    result: Result


Event = Progress | Note | Trouble | Ingested


@dataclass(slots=True)
class Throttle:
    """Lets a Progress through at most every `every` seconds, so that events never cost more than work."""

    every: float = 0.1
    _last: float = field(default=0.0)

    def due(self) -> bool:
        """True when enough time has passed since the last True."""
        now = time.monotonic()
        if now - self._last < self.every:
            return False
        self._last = now
        return True


class Rate:
    """Things per second over the last seconds, and the time left, from (time, done) samples."""

    WINDOW = 15.0

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def add(self, done: int, now: float | None = None) -> None:
        """Take a sample of the counter at `now` (monotonic seconds)."""
        moment = time.monotonic() if now is None else now
        self._samples.append((moment, done))
        while len(self._samples) > 2 and moment - self._samples[1][0] > self.WINDOW:
            self._samples.pop(0)

    def per_second(self) -> float | None:
        """The rate over the window; None before it can be known."""
        if len(self._samples) < 2:
            return None
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        return (last - first) / (end - start) if end > start else None

    def seconds_left(self, total: int) -> float | None:
        """Seconds until `total` at the present rate; None before it can be known."""
        rate = self.per_second()
        if not rate or not self._samples:
            return None
        return max(0.0, (total - self._samples[-1][1]) / rate)
