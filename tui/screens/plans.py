"""The screen of plans: their list, one of them with all that may be done with it, and the trash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from tui.catalog_screen import CatalogScreen
from tui.following import Change, FilesChanged, JobsChanged
from tui.plans.chips import Chips
from tui.plans.creator import CreatePlan
from tui.plans.list_pane import PlanListPane
from tui.plans.plan_pane import PlanPane
from tui.plans.rows_pane import RowsPane
from tui.plans.trash_pane import TrashPane

_TABS = (("list", "Plans"), ("trash", "Trash (t)"))


class PlansScreen(CatalogScreen):
    """List, plan, trash: one of them is shown."""

    NAME = "plans"
    DEFAULT_CSS = """
    PlansScreen #panes { height: 1fr; }
    """
    PARTS = (PlanListPane, PlanPane, RowsPane, TrashPane)
    ANYWHERE = frozenset({"create"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tab", "Trash", show=False, tooltip="To the trash, or back to the plans"),
        Binding("n", "create", "New", show=False, tooltip="New plan: propose one"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._form: dict[str, Any] = {}

    def content(self) -> Iterable[Widget]:
        """Two tabs; the list and one plan share the first."""
        yield Chips(_TABS, "list", id="tabs")
        with ContentSwitcher(initial="list", id="panes"):
            yield PlanListPane()
            yield PlanPane()
            yield TrashPane()

    # -- parts

    @property
    def plans(self) -> PlanListPane:
        """The list."""
        return self.query_one(PlanListPane)

    @property
    def plan(self) -> PlanPane:
        """The open plan."""
        return self.query_one(PlanPane)

    @property
    def trash(self) -> TrashPane:
        """The trash."""
        return self.query_one(TrashPane)

    @property
    def shown(self) -> str:
        """Which of the three is shown: list, plan or trash."""
        return self.query_one("#panes", ContentSwitcher).current or "list"

    def _show(self, pane: str) -> None:
        self.query_one("#panes", ContentSwitcher).current = pane
        self.query_one("#tabs", Chips).show(_TABS, "trash" if pane == "trash" else "list")
        if self.app.screen is self:
            if pane == "plan":
                self.plan.rows.focus_rows()
            else:
                (self.trash if pane == "trash" else self.plans).table.focus()
        self.refresh_bindings()

    # -- loading and changes

    def load(self) -> None:
        """What is shown, again; the list also tells of news of the open plan."""
        self.plans.load()
        if self.shown == "trash":
            self.trash.load()

    def concerns(self, change: Change) -> bool:
        """Plans, the trash, and runs of plans."""
        if isinstance(change, FilesChanged):
            return bool(change.kinds & {"plans", "trash"})
        return isinstance(change, JobsChanged)

    def changed(self, change: Change) -> None:
        """A running job only moves the monitor."""
        if isinstance(change, JobsChanged):
            self.plan.follow(change.jobs)
            if not any(record.job.work == "apply" for record in change.ended):
                return
        self.load()

    @on(PlanListPane.Loaded)
    def _loaded(self, event: PlanListPane.Loaded) -> None:
        if self.shown == "plan":
            found = next((one for one in event.plans if one.id == self.plan.plan), None)
            self.plan.saw(found)

    # -- moving about

    @on(PlanListPane.Opened)
    def _opened(self, event: PlanListPane.Opened) -> None:
        self.open(event.plan.id)

    def open(self, plan: str, *, cursor: int = 0) -> None:
        """Show a plan."""
        self.plans.wanted = plan
        self._show("plan")
        self.plan.open(plan, cursor=cursor)

    @on(PlanPane.Closed)
    def _plan_closed(self) -> None:
        if self.shown == "plan":
            self._show("list")

    @on(PlanPane.Acted)
    @on(TrashPane.Acted)
    def _acted(self) -> None:
        self.plans.load()

    @on(PlanPane.Made)
    @on(TrashPane.Made)
    def _made(self, event: PlanPane.Made | TrashPane.Made) -> None:
        self.plans.load()
        self.plan.rows.take({})
        self.open(event.plan)

    def action_tab(self) -> None:
        """To the other tab."""
        self._to_tab("list" if self.shown == "trash" else "trash")

    @on(Chips.Picked, "#tabs")
    def _tab_picked(self, event: Chips.Picked) -> None:
        self._to_tab(event.key)

    def _to_tab(self, pane: str) -> None:
        self._show(pane)
        if pane == "trash":
            self.trash.load()

    def action_create(self) -> None:
        """Propose a plan, and show it."""
        form = CreatePlan(self._form)

        def created(made: str | None) -> None:
            self._form = form.filled
            if made is None:
                return
            self.plans.load()
            self.plan.rows.take({})
            self.open(made)

        self.app.push_screen(form, created)

    # -- memory

    def state(self) -> dict[str, Any]:
        """The pane, the plan with its filter and place, the plan under the cursor of the list."""
        if not self.query(PlanListPane):
            return {}
        rows, current = self.plan.rows, self.plans.current
        return {
            "pane": self.shown, "plan": self.plan.plan if self.shown == "plan" else None, **rows.choice,
            "look": rows.look, "row": self.plan.cursor, "listed": current.id if current is not None else None,
            "form": self._form,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """A plan is opened as it was left; without one the list or the trash is shown."""
        self.plans.wanted = str(state["listed"]) if state.get("listed") else None
        self.plan.rows.take(state)
        if isinstance(form := state.get("form"), dict):
            self._form = form
        plan, row = state.get("plan"), state.get("row")
        if isinstance(plan, str) and plan:
            self.open(plan, cursor=row if isinstance(row, int) else 0)
        else:
            self._show("trash" if state.get("pane") == "trash" else "list")
