"""A screen that shows the answer to a question: it asks, has pages where somebody looks, and follows changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from textual import on, work
from textual.widgets import ContentSwitcher

from lumina_fs.errors import LuminaError
from lumina_fs.viewing import last_look, photos
from lumina_fs.viewing.access import Interrupted
from lumina_fs.viewing.photos import Key, Listed, QueryError
from tui.catalog_screen import CatalogScreen
from tui.following import Change
from tui.photos.listing import Listing, key_of
from tui.photos.photo_cell import GridCell
from tui.photos.photo_grid import PhotoGrid
from tui.photos.photo_table import PhotoTable
from tui.photos.query_bar import QueryBar
from tui.photos.shown import cell_of, row_of
from tui.session import Session
from tui.widgets.paged_view import PAGE, PagedView
from tui.widgets.virtual_table import Row

#: Changes under the screen are looked at no more often than this many seconds, and than five times as long as it took.
_CALM = 0.8


class AnswerScreen(CatalogScreen):
    """The question, the answer, the selection, and the two ways to show them."""

    def __init__(self) -> None:
        super().__init__()
        self.query_text = ""
        self.sort_key = "date"
        self.descending = True
        self.listing = Listing("", "date", descending=True)
        #: What is selected, with the bytes of each.
        self.selection: dict[Key, int] = {}
        #: Why there is no answer.
        self.problem = ""
        #: Where the cursor shall be in the answer to `_wanted_query`.
        self._wanted_key: Key | None = None
        self._wanted_row = 0
        self._wanted_query = ""
        self._took = 0.0
        #: What is shown from an earlier look, as long as the index has not answered.
        self._recalled: list[Listed] = []
        #: What the index answered last: of which catalog, the question, its order, and the first photos.
        self._answered: tuple[Session, str, photos.Sort, Sequence[Listed]] | None = None
        self._will_look = False

    # -- the widgets

    @property
    def grid(self) -> PhotoGrid:
        """The grid."""
        return self.query_one(PhotoGrid)

    @property
    def table(self) -> PhotoTable:
        """The table."""
        return self.query_one(PhotoTable)

    @property
    def view(self) -> PhotoGrid | PhotoTable:
        """The one that is shown."""
        return self.grid if self.query_one(ContentSwitcher).current == "grid" else self.table

    @property
    def at(self) -> int:
        """The place of the cursor."""
        return self.view.cursor

    def current(self) -> Listed | None:
        """The original under the cursor, None while it is not there."""
        return self.listing.row(self.at) if self.listing.total else None

    def step(self, by: int) -> None:
        """The cursor to another photo."""
        self.view.cursor = max(0, min(self.at + by, self.listing.total - 1))

    # -- asking

    @work(exclusive=True, group="listing")
    async def load(self) -> None:
        """The first page at once; then the order of all, with the cursor on the photo that it was on."""
        if self.session is None:
            return  # closed meanwhile
        begun = time.monotonic()
        wanted = Listing(self.query_text, self.sort_key, descending=self.descending)
        session, bar = self.session, self.query_one(QueryBar)
        try:
            await self._answer(session, wanted, bar)
        except QueryError as error:
            bar.tell(error.reason, error.column)
        except Interrupted:
            return
        except RuntimeError:
            if self.session is session:
                raise
            return  # the catalog was closed, and its threads with it
        except (LuminaError, OSError) as error:
            self.problem = str(error)
        finally:
            self._took = time.monotonic() - begun
        if self._recalled:  # nothing came in its place
            self._recalled = []
            self._begin(wanted)
        self.say_status()

    async def _answer(self, session: Session, wanted: Listing, bar: QueryBar) -> None:
        sort = photos.sort_of(wanted.sort, wanted.descending)
        if self._took == 0.0:
            await self._recall(session, wanted, sort)
        first = await session.ask(photos.first_page, wanted.query, sort, PAGE)
        bar.tell()
        self.problem = ""
        wanted.complete = len(first) < PAGE
        wanted.put(0, list(first))
        recalled, self._recalled = self._recalled, []
        if recalled != first and (recalled or not wanted.same_as(self.listing) or not self.listing.total):
            self._begin(wanted)
            await self._painted()  # before the rest takes the processor
        order = await session.ask_slowly(photos.whole_order, wanted.query, sort)
        if self.session is session:
            await self._take(session, wanted, order)
            self._answered = session, wanted.query, sort, first
            self.answered()

    @work(exclusive=True, group="answer")
    async def answer_comes(self) -> None:
        """Until photos of what was asked are shown, for which the next keys are meant."""
        while self.listing.query != self.query_text and any(
            one.group == "listing" and not one.is_finished for one in self.workers
        ):
            await asyncio.sleep(0.005)

    def left(self) -> None:
        """The next start begins with what is shown here now."""
        if self._answered is not None and self._answered[0] is self.session:
            session, query, sort, first = self._answered
            last_look.keep(session.catalog, query, sort, first)

    async def _recall(self, session: Session, wanted: Listing, sort: photos.Sort) -> None:
        """At the start: what was there when somebody looked last, until the index has answered."""
        self._recalled = await session.read(last_look.recalled, wanted.query, sort)
        if self._recalled:
            seen = Listing(wanted.query, wanted.sort, descending=wanted.descending)
            seen.put(0, list(self._recalled))
            self._begin(seen)
            await self._painted()

    async def _painted(self) -> None:
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    def _begin(self, wanted: Listing) -> None:
        """Show the first page of another answer."""
        if self.session is None:
            return
        if not wanted.same_as(self.listing):
            if self._wanted_query != wanted.query:
                self._wanted_key = None
            self._wanted_row = 0
        self.listing = wanted
        self._lay_out(0)
        self.say_status()
        self.moved()

    async def _take(self, session: Session, wanted: Listing, order: photos.Order) -> None:
        """Show all of an answer, now that its order is known."""
        here, at = self.current(), self.at
        key = self._wanted_key or (key_of(here) if here is not None and self.at else None)
        row = self.at if self._wanted_key is None else self._wanted_row
        if self.view.at_end and self.listing.order is None:  # of all, not of what was known when the key was pressed
            key, row = None, len(order) - 1
        if key is not None:
            found = await session.ask(photos.place_of, order, key)
            row = row if found is None else found
        self._wanted_key = None
        fresh = Listing(wanted.query, wanted.sort, descending=wanted.descending)
        fresh.order, fresh.complete = order, True
        row = max(0, min(row, len(order) - 1))
        for number in {row // PAGE, *self.view.pages_in_sight()}:
            if number * PAGE < len(order):
                fresh.put(number, await session.ask(photos.page, order, number * PAGE, (number + 1) * PAGE))
        if self.session is session:
            moved = self.at - at  # by the person, while this was asked
            self.listing = fresh
            self._lay_out(max(0, min(row + moved, len(order) - 1)))
            self.moved()

    def _lay_out(self, row: int) -> None:
        """Both views forget what they knew; the one that is shown gets what is there."""
        self.view.reset(self.listing.total, cursor=row)
        self.table.sorted = (self.sort_key, self.descending)
        self._put_kept()

    def _put_kept(self) -> None:
        for number in sorted({at // PAGE for at, _ in self.listing.kept()}):
            self._put(self.view, number)
        self._mark()

    def _put(self, view: PhotoGrid | PhotoTable, number: int) -> None:
        rows = self.listing.page(number)
        if rows is None or self.session is None:
            return
        pending = self.session.pending
        edits = [pending.get(key_of(one)) if one is not None and len(pending) else None for one in rows]
        if isinstance(view, PhotoGrid):
            cells: list[GridCell | None] = [cell_of(one, edit) for one, edit in zip(rows, edits, strict=True)]
            view.put(number * PAGE, cells)
        else:
            lines: list[Row] = [row_of(one, edit, view.columns) for one, edit in zip(rows, edits, strict=True)]
            view.put(number * PAGE, lines)

    def _mark(self) -> None:
        """Marks of the rows that are there."""
        chosen = self.selection
        self.view.marks = {at for at, one in self.listing.kept() if key_of(one) in chosen} if chosen else set()
        self.view.refresh()

    def redraw(self) -> None:
        """Show what is kept again, after a change of what is wished or selected."""
        self._put_kept()
        self.say_status()

    @on(PagedView.NeedRows)
    def _needed(self, event: PagedView.NeedRows) -> None:
        event.stop()
        view = event.view
        number = event.first // PAGE
        if not isinstance(view, (PhotoGrid, PhotoTable)):
            return
        if self.listing.page(number) is not None:
            self._put(view, number)
            self._mark()
        elif self.listing.order is not None:
            self._fetch(view, number)

    @work(group="pages")
    async def _fetch(self, view: PhotoGrid | PhotoTable, number: int) -> None:
        listing = self.listing
        order = listing.order
        if order is None:
            return
        rows = await self.ask(photos.page, order, number * PAGE, (number + 1) * PAGE)
        if rows is None or listing is not self.listing:
            return
        listing.put(number, rows)
        self._put(view, number)
        self._mark()
        if None in rows:
            self.look_again()
        if self.at // PAGE == number:
            self.moved()

    @on(PhotoTable.Reshaped)
    def _reshaped(self) -> None:
        if self.session is not None and self.view is self.table:
            self._put_kept()

    # -- changes under the screen

    def changed(self, change: Change) -> None:
        """Look again, but not all the time."""
        self.look_again()

    def look_again(self) -> None:
        """Ask everything again soon; once, however often it is said."""
        if not self._will_look:
            self._will_look = True
            self._look_soon()

    @work(group="look again")
    async def _look_soon(self) -> None:
        try:
            await asyncio.sleep(max(_CALM, 5 * self._took) if self.listing.total else 0.05)
        finally:
            self._will_look = False
        self.load()

    # -- what screens that derive say

    def say_status(self) -> None:
        """Say how many there are, and what is wrong."""

    def answered(self) -> None:
        """All of an answer is shown."""

    def moved(self) -> None:
        """The cursor is on another photo, or what is known of it changed."""
