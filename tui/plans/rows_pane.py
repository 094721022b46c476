"""The actions of an open plan: source and target with sort and filter, the folders that come of it, and all facts."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import ContentSwitcher, Input, Static

from lumina_fs.cli.plan_show import pairs
from lumina_fs.plans.preview import ORDERS
from lumina_fs.viewing.plan_values import ActionDetail, Chosen, DeskError, FolderPage, OpenedPlan, Page, PlanRow
from lumina_fs.wording import size
from tui.foreign import foreign_lines
from tui.host import Host
from tui.plans.asking_desk import ask_desk, ask_desk_plainly
from tui.plans.chips import Chips
from tui.widgets.paged_view import PAGE
from tui.widgets.virtual_table import Cell, Column, VirtualTable

_NARROW = (
    Column("sign", "", 1), Column("do", "Do", 7), Column("size", "Size", 8, "right"),
    Column("path", "From", 0, "middle"), Column("target", "To", 0, "middle"),
)  # fmt: skip
_WIDE = (*_NARROW, Column("why", "Why", 44))
#: Key of a column -> the order that a click on it asks for.
_SORTS = {"sign": "warnings", "why": "warnings", "do": "order", "size": "size", "path": "path", "target": "target"}
_FATES = {"done": ("✓", "done"), "failed": ("✗", "failed"), "back": ("↺", "taken back")}
_OF_ACTIONS = frozenset({"pick", "match", "sort", "turn"})
_LOOKS = (("actions", "Actions"), ("folders", "Folders"), ("about", "About"))


class RowsPane(Vertical):
    """Rows of the plan that the clerk `plan` holds open."""

    DEFAULT_CSS = """
    RowsPane { height: 1fr; }
    RowsPane #match { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    RowsPane #match.-shown { display: block; }
    RowsPane #detail { height: 5; padding: 0 1; background: $panel; }
    RowsPane ContentSwitcher { height: 1fr; }
    RowsPane #about { padding: 0 1; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "pick", "Filter", tooltip="Filter: warned, refused, kind of action"),
        Binding("slash", "match", "Find", key_display="/", tooltip="Find a text in paths, reasons and warnings"),
        Binding("o", "sort", "Sort", show=False, tooltip="Sort by the next column"),
        Binding("O", "turn", "Turn the order around", show=False),
        Binding("v", "look", "View", tooltip="View: actions, folders, all facts"),
    ]

    app: Host

    def __init__(self) -> None:
        super().__init__(id="rows")
        self.only = self.match = ""
        self.sort, self.turned = "order", False
        self.look = "actions"
        self.view = 0
        self._opened: OpenedPlan | None = None

    def compose(self) -> ComposeResult:
        """Two lines of words to choose from, and what they show."""
        yield Chips(_LOOKS, "actions", id="looks")
        yield Chips(id="picks")
        yield Input(placeholder="a text in paths, reasons, warnings; Enter to go back to the rows", id="match")
        with ContentSwitcher(initial="actions", id="shown"):
            with Vertical(id="actions"):
                yield VirtualTable(_WIDE, id="action-table")
                yield Static("", id="detail", markup=False)
            yield VirtualTable(_folder_columns(arriving=True), id="folders")
            with VerticalScroll(id="about", can_focus=True):
                yield Static("", id="facts", markup=False)

    @property
    def table(self) -> VirtualTable:
        """The table of actions."""
        return self.query_one("#action-table", VirtualTable)

    @property
    def choice(self) -> dict[str, Any]:
        """The filter and the order, as the clerk takes them."""
        return {"only": self.only, "match": self.match, "sort": self.sort, "turned": self.turned}

    # -- the plan

    def show(self, opened: OpenedPlan, *, cursor: int = 0) -> None:
        """Show a plan that was opened with this choice."""
        self._opened = opened
        facts = opened.facts
        actions = sum(facts.counts.values())
        looks = [("actions", f"Actions {actions:,}"), ("folders", f"Folders {opened.folders:,}"), ("about", "About")]
        self.query_one("#looks", Chips).show(looks, self.look)
        self._show_picks()
        lines = [f"{name:<16} {value}" for name, value in pairs(facts)]
        lines += ["", *opened.troubles] if opened.troubles else []
        self.query_one("#facts", Static).update(foreign_lines([*([opened.note] if opened.note else []), *lines]))
        folders = self.query_one("#folders", VirtualTable)
        folders.columns = list(_folder_columns(arriving=opened.arriving))
        folders.reset(opened.folders)
        self._rows_are(opened.chosen, cursor)
        if opened.judged and self.only and self.only not in opened.picks:  # nothing is so any more
            self.only = ""
            self.choose()

    def clear(self) -> None:
        """Show nothing, while another plan is read."""
        self._opened = None
        self.query_one("#picks", Chips).show([], "")
        self.query_one("#detail", Static).update("")
        for table in self.query(VirtualTable):
            table.reset(0)

    def _show_picks(self) -> None:
        if self._opened is not None:
            picks = [(name, f"{name} {count:,}") for name, count in self._opened.picks.items()]
            self.query_one("#picks", Chips).show([("", "all"), *picks], self.only)

    def _rows_are(self, chosen: Chosen, cursor: int) -> None:
        self.view = chosen.view
        self._set_columns()
        key = next((key for key, order in _SORTS.items() if order == self.sort and key != "sign"), None)
        self.table.sorted = (key, self.turned) if key is not None and self.sort != "order" else None
        self.table.reset(chosen.total, cursor=cursor)
        if not chosen.total:
            self.query_one("#detail", Static).update("no action fits; f and / choose others")
        else:
            self._tell()

    def _set_columns(self) -> None:
        self.table.columns = list(_WIDE if self.app.size.width >= 130 else _NARROW)

    @on(Resize)
    def _resized(self) -> None:
        if len(self.table.columns) != len(_WIDE if self.app.size.width >= 130 else _NARROW):
            self._set_columns()
            self.table.reset(self.table.total)

    @on(VirtualTable.NeedRows, "#action-table")
    def _need(self, event: VirtualTable.NeedRows) -> None:
        event.stop()
        self._bring(event.first, event.end, self.view)

    @work
    async def _bring(self, first: int, end: int, view: int) -> None:
        page = await ask_desk(self.app, "plan", "rows", Page.of, view=view, first=first, end=end)
        if page is not None and page.view == self.view and page.rows:
            keys = [column.key for column in self.table.columns]
            self.table.put(page.first, [tuple(cells(row)[key] for key in keys) for row in page.rows])

    async def look_again(self) -> None:
        """While the plan is carried out: what became of the actions in sight."""
        if self._opened is None:
            return
        try:
            news = await ask_desk_plainly(self.app, "plan", "again", bool)
        except DeskError:
            return  # it is read anew, and tells then
        for page in sorted(self.table.pages_in_sight()) if news else ():
            self._bring(page * PAGE, min(self.table.total, (page + 1) * PAGE), self.view)

    @on(VirtualTable.NeedRows, "#folders")
    def _need_folders(self, event: VirtualTable.NeedRows) -> None:
        event.stop()
        self._bring_folders(event.first, event.end)

    @work
    async def _bring_folders(self, first: int, end: int) -> None:
        page = await ask_desk(self.app, "plan", "folders", FolderPage.of, first=first, end=end)
        if page is not None:
            self.query_one("#folders", VirtualTable).put(page.first, [_folder(*row) for row in page.rows])

    @on(VirtualTable.Moved, "#action-table")
    def _moved(self, event: VirtualTable.Moved) -> None:
        event.stop()
        self._tell()

    @work(exclusive=True, group="detail")
    async def _tell(self) -> None:
        found = await ask_desk(self.app, "plan", "detail", _detail_of, view=self.view, row=self.table.cursor)
        if found is not None:
            self.query_one("#detail", Static).update(foreign_lines(told(found)), layout=False)

    # -- filter and order

    @work(exclusive=True, group="choose")
    async def choose(self) -> None:
        """Ask for the rows of the present choice."""
        self._show_picks()
        chosen = await ask_desk(self.app, "plan", "choose", lambda value: Chosen(**value), **self.choice)
        if chosen is not None:
            self._rows_are(chosen, 0)

    def action_pick(self) -> None:
        """The next filter."""
        self.only = self.query_one("#picks", Chips).after()
        self.choose()

    @on(Chips.Picked, "#picks")
    def _picked(self, event: Chips.Picked) -> None:
        self.only = event.key
        self.choose()

    def action_match(self) -> None:
        """Type a text that rows must hold."""
        field = self.query_one("#match", Input)
        field.add_class("-shown")
        field.focus()

    @on(Input.Changed, "#match")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.match:
            self.match = event.value
            self.choose()

    @on(Input.Submitted, "#match")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._show_match()
        self.focus_rows()

    def _show_match(self) -> None:
        field = self.query_one("#match", Input)
        field.value = self.match
        field.set_class(bool(self.match), "-shown")

    def action_sort(self) -> None:
        """The next order."""
        self.sort = ORDERS[(ORDERS.index(self.sort) + 1) % len(ORDERS)]
        self.turned = False
        self.choose()

    def action_turn(self) -> None:
        """The same order, the other way."""
        self.turned = not self.turned
        self.choose()

    @on(VirtualTable.HeadClicked, "#action-table")
    def _head(self, event: VirtualTable.HeadClicked) -> None:
        event.stop()
        order = _SORTS.get(event.key, "order")
        self.turned = not self.turned if order == self.sort else False
        self.sort = order
        self.choose()

    # -- what is shown

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Filters and orders are of actions."""
        return self.look == "actions" if action in _OF_ACTIONS else True

    def action_look(self) -> None:
        """Actions, folders, or all facts."""
        self.show_look(self.query_one("#looks", Chips).after())

    @on(Chips.Picked, "#looks")
    def _looked(self, event: Chips.Picked) -> None:
        self.show_look(event.key)

    def show_look(self, key: str) -> None:
        """Show one of the three."""
        self.look = key
        chips = self.query_one("#looks", Chips)
        chips.show(chips.items, key)
        self._show_look()
        self.focus_rows()

    def _show_look(self) -> None:
        self.query_one("#shown", ContentSwitcher).current = self.look
        self.query_one("#picks").display = self.look == "actions"
        self.refresh_bindings()

    def focus_rows(self) -> None:
        """The keyboard goes to what is shown."""
        ids = {"actions": "#action-table", "folders": "#folders", "about": "#about"}
        self.query_one(ids[self.look]).focus()

    @on(VirtualTable.Chosen, "#folders")
    def _folder_chosen(self, event: VirtualTable.Chosen) -> None:
        """The rows that go there."""
        event.stop()
        self._match_folder(event.row)

    @work
    async def _match_folder(self, row: int) -> None:
        page = await ask_desk(self.app, "plan", "folders", FolderPage.of, first=row, end=row + 1)
        if page is not None and page.rows:
            self.match = f"{page.rows[0][0]}/".lstrip("/")
            self._show_match()
            self.show_look("actions")
            self.choose()

    def take(self, state: dict[str, Any]) -> None:
        """Take up a remembered choice."""
        self.only, self.match = str(state.get("only") or ""), str(state.get("match") or "")
        self.sort = state["sort"] if state.get("sort") in ORDERS else "order"
        self.turned = bool(state.get("turned"))
        self.look = state["look"] if state.get("look") in dict(_LOOKS) else "actions"
        self._show_match()
        self._show_look()


def cells(row: PlanRow) -> dict[str, str | Cell]:
    """An action as cells by column."""
    line = row.line
    sign, word = _FATES.get(row.fate, ("", ""))
    bad = bool(line.refused) or row.fate == "failed"
    sign = sign or ("✗" if line.refused else "!" if line.warnings else "")
    why = row.why or "; ".join([*line.refused, *line.warnings]) or word or line.reason
    look = "bad" if bad else "warn" if line.warnings and not row.fate else "dim" if line.do == "skip" else ""
    return {
        "sign": Cell(sign, look), "do": Cell(line.do, look), "size": size(line.size), "path": line.path,
        "target": line.target or f"({line.reason})", "why": Cell(why, look or "dim"),
    }  # fmt: skip


def told(found: ActionDetail) -> list[str]:
    """An action in lines: where from, where to, why, what is wrong, what goes along."""
    line = found.row.line
    along = ", ".join(f"{part} {path.rpartition('/')[2]}" for part, path, _ in found.companions)
    marks = [f"✗ refused: {text}" for text in line.refused] + [f"! {text}" for text in line.warnings]
    if found.row.fate == "failed":
        marks.insert(0, f"✗ failed: {found.row.why}")
    changes = [f"{name}: {before} → {after}" for name, before, after in found.fields]
    said = " · ".join([*marks, line.reason, *changes])
    target = f"→ {line.target}" if line.target else "stays"
    return [f"{line.number}. {line.do} {line.path}", target, said, f"with {along}" if along else ""]


def _detail_of(value: Any) -> ActionDetail | None:
    return None if value is None else ActionDetail.of(value)


def _folder_columns(*, arriving: bool) -> tuple[Column, ...]:
    return Column("count", "Originals", 10, "right"), Column("folder", "Come to" if arriving else "Lie in")


def _folder(folder: str, count: int) -> tuple[str, str]:
    depth = folder.count("/")
    return f"{count:,}", f"{'  ' * depth}{folder.rpartition('/')[2]}/" if folder else "(top folder)"
