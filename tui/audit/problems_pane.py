"""The problems that the index knows: by kind, with the way to the photo and to the line of its sidecar."""

from __future__ import annotations

from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Select, Static

from lumina_fs.errors import LuminaError
from lumina_fs.viewing.problems import Place, WantedProblems, counts, page
from lumina_fs.wording import in_words
from tui.audit.audit_pane import AuditPane
from tui.foreign import foreign, named
from tui.host import Host
from tui.sidecar_editing import edit_sidecar
from tui.widgets.paged_view import PAGE
from tui.widgets.virtual_table import Cell, Column, VirtualTable

_COLUMNS = (
    Column("code", "Problem", 18),
    Column("path", "File", 0, "middle"),
    Column("message", "Message"),
    Column("place", "Line", 8, "right"),
)
_ALL = "all"


class ProblemsPane(Vertical):
    """A choice of kinds with their counts, a text to filter by, and the problems."""

    DEFAULT_CSS = """
    ProblemsPane .filters { height: 1; }
    ProblemsPane #kind { width: 34; margin-right: 1; }
    ProblemsPane #text { width: 1fr; background: $panel; }
    ProblemsPane #problem { height: auto; max-height: 4; padding: 0 1; }
    """

    app: Host

    def __init__(self) -> None:
        super().__init__(id="problems-pane")
        self._counts: dict[str, int] = {}
        self._known: dict[int, Place] = {}
        self._order = ("path", False)
        self._kind = _ALL

    def compose(self) -> ComposeResult:
        """Filters, table, one problem in full."""
        with Horizontal(classes="filters"):
            yield Select([("all kinds", _ALL)], value=_ALL, allow_blank=False, compact=True, id="kind")
            yield Input(placeholder="part of a path or of the message", compact=True, id="text")
        yield VirtualTable(_COLUMNS, id="problem-rows")
        yield Static("", id="problem")

    @property
    def table(self) -> VirtualTable:
        """The problems."""
        return self.query_one("#problem-rows", VirtualTable)

    @property
    def wanted(self) -> WantedProblems:
        """What the fields say."""
        return WantedProblems("" if self._kind == _ALL else self._kind, self.query_one("#text", Input).value.strip())

    def take(self, state: dict[str, Any]) -> None:
        """Fill the fields."""
        self._kind = str(state.get("kind", _ALL))
        self.query_one("#text", Input).value = str(state.get("text", ""))

    def state(self) -> dict[str, Any]:
        """What the fields say, to be remembered."""
        return {"kind": self._kind, "text": self.wanted.text}

    @on(Input.Changed)
    def _typed(self) -> None:
        self.load()

    @on(Select.Changed)
    def _chosen_kind(self, event: Select.Changed) -> None:
        if str(event.value) != self._kind:
            self._kind = str(event.value)
            self.load()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.table.focus()

    # -- reading

    @work(exclusive=True, group="problems")
    async def load(self) -> None:
        """Count, and show the first."""
        session = self.app.session
        if session is None:
            return
        try:
            found = await session.ask(counts, self.wanted.text)
        except (LuminaError, OSError) as error:
            self._say(str(error))
            return
        if not self.is_mounted:
            return
        self._counts = found
        self._show_kinds()
        self._known = {}
        table = self.table
        table.sorted = self._order
        table.reset(sum(found.values()) if self._kind == _ALL else found.get(self._kind, 0))
        if not table.total:
            self._say("No problem fits." if self.wanted.text or self._kind != _ALL else "No problem is known.")

    def _show_kinds(self) -> None:
        """The kinds with their counts; the one that is chosen stays, even with none."""
        kinds = dict(self._counts)
        if self._kind != _ALL:
            kinds.setdefault(self._kind, 0)
        options = [(foreign(f"all kinds ({sum(self._counts.values()):,})"), _ALL)]
        options += [(foreign(f"{kind.replace('_', ' ')} ({count:,})"), kind) for kind, count in kinds.items()]
        select = self.query_one("#kind", Select)
        with select.prevent(Select.Changed):
            select.set_options(options)
            select.value = self._kind
        # a value that stays the same is not drawn again, and its count may be another one
        select.query_one("SelectCurrent #label", Static).update(
            next(said for said, kind in options if kind == self._kind)
        )

    @on(VirtualTable.NeedRows)
    def _need(self, event: VirtualTable.NeedRows) -> None:
        self._page(event.first)

    @work(group="pages")
    async def _page(self, first: int) -> None:
        session, wanted, order = self.app.session, self.wanted, self._order
        if session is None:
            return
        try:
            found = await session.ask(page, wanted, first, PAGE, *order)
        except (LuminaError, OSError) as error:
            self._say(str(error))
            return
        if (wanted, order) == (self.wanted, self._order) and self.is_mounted:
            self._known.update(enumerate(found, first))
            self.table.put(first, [_row(one) for one in found])
            self._about()

    @on(VirtualTable.HeadClicked)
    def _sort(self, event: VirtualTable.HeadClicked) -> None:
        if event.key != "place":
            self._order = (event.key, self._order == (event.key, False))
            self.load()

    def action_sort(self) -> None:
        """By the next column."""
        keys = ("path", "code", "message")
        self._order = (keys[(keys.index(self._order[0]) + 1) % 3], False)
        self.load()

    # -- one of them

    @property
    def place(self) -> Place | None:
        """The problem under the cursor."""
        return self._known.get(self.table.cursor)

    @on(VirtualTable.Moved)
    def _about(self) -> None:
        one = self.place
        if one is not None:
            where = f", line {one.line}, column {one.column}" if one.line else ""
            self._say(f"{one.source}: {named(one.path)}{where}: {one.message}")

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(foreign(text))

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        one = self.place
        if one is not None:
            self.post_message(AuditPane.Go(one.source, one.path))

    @work(group="asking", exclusive=True)
    async def edit(self) -> None:
        """Open the sidecar under the cursor in the person's editor, at its line; then it is checked."""
        one = self.place
        if one is not None:
            await edit_sidecar(self.app, one.source, one.path, one.line, one.column)
            self.load()


def _row(one: Place) -> tuple[Cell, str, str, str]:
    where = f"{one.line}:{one.column}" if one.line else ""
    return Cell(in_words(one.code), "warn"), named(one.path), one.message, where
