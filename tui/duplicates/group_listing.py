"""The list of groups of duplicates: loaded, filtered, sorted, looked at; without the decisions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.duplicates.standing import Standing
from lumina_fs.errors import LuminaError
from lumina_fs.viewing import duplicates as questions
from lumina_fs.viewing.duplicates import SORTS, Board, Changed, Wanted
from lumina_fs.viewing.group_list import GroupList, as_state, from_state, make_list, said
from tui.catalog_screen import CatalogScreen
from tui.duplicates.compare import Compare
from tui.duplicates.group_filter import GroupFilter
from tui.duplicates.group_panel import GroupPanel
from tui.duplicates.group_rows import COLUMNS, advice, numbers_of, row_of
from tui.following import Change, FilesChanged, JobsChanged
from tui.foreign import foreign
from tui.rounds import Rounds
from tui.widgets.paged_view import PAGE, PagedView
from tui.widgets.top_bar import doing
from tui.widgets.virtual_table import Row, VirtualTable

#: Seconds between two loads while the catalog keeps changing, and how many times the last load.
_PAUSE, _TIMES = 1.0, 5.0
#: Seconds after a decision of our own, before those of others are looked for.
_QUIET = 1.5
#: Seconds after which a comparison that is being made is looked at again.
_SOON = 0.05
#: Columns from which on the group is shown beside the list.
_BESIDE = 140
#: What is sorted from the greatest on.
_DOWN = ("savings", "confidence", "files")

_OF_A_SEARCH = frozenset({"filter", "next_state", "next_sort", "reverse", "take_back", "batch", "propose", "export"})
_OF_A_GROUP = frozenset({"compare", "decide"})


class GroupListing(CatalogScreen):
    """A row a group, and all about the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "compare", "Compare", tooltip="Look at the files side by side"),
        Binding("slash", "filter", "Filter", show=False, key_display="/", tooltip="Which groups are shown"),
        Binding("t", "next_state", "Next state", show=False, tooltip="Pending, reviewed, resolved, or all groups"),
        Binding("s", "next_sort", "Next order", show=False, tooltip="Sort by the next property"),
        Binding("S", "reverse", "Reverse", show=False, tooltip="Turn the order round"),
        Binding("escape", "unmark", "Take marks away", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._list: GroupList | None = None
        self._wanted = Wanted()
        self._wished: str | None = None
        self._loading = Rounds()
        self._wrote = 0.0
        self._told = ""

    def content(self) -> Iterable[Widget]:
        """Numbers, what is shown, the groups and the one under the cursor."""
        yield Static("", id="numbers", markup=False)
        yield FilterLine("", id="wanted", markup=False)
        yield Static("", id="said", markup=False)
        with Container(id="split"):
            yield VirtualTable(COLUMNS, id="groups")
            yield GroupPanel(id="panel")

    def on_resize(self) -> None:
        """The group beside the list where there is room, else below it."""
        self.set_class(self.size.width >= _BESIDE, "-beside")

    def allows(self, action: str) -> bool:
        """Before a search little can be done, and without a group nothing is decided."""
        if action in _OF_A_SEARCH and self._list is None:
            return False
        return action not in _OF_A_GROUP or (self._list is not None and self._list.current is not None)

    # -- what is there

    def state(self) -> dict[str, Any]:
        """Filters, order and the group under the cursor."""
        current = self._list.current if self._list is not None else None
        return {**as_state(self._wanted), "group": current.found if current is not None else self._wished}

    def restore(self, state: dict[str, Any]) -> None:
        """What was shown, or what another screen wants: `group` is the key, the id, or a content of a group."""
        self._wanted = from_state(state)
        group = state.get("group")
        self._wished = group if isinstance(group, str) else None

    def concerns(self, change: Change) -> bool:
        """The index, verdicts, and searches for duplicates."""
        if isinstance(change, FilesChanged):
            return "verdicts" in change.kinds
        if isinstance(change, JobsChanged):
            return any(record.job.work == "duplicates" for record in (*change.ended, *_alive(change)))
        return True

    def changed(self, change: Change) -> None:
        """Load again what may have changed; the cursor stays with its group."""
        if isinstance(change, FilesChanged):
            self._follow()
        elif isinstance(change, JobsChanged):
            self._tell()
            if any(record.job.work == "duplicates" for record in change.ended):
                self.load()
        else:
            self._check()

    def load(self) -> None:
        """All groups as they stand; while they are being loaded, once more after that."""
        if self._loading.want():
            self._load()

    @work(group="load")
    async def _load(self) -> None:
        for _ in self._loading:
            began = time.monotonic()
            await self._load_once()
            if self._loading.wanted:  # the catalog changes all the time: leave the index to others meanwhile
                await asyncio.sleep(max(_PAUSE, _TIMES * (time.monotonic() - began)))
        self._tell()

    async def _load_once(self) -> None:
        self._told = ""
        if self._list is None:
            self._say("Looking at how things stand…")
        try:
            board = await self.open_session.ask(questions.load_board)
            if board is not None:
                await self._load_related(board)
        except (LuminaError, OSError) as error:
            self._told = f"The groups cannot be shown: {error}"
            return
        if board is None:
            self._list = None
            self.query_one(VirtualTable).reset(0)
            self._show()
            return
        await self._relist(board)

    async def _load_related(self, board: Board) -> None:
        lacks = board.lacks(self._wanted.related)
        if lacks:
            found = await self.open_session.ask(questions.load_related, board, lacks)
            board.take_related(lacks, found)

    async def _relist(self, board: Board) -> None:
        """List what is wanted, the cursor where it was."""
        before, wanted = self._list, self._wanted
        made = await asyncio.to_thread(make_list, board, wanted, before)
        if wanted != self._wanted:
            return  # somebody wants something else by now, and lists that
        if before is not None and before.board is board and (self._list is None or self._list.board is not board):
            return  # the groups were loaded anew meanwhile, and are listed so
        self._list = made
        if self._wished is not None and made.go_to(self._wished):
            self._wished = None
        self._show()

    @work(group="check", exclusive=True)
    async def _check(self) -> None:
        """The index changed: is it another than the one the groups were loaded from?"""
        if self._list is not None:
            try:
                if await self.open_session.ask(questions.is_current, self._list.board):
                    return
            except (LuminaError, OSError) as error:
                self._told = f"The index cannot be asked, and decisions can still be made: {error}"
                self._tell()
                return
        self.load()

    @work(group="follow", exclusive=True)
    async def _follow(self) -> None:
        """Decisions that were made elsewhere, by a command or by hand. Our own are known, and come in a row."""
        while (left := self._wrote + _QUIET - time.monotonic()) > 0:
            await asyncio.sleep(left)
        if self._list is None or self.session is None:
            return
        board = self._list.board
        changed = await self.read(board.follow)
        if changed and await self._hear_of(board, changed):
            self._show()

    async def _hear_of(self, board: Board, groups: Changed) -> GroupList | None:
        """The list, once it shows how these stand that this board knows to stand otherwise; None without one."""
        while self._list is not None and self._list.board is not board:  # loaded meanwhile, and perhaps too soon
            board = self._list.board
            groups = groups | (await self.read(board.follow) or set())
        if self._list is not None:
            self._list.follow(groups)
        return self._list

    # -- what is shown

    def _show(self) -> None:
        """The list as it is now."""
        table, shown = self.query_one("#groups", VirtualTable), self._list
        total = len(shown.keys) if shown is not None else 0
        table.sorted = (self._wanted.sort, (self._wanted.sort in _DOWN) != self._wanted.reverse)
        if shown is not None:
            with self.prevent(VirtualTable.Moved):
                table.reset(total, cursor=shown.at)
            if shown.marked:
                table.marks = {number for number, key in enumerate(shown.keys) if key in shown.marked}
            self._put(table, shown.at // PAGE * PAGE)  # at once, so that nothing flickers
        self._tell()
        self._show_group()

    def _put(self, table: PagedView[Row], first: int) -> None:
        if self._list is not None:
            rows = [self._list.row(number) for number in range(first, min(first + PAGE, len(self._list.keys)))]
            table.put(first, [row_of(group) if group is not None else ("…",) for group in rows])

    @on(VirtualTable.NeedRows, "#groups")
    def _rows(self, event: VirtualTable.NeedRows) -> None:
        if event.view.row(event.first) is None:
            self._put(event.view, event.first // PAGE * PAGE)

    @on(VirtualTable.Moved, "#groups")
    def _moved(self, event: VirtualTable.Moved) -> None:
        if self._list is not None and self._list.at != event.row < len(self._list.keys):
            self._list.at = event.row
            self._show_group()

    @on(VirtualTable.Marked, "#groups")
    def _mark(self, event: VirtualTable.Marked) -> None:
        if self._list is not None:
            self._list.marked ^= {self._list.keys[event.row]}
            self._tell()

    def _show_group(self) -> None:
        """All about the group under the cursor, here and where files are compared."""
        group = self._list.current if self._list is not None else None
        panel = self.query_one(GroupPanel)
        panel.group, panel.visible = group, group is not None
        if group is None and panel.has_focus_within:
            self.query_one("#groups").focus()
        self.refresh_bindings()
        top = self.app.screen
        if isinstance(top, Compare):
            if not top.is_mounted:  # it is being made
                self.set_timer(_SOON, self._show_group)
            elif group is None:
                top.dismiss(None)
            else:
                top.show(group, self._place(), self._told)

    def _place(self) -> str:
        return f" · {self._list.at + 1:,} of {len(self._list.keys):,}" if self._list is not None else ""

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(foreign(text), layout=False)

    def _tell(self) -> None:
        """Numbers, filters, what runs, what to do next."""
        board = self._list.board if self._list is not None else None
        self.query_one("#numbers", Static).update(foreign(numbers_of(board)), layout=False)
        self.query_one("#wanted", Static).update(foreign(f"Shown: {said(self._wanted)} (/ changes it)"), layout=False)
        running = [doing(record) for record in self.app.jobs if record.alive and record.job.work == "duplicates"]
        parts = [f"searching: {running[0]}"] if running else []
        parts += [self._told] if self._told else []
        if not self._loading.going or board is not None:
            parts += advice(board, self._list, searching=bool(running))
        self._say(" · ".join(parts))

    # -- what is listed

    def action_filter(self) -> None:
        """Ask which groups are to be shown."""
        self._filter()

    @work(group="filter", exclusive=True)
    async def _filter(self) -> None:
        sources = sorted(source.name for source in await self.read(lambda catalog: catalog.sources()) or ())
        self.app.push_screen(GroupFilter(self._wanted, sources), self._filtered)

    def _filtered(self, wanted: Wanted | None) -> None:
        if wanted is not None:
            self._want(wanted)

    def action_next_state(self) -> None:
        """Pending, reviewed, resolved, all."""
        states = [("pending",), ("reviewed",), ("resolved",), ()]
        here = self._wanted.filter.states
        at = states.index(here) if here in states else -1
        self._want(_in_states(self._wanted, states=states[(at + 1) % len(states)]))

    def action_next_sort(self) -> None:
        """By the next property."""
        names = list(SORTS)
        self._want(Wanted(self._wanted.filter, names[(names.index(self._wanted.sort) + 1) % len(names)]))

    def action_reverse(self) -> None:
        """The other way round."""
        self._want(Wanted(self._wanted.filter, self._wanted.sort, not self._wanted.reverse))

    @on(VirtualTable.HeadClicked, "#groups")
    def _sort_by(self, event: VirtualTable.HeadClicked) -> None:
        if event.key in SORTS:
            turned = event.key == self._wanted.sort and not self._wanted.reverse
            self._want(Wanted(self._wanted.filter, event.key, turned))

    def _want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._told = ""
        self._list_again()

    @work(group="list", exclusive=True)
    async def _list_again(self) -> None:
        if self._list is None:
            self._tell()
            return
        board = self._list.board
        if board.lacks(self._wanted.related):
            self._say("Loading what belongs together…")
            try:
                await self._load_related(board)
            except (LuminaError, OSError) as error:
                self.app.complain(error)
                return
        await self._relist(board)

    def action_unmark(self) -> None:
        """Take all marks away."""
        if self._list is not None:
            self._list.marked.clear()
            table = self.query_one("#groups", VirtualTable)
            table.marks.clear()
            table.refresh()
            self._tell()

    # -- compare

    @on(VirtualTable.Chosen)
    def action_compare(self) -> None:
        """The files of the group side by side."""
        group = self._list.current if self._list is not None else None
        if group is not None and not isinstance(self.app.screen, Compare):
            self.app.push_screen(self.comparison(group, self._place()))

    def comparison(self, group: Standing, place: str) -> Compare:
        """The screen in which files are compared."""
        raise NotImplementedError

    def step(self, by: int) -> None:
        """The next or the last group in the list."""
        if self._list is not None and self._list.keys:
            self.query_one("#groups", VirtualTable).action_move(by)


class FilterLine(Static):
    """Which groups are shown; a click asks for others."""

    async def on_click(self) -> None:
        """Ask."""
        await self.run_action("screen.filter")


def _alive(change: JobsChanged) -> list[Any]:
    return [record for record in change.jobs if record.alive]


def _in_states(wanted: Wanted, *, states: tuple[str, ...]) -> Wanted:
    return replace(wanted, filter=replace(wanted.filter, states=states))
