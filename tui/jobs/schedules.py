"""Work that is done again and again: a window with the schedules, to add and to remove them."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.cli.jobs_shown import moment, schedule, when
from lumina_fs.errors import LuminaError
from lumina_fs.jobs.schedules import Planned, add_schedule, planned, remove_schedule
from tui.asking import Confirm
from tui.forms import Values
from tui.host import Host
from tui.jobs.job_forms import schedule_form
from tui.widgets.key_bar import KeyBar
from tui.widgets.virtual_table import Cell, Column, VirtualTable
from tui.windows import ModalWindow

_COLUMNS = (
    Column("name", "Name", 14),
    Column("work", "Work", 11),
    Column("when", "When", 11),
    Column("last", "Last", 19),
    Column("next", "Next", 0),
)


class Schedules(ModalWindow[None]):
    """The schedules of the open catalog."""

    CSS = """
    Schedules .asking { width: 96; height: 70%; }
    Schedules VirtualTable { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,n", "add", "Add"),
        Binding("x,delete", "remove", "Remove"),
        Binding("escape,t,q", "close", "Close"),
    ]

    app: Host

    def __init__(self) -> None:
        super().__init__()
        self._plans: list[Planned] = []

    def compose(self) -> ComposeResult:
        """A table, and what to do where it is empty."""
        with Vertical(classes="asking"):
            yield Static("Schedules", classes="asking-title")
            yield VirtualTable(_COLUMNS)
            yield Static("", classes="hint", id="none")
        yield KeyBar()

    def on_mount(self) -> None:
        """Read them."""
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Read them again."""
        assert self.app.session is not None
        try:
            self._plans = await self.app.session.read(planned)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        rows = []
        for plan in self._plans:
            one = schedule(plan)
            last = Cell(f"{moment(one['last'])[:16]} {one['state'] or ''}".strip() or "never")
            rows.append((one["name"], one["work"], when(one), last, moment(one["next"])[:16]))
        self.query_one(VirtualTable).fill(rows)
        said = "A running daemon does them, or `lumina jobs run-due`." if rows else "Nothing is scheduled. Press a."
        self.query_one("#none", Static).update(said)

    @work(group="asking")
    async def action_add(self) -> None:
        """Keep one more."""
        values = await self.app.push_screen_wait(schedule_form([plan.schedule.name for plan in self._plans]))
        if values is not None and self.app.session is not None:
            try:
                await self.app.session.read(_add, values)
            except (LuminaError, OSError) as error:
                self.app.complain(error)
            self.load()

    @work(group="asking")
    async def action_remove(self) -> None:
        """Forget the one under the cursor."""
        at = self.query_one(VirtualTable).cursor
        if at >= len(self._plans) or self.app.session is None:
            return
        name = self._plans[at].schedule.name
        lines = ["It is not done again. The records of its runs stay."]
        if await self.app.push_screen_wait(Confirm(f"Remove the schedule {name}?", lines, "Remove it")):
            try:
                await self.app.session.read(remove_schedule, name)
            except (LuminaError, OSError) as error:
                self.app.complain(error)
            self.load()

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def _add(catalog: Catalog, values: Values) -> str:
    every, at = (values["time"].strip() if values["when"] == way else None for way in ("every", "at"))
    return add_schedule(catalog, values["work"], {}, every=every, at=at, name=values["name"].strip() or None)
