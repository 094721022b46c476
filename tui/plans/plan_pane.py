"""One plan: what it does and what is to be looked at, its rows, its run, and all that may be done with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import WorkerCancelled

from lumina_fs.errors import LuminaError
from lumina_fs.jobs.launch import Ended
from lumina_fs.jobs.records import Record
from lumina_fs.plans.listing import Listed
from lumina_fs.viewing.plan_values import DeskError, OpenedPlan
from lumina_fs.viewing.plans import ask_to_stop, edit_plan, plan_bytes, put_back
from lumina_fs.wording import plural
from tui.asking import AskText, Choose, Confirm
from tui.foreign import foreign, foreign_lines
from tui.host import Host
from tui.plans.asking_desk import ask_desk, ask_desk_plainly
from tui.plans.monitor import Monitor, run_of
from tui.plans.rows_pane import RowsPane
from tui.plans.words import NEXT, rooms, state, summary, to_apply, to_approve

Answer = TypeVar("Answer")

#: Action -> states in which it makes sense.
_WHEN = {
    "approve": {"draft", "void"}, "reject": {"draft", "void"}, "reject_refused": {"draft", "void"},
    "delete": {"draft", "void"}, "edit": {"draft", "void", "approved", "broken"}, "apply": {"approved"},
    "stop": {"executing"}, "resume": {"interrupted", "failed"}, "roll_back": {"interrupted", "failed"},
    "undo": {"complete", "failed"},
}  # fmt: skip

#: Said where actions are rejected.
_STAYS = "what is rejected stays readable in the plan"


class PlanPane(Vertical):
    """The open plan. The screen hears `Closed`, `Made` and `Gone`."""

    DEFAULT_CSS = """
    PlanPane { height: 1fr; }
    PlanPane #plan-head { height: auto; max-height: 8; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", tooltip="Back to the list of plans"),
        Binding("a", "approve", "Approve", tooltip="Approve exactly what the plan says now"),
        Binding("x", "apply", "Apply", tooltip="Apply: carry the plan out"),
        Binding("s", "stop", "Stop", tooltip="Stop the run between two actions"),
        Binding("R", "resume", "Resume", tooltip="Resume: finish an interrupted run"),
        Binding("b", "roll_back", "Roll back", tooltip="Roll back: everything where it was before the run"),
        Binding("u", "undo", "Undo", tooltip="Undo: propose the plan that takes this one back"),
        Binding("r", "reject", "Reject", tooltip="Reject the marked actions, or the one under the cursor"),
        Binding(
            "X", "reject_refused", "Reject refused", show=False, tooltip="Reject all actions that would be refused"
        ),
        Binding("e", "edit", "Edit", tooltip="Edit the plan in $EDITOR"),
        Binding("d", "delete", "Delete", show=False, tooltip="Delete this draft"),
    ]

    app: Host

    class Closed(Message):
        """Back to the list."""

    class Made(Message):
        """Another plan was proposed, to be shown."""

        def __init__(self, plan: str) -> None:
            super().__init__()
            self.plan = plan

    class Acted(Message):
        """Something was done to plans: the list is to be read again."""

    def __init__(self) -> None:
        super().__init__(id="plan")
        self.plan = ""
        self.status = ""
        self._digest = ""
        self._opened: OpenedPlan | None = None
        self._line: int | None = None
        #: The state and digest of the list for which it is being read.
        self._being_read: tuple[str, str] | None = None
        self._waited = 0
        self._going_to: int | None = None
        #: True while somebody carries it out, or checks it before that.
        self._runs = False
        self._looks = False

    def compose(self) -> ComposeResult:
        """Summary, monitor, rows."""
        yield Static("", id="plan-head", markup=False)
        yield Monitor()
        yield RowsPane()

    @property
    def rows(self) -> RowsPane:
        """The rows."""
        return self.query_one(RowsPane)

    # -- showing

    @property
    def cursor(self) -> int:
        """The row that the cursor is on, or shall be on once the plan is read."""
        return self.rows.table.cursor if self._going_to is None else self._going_to

    def open(self, plan: str, *, cursor: int = 0) -> None:
        """Read a plan and show it."""
        if plan != self.plan:
            self.rows.clear()
            self.plan, self.status, self._digest, self._opened = plan, "", "", None
            self.query_one(Monitor).show(None)
            self._runs = False
            if self.app.session is not None:
                self.app.session.desk("plan").drop()  # what it may be reading, nobody wants any more
        self._read(cursor)

    def saw(self, listed: Listed | None) -> None:
        """What the list says of this plan: where that is news, it is read again."""
        if listed is None:
            self.post_message(self.Closed())
            return
        news = listed.status, listed.digest
        if news not in ((self.status, self._digest), self._being_read):
            self._read(self.cursor, news)

    @work(exclusive=True, group="open plan")
    async def _read(self, cursor: int, news: tuple[str, str] | None = None) -> None:
        self._being_read = news
        self._waited, self._going_to = 0, cursor
        clock = self.set_interval(1.0, self._wait)
        try:
            opened = await ask_desk_plainly(self.app, "plan", "open", OpenedPlan.of, plan=self.plan, **self.rows.choice)
            self._show(opened, cursor)
            if not opened.judged:
                choice = self.rows.choice
                judged = await ask_desk_plainly(self.app, "plan", "judge", OpenedPlan.of, **choice)
                if choice == self.rows.choice:
                    self._show(judged, self.rows.table.cursor, frozenset(self.rows.table.marks))
                else:
                    self._show(judged, 0)
                    self.rows.choose()  # what was chosen meanwhile
        except DeskError as error:
            self._broken(error)
        finally:
            clock.stop()
            if self._being_read is news:  # else it is being read for something else by now
                self._being_read = None

    def _show(self, opened: OpenedPlan, cursor: int, marks: frozenset[int] = frozenset()) -> None:
        self._opened, self._line, self._going_to = opened, None, None
        self.status, self._digest = opened.facts.status, opened.facts.digest
        self._show_head(opened)
        self.rows.show(opened, cursor=cursor)
        self.rows.table.marks |= marks
        self.follow(self.app.jobs)
        self.refresh_bindings()

    def _wait(self) -> None:
        self._waited += 1
        if self._opened is None:
            self.query_one("#plan-head", Static).update(f"reading the plan … {self._waited} s")

    def _show_head(self, opened: OpenedPlan) -> None:
        facts = opened.facts
        by = f" by {opened.by}" if opened.by and facts.status not in ("draft", "void") else ""
        made = facts.created[:16].replace("T", " ")
        lines = [f"{state(facts.status)}{by} · {facts.name} · {made}"]
        lines += [opened.note] if opened.note else []
        tall = self.app.size.height >= 30
        lines += [] if opened.judged else ["… finding out which actions would be refused as things are now"]
        lines += [*summary(facts), *rooms(facts, idle=tall)]
        if tall:
            lines += [text for text in opened.troubles if text.startswith(("failed", "refused"))][:2]
        self.query_one("#plan-head", Static).update(foreign_lines(lines[: 8 if tall else 5]))

    def _broken(self, error: DeskError) -> None:
        if error.kind == "UsageError":  # it is gone
            self.post_message(self.Closed())
            return
        unread = not error.kind  # it could not even be read
        self._opened, self.status, self._digest, self._line = None, "" if unread else "broken", "", error.line
        self._going_to = None
        self.rows.clear()
        text = [] if unread else [f"{state('broken')}: {NEXT['broken']}"]
        self.query_one("#plan-head", Static).update(foreign_lines([*text, str(error)]))
        self.refresh_bindings()

    def follow(self, jobs: tuple[Record, ...]) -> None:
        """Show how the run of this plan gets on."""
        record = run_of(jobs, self.plan)
        runs = record is not None and record.alive
        if runs != self._runs:
            self._runs = runs
            self.refresh_bindings()
        if runs and not self._looks:
            self._look_again()
        begun = self.status in ("executing", "interrupted", "failed") or runs
        failed = self.status == "approved" and record is not None and record.state == "failure"
        self.query_one(Monitor).show(record if begun or failed else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what the state of the plan allows; while it is checked or carried out, only to stop that."""
        if action not in _WHEN:
            return True
        if action == "reject" and self.rows.look != "actions":
            return False
        if action == "stop":
            return self._runs or self.status in _WHEN[action]
        # what is told of a run may lag behind what became of the plan: only before its first action it holds it
        return self.status in _WHEN[action] and not (self._runs and self.status == "approved")

    @work(group="look again")
    async def _look_again(self) -> None:
        self._looks = True
        try:
            await self.rows.look_again()
        finally:
            self._looks = False

    def action_close(self) -> None:
        """Back: first from a text that is typed, then to the list."""
        if self.rows.query_one("#match").has_focus:
            self.rows.focus_rows()
        else:
            self.post_message(self.Closed())

    # -- what a person decides

    @work(group="plan action")
    async def action_approve(self) -> None:
        """Approve exactly what is shown."""
        opened = self._opened
        if opened is None:
            return
        facts = opened.facts
        arguments: dict[str, Any] = {"plan": facts.plan, "digest": facts.digest}
        if await ask_desk(self.app, "plan", "check", bool, **arguments) is None:
            return
        if await self.app.push_screen_wait(Confirm("Approve this plan?", to_approve(facts), "Approve")):
            if await ask_desk(self.app, "plan", "approve", bool, **arguments) is not None:
                self.app.notify("Approved. [x] carries it out.", title="Plan", markup=False)
            self.post_message(self.Acted())

    @work(group="plan action")
    async def action_apply(self) -> None:
        """Carry it out."""
        if self._opened is None:
            return
        facts = self._opened.facts
        if await self.app.push_screen_wait(Confirm("Carry this plan out now?", to_apply(facts), "Carry out")):
            self._start("apply", "--yes", facts.digest)

    def _start(self, how: str, *more: str) -> None:
        self.app.start(["plan", how, self.plan, *more, "--json"], self._ended)

    def _ended(self, ended: Ended) -> None:
        """The toast of the job says what came of it; here is said what went wrong before there was one."""
        if ended.code not in (0, 3, 130) and not ended.output.strip():
            self.app.notify(foreign(ended.complaint or f"exit code {ended.code}").plain, title="The plan",
                            severity="error", markup=False, timeout=10)  # fmt: skip
        self.post_message(self.Acted())

    @work(group="plan action")
    async def action_stop(self) -> None:
        """Ask the run to stop."""
        record = run_of(self.app.jobs, self.plan)
        if record is not None and record.alive and await self._of_files(ask_to_stop, record.id):
            self.app.notify("It stops after the present action.", title="Plan", markup=False)

    @work(group="plan action")
    async def action_resume(self) -> None:
        """Finish it."""
        lines = ["What was begun is finished: the actions that are left are carried out.",
                 "It is checked first; if the rest cannot be done, no further file is touched."]  # fmt: skip
        if await self.app.push_screen_wait(Confirm("Resume this plan?", lines, "Resume")):
            self._start("resume")

    @work(group="plan action")
    async def action_roll_back(self) -> None:
        """Take it back."""
        lines = ["Everything goes back where it was before the run, and folders that it made are removed.",
                 "Copies that it had made go to the trash."]  # fmt: skip
        if await self.app.push_screen_wait(Confirm("Roll this plan back?", lines, "Roll back")):
            self._start("rollback")

    @work(group="plan action")
    async def action_undo(self) -> None:
        """Propose the inverse."""
        lines = ["A new plan is proposed that takes this one back, for what is there now.",
                 "Nothing is moved yet: you look at it and approve it, as any plan."]  # fmt: skip
        if await self.app.push_screen_wait(Confirm("Propose the undo of this plan?", lines, "Propose")):
            self.app.start(["plan", "undo", self.plan, "--json"], self._undone)

    def _undone(self, ended: Ended) -> None:
        try:
            made = str(json.loads(ended.output)["plan"])
        except (ValueError, KeyError, TypeError):
            self._ended(ended)
            return
        self.post_message(self.Made(made))

    @work(group="plan action")
    async def action_reject(self) -> None:
        """Reject the marked actions, or the one under the cursor."""
        table, view = self.rows.table, self.rows.view
        rows = sorted(table.marks) or [table.cursor]
        if not table.total or self.rows.look != "actions":
            return
        title = f"Reject {plural(len(rows), 'action')}: why?"
        why = await self.app.push_screen_wait(AskText(title, "rejected", hint=_STAYS))
        if why is not None:
            await self._reject(view, rows, why)

    @work(group="plan action")
    async def action_reject_refused(self) -> None:
        """Reject all that would be refused."""
        count = self._opened.facts.refused if self._opened is not None else 0
        if not count:
            self.app.notify("No action would be refused.", markup=False)
            return
        title = f"Reject {'all ' if count > 1 else ''}{plural(count, 'refused action')}: why?"
        why = await self.app.push_screen_wait(AskText(title, "cannot be done", hint=_STAYS))
        if why is not None:
            await self._reject(self.rows.view, [], why, refused=True)

    async def _reject(self, view: int, rows: list[int], why: str, *, refused: bool = False) -> None:
        arguments: dict[str, Any] = {"view": view, "rows": rows, "reason": why or "rejected", "refused": refused}
        done = await ask_desk(self.app, "plan", "reject", int, **arguments)
        if done is not None:
            self.app.notify(f"{plural(done, 'action')} rejected.", title="Plan", markup=False)
            self._read(self.cursor)
        self.post_message(self.Acted())

    @work(group="plan action")
    async def action_delete(self) -> None:
        """Remove the draft."""
        if self._opened is None:
            return
        facts = self._opened.facts
        lines = [facts.name, "The file of the draft is removed. No photo is touched."]
        if await self.app.push_screen_wait(Confirm("Delete this draft?", lines, "Delete", dangerous=True)):
            if await ask_desk(self.app, "plan", "delete", bool, plan=facts.plan, digest=facts.digest) is not None:
                self.post_message(self.Closed())
            self.post_message(self.Acted())

    @work(group="plan action")
    async def action_edit(self) -> None:
        """Open it in the editor; after that it is read again, and what is wrong is told with line and column."""
        session = self.app.session
        if session is None:
            return
        before = await self._of_files(plan_bytes, self.plan) or b""
        while True:
            try:
                with self.app.suspend():
                    problem = edit_plan(session.catalog, self.plan, self._line)
            except SuspendNotSupported:
                problem = "the editor needs a terminal of its own; edit the file yourself: lumina plan edit"
            if problem:
                self.app.notify(problem, severity="error", markup=False, timeout=10)
            self._read(self.cursor)
            await self._until_read()
            self.post_message(self.Acted())
            if self.status != "broken" or problem:
                return
            said = self.query_one("#plan-head", Static)
            answers = [("again", "edit it again"), ("back", "go back to what it was"), ("keep", "keep it as it is")]
            answer = await self.app.push_screen_wait(Choose(f"The plan makes no sense: {said.content}", answers))
            if answer == "back":
                await self._of_files(put_back, self.plan, before)
                self.post_message(self.Acted())
            if answer != "again":
                return

    async def _of_files(self, question: Callable[..., Answer], *arguments: Any) -> Answer | None:
        """What a question to files answers; None after an error, which was shown."""
        if self.app.session is None:
            return None
        try:
            return await self.app.session.read(question, *arguments)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return None

    async def _until_read(self) -> None:
        """Until it was read as it is now: what reads it gives way to the next one that does."""
        while reading := [
            one for one in self.app.workers if one.group == "open plan" and one.node is self and not one.is_finished
        ]:
            with contextlib.suppress(WorkerCancelled):
                await self.app.workers.wait_for_complete(reading)
