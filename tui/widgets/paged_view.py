"""What is shown of a list of any length: rows are asked for where somebody looks, and forgotten where nobody does."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.timer import Timer

#: Rows that are asked for at once, and pages of them that are kept.
PAGE = 200
_KEPT_PAGES = 20
#: Seconds after which a page that did not come is asked for again; each time twice as many, up to the most.
_PATIENCE, _MOST_PATIENCE = 2.0, 30.0

Item = TypeVar("Item")


class PagedView(ScrollView, Generic[Item], can_focus=True):
    """Rows by number, with a cursor. The owner hears `NeedRows`, and answers with `put`; where it does not, because
    the question failed, it hears it again. Those that derive say where a row is, and draw it."""

    cursor: reactive[int] = reactive(0, repaint=False)

    class NeedRows(Message):
        """Rows from `first` up to, without, `end` are looked at and not there."""

        def __init__(self, view: PagedView[Any], first: int, end: int) -> None:
            super().__init__()
            self.view = view
            self.first = first
            self.end = end

        @property
        def control(self) -> PagedView[Any]:
            """The view."""
            return self.view

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, view: PagedView[Any], row: int) -> None:
            super().__init__()
            self.view = view
            self.row = row

        @property
        def control(self) -> PagedView[Any]:
            """The view."""
            return self.view

    class Chosen(Moved):
        """Enter, or a second click, on a row."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.total = 0
        #: Rows that are marked, by number.
        self.marks: set[int] = set()
        #: The cursor was sent to the end, wherever that may come to be.
        self.at_end = False
        self._pages: OrderedDict[int, list[Item]] = OrderedDict()
        #: Pages that were asked for and are not there, with the moment of asking.
        self._asked: dict[int, float] = {}
        self._patience = _PATIENCE
        self._reminder: Timer | None = None

    # -- the owner's side

    def reset(self, total: int, *, cursor: int | None = None) -> None:
        """There are `total` rows now, and what was known of them is forgotten."""
        self._pages.clear()
        self._begin(total, cursor)

    def fill(self, rows: Sequence[Item], *, cursor: int | None = None) -> None:
        """All rows at once, where there are few."""
        self._pages = OrderedDict(
            (start // PAGE, list(rows[start : start + PAGE])) for start in range(0, len(rows), PAGE)
        )
        self._begin(len(rows), cursor)

    def _begin(self, total: int, cursor: int | None) -> None:
        self.total = total
        self.marks.clear()
        self._asked.clear()
        self._patience = _PATIENCE
        self.lay_out()
        wanted = max(0, min(self.cursor if cursor is None else cursor, total - 1))
        if wanted != self.cursor:
            self.cursor = wanted
        self.show_cursor()
        self.refresh()
        self.need()

    def put(self, start: int, rows: Sequence[Item]) -> None:
        """Rows from `start` on, as asked for: `start` is that of a page."""
        for at in range(0, max(1, len(rows)), PAGE):
            number = (start + at) // PAGE
            self._asked.pop(number, None)
            self._pages[number] = list(rows[at : at + PAGE])
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)
        self._patience = _PATIENCE
        self.refresh()

    def row(self, number: int) -> Item | None:
        """A row, None while it is not there."""
        page = self._pages.get(number // PAGE)
        at = number % PAGE
        return page[at] if page is not None and at < len(page) else None

    # -- what a person does

    def go(self, row: int) -> None:
        """The cursor to a row, or to the nearest there is."""
        row = max(0, min(row, self.total - 1))
        if self.total and row != self.cursor:
            self.cursor = row

    def action_move(self, by: int) -> None:
        """To a neighbour."""
        self.go(self.cursor + by)

    def action_jump(self, to: int) -> None:
        """To the first row, or (-1) the last."""
        self.go(to if to >= 0 else self.total - 1)
        self.at_end = to < 0

    def action_select(self) -> None:
        """Open the row under the cursor."""
        if self.total:
            self.post_message(self.Chosen(self, self.cursor))

    def watch_cursor(self, before: int, now: int) -> None:
        """Show the row, and tell."""
        self.at_end = False
        if not self.is_mounted:
            return
        self.show_cursor()
        self.refresh_row(before)
        self.refresh_row(now)
        self.need()
        if self.total:
            self.post_message(self.Moved(self, now))

    # -- what those that derive say

    def lay_out(self) -> None:
        """Set the size of all rows together."""
        raise NotImplementedError

    def show_cursor(self) -> None:
        """Scroll to where the cursor is seen."""
        raise NotImplementedError

    def refresh_row(self, number: int) -> None:
        """Draw one row again."""
        raise NotImplementedError

    def in_sight(self) -> range:
        """The numbers of the rows of which something is seen."""
        raise NotImplementedError

    # -- what is in sight

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in sight."""
        super().watch_scroll_y(old_value, new_value)
        self.need()

    def pages_in_sight(self) -> set[int]:
        """The numbers of the pages that are looked at."""
        seen = self.in_sight()
        return {number // PAGE for number in (seen[0], seen[-1], self.cursor)} if seen else set()

    def need(self) -> None:
        """Ask for the pages in sight that are not there, and for those that are about to be."""
        sight = self.pages_in_sight()
        for number in (*sight, *_neighbours(self.cursor, self.total)) if sight else ():
            if number in self._pages:
                self._pages.move_to_end(number)
            elif number not in self._asked:
                self._asked[number] = time.monotonic()
                self._remind()
                self.post_message(self.NeedRows(self, number * PAGE, min(self.total, (number + 1) * PAGE)))

    def _remind(self) -> None:
        if self._reminder is None:
            self._reminder = self.set_timer(self._patience, self._ask_again)

    def _ask_again(self) -> None:
        """Pages that did not come are asked for once more if they are still looked at, and ever less often."""
        self._reminder = None
        if self.screen not in self.app.screen_stack:  # another room is shown; the question keeps
            self._remind()
            return
        long_ago = time.monotonic() - self._patience
        overdue = [number for number, asked in self._asked.items() if asked <= long_ago]
        for number in overdue:
            del self._asked[number]
        if overdue:
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
            self.need()
        if self._asked:
            self._remind()


def _neighbours(row: int, total: int) -> list[int]:
    """The pages before and after that of a row, where it is near their edge: who goes on shall not wait for them."""
    near = PAGE * 2 // 5
    here = row // PAGE
    found = [here + 1] if row % PAGE >= PAGE - near and (here + 1) * PAGE < total else []
    return [*found, here - 1] if row % PAGE < near and here > 0 else found
