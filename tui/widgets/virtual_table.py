"""A table of any length: rows are asked for where somebody looks, and forgotten where nobody does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lumina_fs.terminal import visible
from lumina_fs.wording import fit_middle

#: Rows that are asked for at once, and that are kept.
PAGE = 200
_KEPT_PAGES = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `width` 0 takes what is left; `middle` cuts in the middle, for paths; `sort` is told on a click."""

    key: str
    title: str
    width: int = 0
    align: Literal["left", "right", "middle"] = "left"


class Cell(NamedTuple):
    """A text with the name of a component class of the table (`-good`, `-warn`, `-bad`, `-dim`)."""

    text: str
    look: str = ""


Row = Sequence[str | Cell]


def neighbours(row: int, total: int, page: int) -> list[int]:
    """The pages before and after that of a row, where it is near their edge: who goes on shall not wait for them."""
    near = page * 2 // 5
    here = row // page
    found = [here + 1] if row % page >= page - near and (here + 1) * page < total else []
    return [*found, here - 1] if row % page < near and here > 0 else found


class VirtualTable(ScrollView, can_focus=True):
    """Rows by number. The owner hears `NeedRows`, and answers with `put`. Texts are foreign: they are escaped here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head", "table--cursor", "table--marked", "table--good", "table--warn", "table--bad", "table--dim",
    }  # fmt: skip
    DEFAULT_CSS = """
    VirtualTable { height: 1fr; background: $surface; overflow-x: hidden; }
    VirtualTable > .table--head { background: $panel; color: $foreground; text-style: bold; }
    VirtualTable > .table--cursor { background: $primary 40%; text-style: bold; }
    VirtualTable:focus > .table--cursor { background: $primary; color: $background; }
    VirtualTable > .table--marked { color: $accent; text-style: bold; }
    VirtualTable > .table--good { color: $success; }
    VirtualTable > .table--warn { color: $warning; }
    VirtualTable > .table--bad { color: $error; }
    VirtualTable > .table--dim { color: $foreground 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
        Binding("enter", "select", "Open", show=False),
        Binding("space", "mark", "Mark", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class NeedRows(Message):
        """Rows from `first` up to, without, `end` are looked at and not there."""

        def __init__(self, table: VirtualTable, first: int, end: int) -> None:
            super().__init__()
            self.table = table
            self.first = first
            self.end = end

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, table: VirtualTable, row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    class Chosen(Moved):
        """Enter, or a second click, on a row."""

    class Marked(Moved):
        """The mark of a row was set or taken away."""

    class HeadClicked(Message):
        """The title of a column was clicked."""

        def __init__(self, table: VirtualTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.columns = list(columns)
        self.total = 0
        #: Rows that are marked, by number.
        self.marks: set[int] = set()
        #: The cursor was sent to the end, wherever that may come to be.
        self.at_end = False
        #: (key, descending) of the column that rows are sorted by, for the sign in its title.
        self.sorted: tuple[str, bool] | None = None
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._asked: set[int] = set()

    # -- the owner's side

    def reset(self, total: int, *, cursor: int | None = None) -> None:
        """There are `total` rows now, and what was known of them is forgotten."""
        self._pages.clear()
        self._lay_out(total, cursor)

    def _lay_out(self, total: int, cursor: int | None) -> None:
        self.total = total
        self.marks.clear()
        self._asked.clear()
        self.virtual_size = Size(self.size.width, total + 1)
        wanted = max(0, min(self.cursor if cursor is None else cursor, total - 1))
        if wanted != self.cursor:
            self.cursor = wanted
        self._show_cursor(animate=False)
        self.refresh()
        self._need()

    def put(self, start: int, rows: Sequence[Row]) -> None:
        """Rows from `start` on, as asked for: `start` is that of a page."""
        number = start // PAGE
        self._asked.discard(number)
        for at in range(0, max(1, len(rows)), PAGE):
            self._pages[number + at // PAGE] = list(rows[at : at + PAGE])
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)
        self.refresh()

    def fill(self, rows: Sequence[Row], *, cursor: int | None = None) -> None:
        """All rows at once, where there are few."""
        self._pages = OrderedDict(
            (start // PAGE, list(rows[start : start + PAGE])) for start in range(0, len(rows), PAGE)
        )
        self._lay_out(len(rows), cursor)

    def row(self, number: int) -> Row | None:
        """A row, None while it is not there."""
        page = self._pages.get(number // PAGE)
        at = number % PAGE
        return page[at] if page is not None and at < len(page) else None

    # -- what a person does

    def action_move(self, by: int) -> None:
        """The cursor up or down."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """The cursor by a screen."""
        self._go(self.cursor + by * max(1, self.size.height - 2))

    def action_jump(self, to: int) -> None:
        """To the first row, or (-1) the last."""
        self._go(to if to >= 0 else self.total - 1)
        self.at_end = to < 0

    def action_select(self) -> None:
        """Open the row under the cursor."""
        if self.total:
            self.post_message(self.Chosen(self, self.cursor))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away; on to the next."""
        if self.total:
            self.marks ^= {self.cursor}
            self.post_message(self.Marked(self, self.cursor))
            self._go(self.cursor + 1)
            self.refresh()

    def _go(self, row: int) -> None:
        row = max(0, min(row, self.total - 1))
        if self.total and row != self.cursor:
            self.cursor = row

    def watch_cursor(self, before: int, now: int) -> None:
        """Show the row, and tell."""
        self.at_end = False
        self._show_cursor(animate=False)
        self.refresh_row(before)
        self.refresh_row(now)
        self._need()
        if self.total:
            self.post_message(self.Moved(self, now))

    def _show_cursor(self, *, animate: bool) -> None:
        top = round(self.scroll_offset.y)
        room = max(1, self.size.height - 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=animate)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=animate)

    def on_click(self, event: events.Click) -> None:
        """A title sorts; a row takes the cursor, and a second click opens it."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y == 0:
            at = 1
            for column, width in zip(self.columns, self._widths(), strict=True):
                if at <= place.x < at + width + 1:
                    self.post_message(self.HeadClicked(self, column.key))
                at += width + 1
            return
        row = round(self.scroll_offset.y) + place.y - 1
        if 0 <= row < self.total:
            if row == self.cursor and event.chain > 1:
                self.action_select()
            elif event.ctrl:
                self.cursor = row
                self.action_mark()
            self.cursor = row

    # -- drawing

    def on_resize(self) -> None:
        """Other rows may be in sight."""
        self.virtual_size = Size(self.size.width, self.total + 1)
        self._show_cursor(animate=False)
        self._need()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in sight."""
        super().watch_scroll_y(old_value, new_value)
        self._need()

    def _need(self) -> None:
        """Ask for the pages in sight that are not there, and for those that are about to be."""
        if not self.total or not self.size.height:
            return
        top = round(self.scroll_offset.y)
        sight = {top // PAGE, min(self.total - 1, top + self.size.height) // PAGE, self.cursor // PAGE}
        for number in (*sight, *neighbours(self.cursor, self.total, PAGE)):
            if number in self._pages:
                self._pages.move_to_end(number)
            elif number not in self._asked:
                self._asked.add(number)
                self.post_message(self.NeedRows(self, number * PAGE, min(self.total, (number + 1) * PAGE)))

    def _widths(self) -> list[int]:
        fixed = sum(column.width for column in self.columns)
        open_ = sum(not column.width for column in self.columns)
        left = max(8 * open_, self.size.width - fixed - len(self.columns) - 1)
        return [column.width or left // max(1, open_) for column in self.columns]

    def render_line(self, y: int) -> Strip:
        """A line of the widget: the titles, then rows."""
        if y == 0:
            style = self.get_component_rich_style("table--head")
            titles = [self._title(column) for column in self.columns]
            return self._strip(titles, style, " ")
        number = round(self.scroll_offset.y) + y - 1
        if number >= self.total:
            return Strip.blank(self.size.width, self.rich_style)
        row = self.row(number)
        look = "table--cursor" if number == self.cursor else "table--marked" if number in self.marks else ""
        style = self.get_component_rich_style(look) if look else self.rich_style
        sign = "✓" if number in self.marks else "›" if number == self.cursor else " "
        return self._strip(row if row is not None else ["…"], style, sign, plain=bool(look))

    def _title(self, column: Column) -> str:
        if self.sorted is None or self.sorted[0] != column.key:
            return column.title
        return f"{column.title} {'▼' if self.sorted[1] else '▲'}"

    def _strip(self, row: Row, style: Style, sign: str, *, plain: bool = False) -> Strip:
        segments = [Segment(sign, style)]
        for column, width, cell in zip(self.columns, self._widths(), row, strict=False):
            text, look = cell if isinstance(cell, Cell) else (cell, "")
            own = (
                style
                if plain or not look
                else style + self.get_component_rich_style(f"table--{look.lstrip('-')}", partial=True)
            )
            segments.append(Segment(_fitted(visible(text), width, column.align) + " ", own))
        return Strip(segments).adjust_cell_length(self.size.width, style).crop(0, self.size.width)

    def refresh_row(self, number: int) -> None:
        """Draw one row again."""
        self.refresh(Region(0, number - round(self.scroll_offset.y) + 1, self.size.width, 1))


@lru_cache(maxsize=4096)
def _fitted(text: str, width: int, align: str) -> str:
    """`text` in exactly `width` columns."""
    wide = cell_len(text)
    if wide > width:
        if align == "middle":
            return set_cell_size(fit_middle(text, width), width)
        return set_cell_size(text, max(0, width - 1)) + "…"[:width]
    return " " * (width - wide) + text if align == "right" else text + " " * (width - wide)
