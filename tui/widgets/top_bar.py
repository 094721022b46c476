"""The line on top: the screens to go to, the catalog that is open, and what runs in it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.cli.display import duration
from lumina_fs.jobs.records import Record
from lumina_fs.terminal import visible
from tui.following import Change, JobsChanged
from tui.host import Host
from tui.rooms import KEYS, ROOMS


class TopBar(Horizontal):
    """Names of the screens, clickable; the one that is shown is marked by brackets, not by colour alone."""

    app: Host

    def __init__(self, here: str) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        """A name a screen, then what runs."""
        for name, room in ROOMS.items():
            shown = f"[{KEYS[name]} {room.title}]" if name == self._here else f" {KEYS[name]} {room.title} "
            yield RoomName(name, shown, here=name == self._here)
        yield Doing(id="doing")


class RoomName(Static):
    """The name of a screen; a click goes there."""

    app: Host

    def __init__(self, room: str, shown: str, *, here: bool) -> None:
        super().__init__(Content(shown), classes="room -here" if here else "room")
        self._room = room

    def on_click(self) -> None:
        """Go there."""
        self.app.action_go(self._room)


class Doing(Static):
    """The open catalog and the job that runs, or what is wrong with the index."""

    app: Host
    said: reactive[str] = reactive("")

    def on_mount(self) -> None:
        """Listen for jobs."""
        self.app.changes.subscribe(self, self._hear)
        self._say(self.app.jobs)

    def _hear(self, change: Change) -> None:
        if isinstance(change, JobsChanged):
            self._say(change.jobs)
        else:
            self._say(self.app.jobs)

    def _say(self, jobs: tuple[Record, ...]) -> None:
        name = self.app.session.catalog.name if self.app.session is not None else ""
        parts = [self.app.trouble] if self.app.trouble else []
        parts += [doing(record) for record in jobs if record.alive][:2]
        self.said = "  ".join([*parts, name])

    def render(self) -> Content:
        """The text, its end cut where there is no room."""
        return Content(visible(self.said))


def doing(record: Record) -> str:
    """A running job in a few words: `scan 43% 2 min 10 s left`."""
    job = record.job
    parts: list[str] = [job.work]
    if record.state == "pending":
        parts.append("waits")
    elif job.percent is not None:
        parts.append(f"{job.percent:.0f}%")
    elif job.current:
        parts.append(f"{job.current:,} {job.unit}".strip())
    if job.seconds_left is not None:
        parts.append(f"{duration(job.seconds_left)} left")
    return " ".join(parts)
