"""All plans, the newest first, and what may be done next with the one under the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.message import Message
from textual.widgets import Static

from lumina_fs.plans.listing import Listed
from lumina_fs.viewing.plan_values import PlanList
from lumina_fs.wording import in_words, plural, size
from tui.foreign import foreign_lines
from tui.host import Host
from tui.plans.asking_desk import ask_desk
from tui.plans.words import NEXT, STATES, counted, state
from tui.widgets.virtual_table import Cell, Column, VirtualTable

_NARROW = (Column("state", "State", 13), Column("created", "When", 16), Column("name", "Name"))
_WIDE = (
    Column("state", "State", 13), Column("created", "When", 16), Column("kind", "Kind", 18),
    Column("counts", "Actions", 28), Column("size", "Size", 9, "right"), Column("name", "Name"),
)  # fmt: skip
#: Seconds that the clerk reads before it shows what it has.
_SLICE = 0.3


class PlanListPane(Vertical):
    """The list. The screen hears `Opened`."""

    DEFAULT_CSS = """
    PlanListPane { height: 1fr; }
    PlanListPane #plan-next { height: auto; max-height: 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", tooltip="Open the plan under the cursor"),
        Binding("n", "screen.create", "New plan"),
    ]

    app: Host

    class Opened(Message):
        """A plan was chosen."""

        def __init__(self, plan: Listed) -> None:
            super().__init__()
            self.plan = plan

    class Loaded(Message):
        """The list was read again, all of it."""

        def __init__(self, plans: tuple[Listed, ...]) -> None:
            super().__init__()
            self.plans = plans

    def __init__(self) -> None:
        super().__init__(id="list")
        self.plans: tuple[Listed, ...] = ()
        self.wanted: str | None = None
        """Id of the plan that the cursor shall be on once it is there."""

    def compose(self) -> ComposeResult:
        """A table and a line under it."""
        yield VirtualTable(_WIDE, id="plans")
        yield Static("", id="plan-next", classes="hint", markup=False)

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one("#plans", VirtualTable)

    @property
    def current(self) -> Listed | None:
        """The plan under the cursor."""
        at = self.table.cursor
        return self.plans[at] if at < len(self.plans) else None

    @work(exclusive=True, group="plan list")
    async def load(self) -> None:
        """Read what changed; many plans come in slices."""
        while True:
            found = await ask_desk(self.app, "list", "list", PlanList.of, seconds=_SLICE)
            if found is None or not self.is_mounted:
                return
            self._show(found)
            if not found.left:
                self.post_message(self.Loaded(found.plans))
                return

    def _show(self, found: PlanList) -> None:
        here = self.wanted or (self.current.id if self.current is not None else None)
        self.plans = found.plans
        at = next((number for number, plan in enumerate(self.plans) if plan.id == here), None)
        if at is not None:
            self.wanted = None
        self._fill(at)
        if found.left:
            self.query_one("#plan-next", Static).update(f"reading {plural(found.left, 'more plan')} …")

    def _fill(self, cursor: int | None = None) -> None:
        columns = _WIDE if self.app.size.width >= 100 else _NARROW
        self.table.columns = list(columns)
        self.table.fill([tuple(_cells(plan)[one.key] for one in columns) for plan in self.plans], cursor=cursor)
        self._say()

    @on(Resize)
    def _resized(self) -> None:
        self._fill()

    @on(VirtualTable.Moved)
    def _say(self) -> None:
        plan = self.current
        line = self.query_one("#plan-next", Static)
        if plan is None:
            line.update("No plan yet. Press n to propose one: nothing moves before you approved it.")
            return
        facts = plan.problem or f"{counted(plan.counts or {})} · {size(plan.size)} · {plan.purpose.replace('_', ' ')}"
        line.update(foreign_lines([f"{state(plan.status)}: {NEXT.get(plan.status, '')}", facts]))

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Look at the plan under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))


def _cells(plan: Listed) -> dict[str, str | Cell]:
    return {
        "state": Cell(state(plan.status), STATES.get(plan.status, ("", "", ""))[2]),
        "created": plan.created[:16].replace("T", " "),
        "kind": in_words(plan.purpose),
        "counts": counted(plan.counts or {}),
        "size": size(plan.size),
        "name": plan.problem or plan.name,
    }
