"""The trash: what lies in it, a plan that brings some back, and the one place where photos are removed for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input, Static

from lumina_fs.plans.files import short
from lumina_fs.viewing.plan_values import TrashChosen, TrashPage, TrashRow, TrashView
from lumina_fs.wording import plural, size
from tui.asking import Confirm
from tui.foreign import foreign, foreign_lines
from tui.host import Host
from tui.plans.asking_desk import ask_desk
from tui.widgets.virtual_table import Column, VirtualTable
from tui.windows import ModalWindow

_NARROW = (Column("day", "When", 10), Column("size", "Size", 8, "right"), Column("path", "Was at", 0, "middle"))
_WIDE = (
    Column("when", "When", 16), Column("size", "Size", 9, "right"), Column("files", "Files", 6, "right"),
    Column("source", "Source", 12), Column("plan", "Plan", 9), Column("path", "Was at", 0, "middle"),
    Column("reason", "Why", 36),
)  # fmt: skip


class TrashPane(Vertical):
    """Rows of the trash. The screen hears `Made`."""

    DEFAULT_CSS = """
    TrashPane { height: 1fr; }
    TrashPane #trash-match { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    TrashPane #trash-match.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "restore", "Restore", tooltip="Restore the marked photos, or the one under the cursor, by a plan"),
        Binding("E", "empty", "Empty", tooltip="Empty: remove the marked photos, or all that are shown, for good"),
        Binding("slash", "match", "Find", key_display="/", tooltip="Find a text in paths and reasons"),
        Binding("escape", "back", "Back", show=False),
    ]

    app: Host

    class Made(Message):
        """A plan was proposed, to be shown."""

        def __init__(self, plan: str) -> None:
            super().__init__()
            self.plan = plan

    class SoFar(Message):
        """How far the emptying is."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Acted(Message):
        """Something is gone from the trash."""

    def __init__(self) -> None:
        super().__init__(id="trash")
        self.match = ""
        self._seen: TrashView | None = None

    def compose(self) -> ComposeResult:
        """A line, a field, a table."""
        yield Static("", id="trash-head", classes="hint", markup=False)
        yield Input(placeholder="a text in paths and reasons; Enter to go back to the rows", id="trash-match")
        yield VirtualTable(_WIDE, id="trash-table")

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one("#trash-table", VirtualTable)

    @work(exclusive=True, group="trash")
    async def load(self) -> None:
        """Look into the trash."""
        seen = await ask_desk(self.app, "list", "trash", TrashView.of, match=self.match)
        if seen is None:
            return
        self._seen = seen
        said = f"{plural(seen.total, 'photo')}, {size(seen.size)}" if seen.total else "nothing is in the trash"
        if self.match:
            said += f" · that hold {self.match}"
        self.query_one("#trash-head", Static).update(foreign_lines([said, *seen.notes]))
        self._set_columns()
        self.table.reset(seen.total)

    def _set_columns(self) -> None:
        self.table.columns = list(_WIDE if self.app.size.width >= 100 else _NARROW)

    @on(Resize)
    def _resized(self) -> None:
        self._set_columns()
        self.table.reset(self.table.total)

    @on(VirtualTable.NeedRows)
    def _need(self, event: VirtualTable.NeedRows) -> None:
        event.stop()
        if self._seen is not None:
            self._bring(event.first, event.end, self._seen.view)

    @work
    async def _bring(self, first: int, end: int, view: int) -> None:
        page = await ask_desk(self.app, "list", "trash_rows", TrashPage.of, view=view, first=first, end=end)
        if page is not None and self._seen is not None and page.view == self._seen.view:
            keys = [column.key for column in self.table.columns]
            self.table.put(page.first, [tuple(_cells(row)[key] for key in keys) for row in page.rows])

    def action_match(self) -> None:
        """Type a text that rows must hold."""
        field = self.query_one("#trash-match", Input)
        field.add_class("-shown")
        field.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.match:
            self.match = event.value
            self.load()

    @on(Input.Submitted)
    def action_back(self) -> None:
        """From the field to the rows."""
        self.query_one("#trash-match", Input).set_class(bool(self.match), "-shown")
        self.table.focus()

    async def _pick(self, rows: Sequence[int]) -> TrashChosen | None:
        if self._seen is None or not self._seen.total:
            self.app.notify("There is nothing in the trash.", markup=False)
            return None
        return await ask_desk(self.app, "list", "trash_pick", TrashChosen.of, view=self._seen.view, rows=list(rows))

    @work(group="trash action")
    async def action_restore(self) -> None:
        """Propose the plan that brings them back."""
        picked = await self._pick(sorted(self.table.marks) or [self.table.cursor])
        if picked is None:
            return
        lines = [f"A plan is proposed that brings back {plural(picked.count, 'photo')}, {size(picked.size)}.",
                 "Nothing is moved yet: you look at it and approve it, as any plan.", *picked.first]  # fmt: skip
        if await self.app.push_screen_wait(Confirm("Restore from the trash?", lines, "Propose")):
            made = await ask_desk(self.app, "list", "trash_restore", str, key=picked.key)
            if made is not None:
                self.post_message(self.Made(made))

    @work(group="trash action")
    async def action_empty(self) -> None:
        """Remove them for good, after their number was typed."""
        picked = await self._pick(sorted(self.table.marks))
        if picked is None:
            return
        typed = await self.app.push_screen_wait(TypeNumber(picked))
        if typed is None:
            return
        arguments: dict[str, Any] = {"key": picked.key, "typed": typed}
        found = await ask_desk(self.app, "list", "trash_empty", dict, heard=self._so_far, **arguments)
        if found is not None:
            said = f"{plural(found['originals'], 'photo')} removed for good, {size(found['size'])}"
            severe = "warning" if found["troubles"] else "information"
            text = foreign_lines([said, *found["troubles"]]).plain
            self.app.notify(text, title="The trash", severity=severe, markup=False)  # type: ignore[arg-type]
        self.load()
        self.post_message(self.Acted())

    def _so_far(self, value: Mapping[str, Any]) -> None:
        """Called in another thread."""
        self.post_message(self.SoFar(f"emptying the trash: {value['done']:,} of {value['total']:,} photos"))

    @on(SoFar)
    def _told(self, event: SoFar) -> None:
        self.query_one("#trash-head", Static).update(event.text)


class TypeNumber(ModalWindow[int | None]):
    """Says what will be gone for good, and asks for its number; any other answer is no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, picked: TrashChosen) -> None:
        super().__init__()
        self._picked = picked

    def compose(self) -> ComposeResult:
        """A box with the first of them, and a field."""
        picked = self._picked
        what = f"{plural(picked.count, 'photo')}, {plural(picked.files, 'file')}, {size(picked.size)}"
        with Vertical(classes="asking"):
            yield Static(f"Remove {what} for good?", classes="asking-title", markup=False)
            with VerticalScroll(classes="asking-text", can_focus=False):
                for path in picked.first:
                    yield Static(foreign(path))
                if picked.count > len(picked.first):
                    yield Static(f"... and {picked.count - len(picked.first):,} more", markup=False)
            yield Static("Nothing brings them back. The audit keeps a line about each.", markup=False)
            yield Input(placeholder=f"type {picked.count} to remove them", id="answer")
            yield Static("Enter takes it, Escape gives up", classes="hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip().replace(",", "")
        if text == str(self._picked.count):
            self.dismiss(self._picked.count)
        else:
            self.notify(f"Not removed: {self._picked.count} was not typed.", severity="warning", markup=False)
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def _cells(row: TrashRow) -> dict[str, str]:
    return {
        "when": row.when[:16].replace("T", " "), "day": row.when[:10], "size": size(row.size), "files": str(row.files),
        "source": row.source, "plan": short(row.plan), "path": row.path, "reason": row.reason,
    }  # fmt: skip
