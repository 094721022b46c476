"""What the daemon says of itself: lines for the log, each once, and numbers for `lumina daemon status`."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Any, TextIO

from lumina_fs.progress import Event, Ingested, Note, Progress, Trouble
from lumina_fs.terminal import visible

_LINES = 1000
_guard = threading.Lock()


def write_line(text: str, stream: TextIO | None = None) -> None:
    """One line, escaped, whole, and at once."""
    out = stream or sys.stderr
    with _guard:
        try:
            out.write("\n".join(visible(line) for line in text.split("\n")) + "\n")
            out.flush()
        except (OSError, ValueError):
            pass  # nobody listens any more: no reason to stop watching


@dataclass(slots=True)
class Account:
    """What happened to one catalog since the daemon started."""

    name: str
    state: str = "starting"
    trouble: str = ""
    passes: int = 0
    narrow_passes: int = 0
    written: int = 0
    unfinished: list[str] = field(default_factory=list)
    not_written: int = 0
    _told: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """A pass begins."""
        self.not_written = 0

    def take(self, event: Event) -> None:
        """Count an event, and log what a person should know; what was told before is not told again."""
        if isinstance(event, Ingested):
            self.written += 1
        elif isinstance(event, Progress):
            self.state = f"{event.stage} {event.done:,}" + (f" of {event.total:,}" if event.total else "")
        elif isinstance(event, Note):
            self.tell(event.text)
        elif isinstance(event, Trouble):
            self.not_written += event.code == "not_written"
            place = f":{event.line}:{event.column}" if event.line else ""
            self.tell(f"{event.source}: {event.path}{place}: {event.message}")

    def tell(self, text: str) -> None:
        """A line in the log, unless it stands there already."""
        if text in self._told:
            return
        if len(self._told) >= _LINES:
            self._told.clear()
        self._told.add(text)
        write_line(f"{self.name}: {text}")

    def fail(self, text: str) -> None:
        """Say what keeps the daemon from its work; "" when nothing does any more."""
        if text and text != self.trouble:
            write_line(f"{self.name}: {text}")
        elif self.trouble and not text:
            write_line(f"{self.name}: all is well again")
        self.trouble = text

    def as_dict(self) -> dict[str, Any]:
        """For `lumina daemon status`."""
        return {
            "state": self.state, "trouble": self.trouble or None, "passes": self.passes,
            "narrow_passes": self.narrow_passes, "written": self.written, "unfinished": self.unfinished[:20],
        }  # fmt: skip
