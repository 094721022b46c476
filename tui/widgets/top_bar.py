"""The line on top: the screens to go to, the catalog that is open, and what runs in it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.jobs.records import Record
from lumina_fs.terminal import visible
from lumina_fs.wording import duration
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
        for name in ROOMS:
            yield RoomName(name, here=name == self._here)
        yield Doing(id="doing")

    def fit(self, said: str, *, urgent: bool) -> None:
        """Names of other screens give way to what runs or is wrong: their keys stay, and can still be clicked."""
        names = list(self.query(RoomName))
        room = self.size.width - sum(len(name.full) for name in names) - 2
        brief = urgent and self.size.width > 0 and room < cell_len(said)
        for name in names:
            name.brief = brief


class RoomName(Static):
    """The name of a screen; a click goes there."""

    app: Host
    brief: reactive[bool] = reactive(False, layout=True)

    def __init__(self, room: str, *, here: bool) -> None:
        super().__init__(classes="room -here" if here else "room")
        self._room = room
        self._here = here
        title = f"{KEYS[room]} {ROOMS[room].title}"
        #: As long as there is room for it.
        self.full = f"[{title}]" if here else f" {title} "
        self.tooltip = None if here else ROOMS[room].title

    def render(self) -> Content:
        """Its key and its title."""
        return Content(f" {KEYS[self._room]} " if self.brief and not self._here else self.full)

    def on_click(self) -> None:
        """Go there."""
        self.app.action_go(self._room)


class Doing(Static):
    """The open catalog and the job that runs, or what is wrong with the index."""

    app: Host
    said: reactive[str] = reactive("")
    _urgent = False

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
        self._urgent = bool(parts)
        self.said = visible("  ".join([*parts, name]))
        self._fit()

    def _fit(self) -> None:
        for bar in self.ancestors:
            if isinstance(bar, TopBar):
                bar.fit(self.said, urgent=self._urgent)

    def on_resize(self) -> None:
        """There may be more room, or less."""
        self._fit()

    def render(self) -> Content:
        """The text, its end cut where there is no room."""
        return Content(self.said)


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
