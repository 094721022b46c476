"""A table of any length, drawn row by row: columns, titles that sort, marks, and texts that are never trusted."""

from __future__ import annotations

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
from textual.strip import Strip

from lumina_fs.terminal import visible
from lumina_fs.wording import fit_apart
from tui.widgets.paged_view import PagedView


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


class VirtualTable(PagedView[Row]):
    """Rows of texts under titles. Texts are foreign: they are escaped here."""

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

    class Marked(PagedView.Moved):
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
        #: (key, descending) of the column that rows are sorted by, for the sign in its title.
        self.sorted: tuple[str, bool] | None = None

    # -- what a person does

    def action_page(self, by: int) -> None:
        """The cursor by a screen."""
        self.go(self.cursor + by * max(1, self.size.height - 2))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away; on to the next."""
        if self.total:
            self.marks ^= {self.cursor}
            self.post_message(self.Marked(self, self.cursor))
            self.go(self.cursor + 1)
            self.refresh()

    def show_cursor(self) -> None:
        """Scroll to where the row is seen."""
        top = round(self.scroll_offset.y)
        room = max(1, self.size.height - 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False)

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

    def lay_out(self) -> None:
        """A line a row, and one for the titles."""
        self.virtual_size = Size(self.size.width, self.total + 1)

    def on_resize(self) -> None:
        """Other rows may be in sight."""
        self.lay_out()
        self.show_cursor()
        self.need()

    def in_sight(self) -> range:
        """The numbers of the rows that are seen, and of the one after them."""
        if not self.total or not self.size.height:
            return range(0)
        top = min(round(self.scroll_offset.y), self.total - 1)
        return range(top, min(self.total, top + self.size.height + 1))

    def _widths(self) -> list[int]:
        fixed = sum(column.width for column in self.columns)
        open_ = sum(not column.width for column in self.columns)
        room = self.scrollable_content_region.width or self.size.width  # a bar beside the rows takes some of it
        left = max(8 * open_, room - fixed - len(self.columns) - 1)
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
        near = [other for other in (self.row(number - 1), self.row(number + 1)) if other is not None]
        return self._strip(row if row is not None else ["…"], style, sign, near, plain=bool(look))

    def _title(self, column: Column) -> str:
        if self.sorted is None or self.sorted[0] != column.key:
            return column.title
        return f"{column.title} {'▼' if self.sorted[1] else '▲'}"

    def _strip(self, row: Row, style: Style, sign: str, near: Sequence[Row] = (), *, plain: bool = False) -> Strip:
        segments = [Segment(sign, style)]
        for at, (column, width, cell) in enumerate(zip(self.columns, self._widths(), row, strict=False)):
            text, look = visible(_text(cell)), cell.look if isinstance(cell, Cell) else ""
            beside = self._beside(row, at, near) if column.align == "middle" and cell_len(text) > width else ()
            own = (
                style
                if plain or not look
                else style + self.get_component_rich_style(f"table--{look.lstrip('-')}", partial=True)
            )
            segments.append(Segment(_fitted(text, width, column.align, beside) + " ", own))
        return Strip(segments).adjust_cell_length(self.size.width, style).crop(0, self.size.width)

    def _beside(self, row: Row, at: int, near: Sequence[Row]) -> tuple[str, ...]:
        """Texts that one would compare with that of a column: those above and below, and others of the row."""
        others = [cell for column, cell in zip(self.columns, row, strict=False) if column.align == "middle"]
        return tuple(visible(_text(cell)) for cell in (*(other[at] for other in near if at < len(other)), *others))

    def refresh_row(self, number: int) -> None:
        """Draw one row again."""
        self.refresh(Region(0, number - round(self.scroll_offset.y) + 1, self.size.width, 1))


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell


@lru_cache(maxsize=4096)
def _fitted(text: str, width: int, align: str, beside: tuple[str, ...]) -> str:
    """`text` in exactly `width` columns, told apart from those beside it."""
    wide = cell_len(text)
    if wide > width:
        if align == "middle":
            return set_cell_size(fit_apart(text, beside, width), width)
        return set_cell_size(text, max(0, width - 1)) + "…"[:width]
    return " " * (width - wide) + text if align == "right" else text + " " * (width - wide)
