"""Facts of several files side by side: those in which they differ are marked by a sign, the others are dimmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.terminal import visible
from lumina_fs.viewing.group_facts import Fact
from lumina_fs.wording import wrapped

#: Columns of the names, with the sign before them; and lines that one fact may take.
_NAMES = 15
_MOST_LINES = 4


class FactTable(VerticalScroll, inherit_bindings=False):
    """A line a fact, a column a file. It is scrolled by keys where it is longer than its place.

    Pages are those of files, so the keys for them are left to the screen.
    """

    DEFAULT_CSS = """
    FactTable { height: 1fr; background: $surface; overflow-y: scroll; scrollbar-size-vertical: 1; }
    FactTable > Static { width: 1fr; height: auto; }
    """
    BINDINGS = [  # noqa: RUF012
        Binding("up,k", "scroll_up", "Scroll up", show=False),
        Binding("down,j", "scroll_down", "Scroll down", show=False),
    ]

    facts: reactive[tuple[Fact, ...]] = reactive((), layout=False)

    def compose(self) -> ComposeResult:
        """All of it is one text."""
        yield Static()

    def watch_facts(self) -> None:
        """Others are shown."""
        self._draw()

    def on_resize(self) -> None:
        """Columns have another width."""
        self._draw()

    def _draw(self) -> None:
        if self.is_mounted and self.size.width:
            width = self.outer_size.width - 2  # the bar is always there, so that columns never move
            self.query_one(Static).update(Content("\n").join(fact_lines(self.facts, width)))


def fact_lines(facts: Sequence[Fact], width: int) -> Iterator[Content]:
    """The lines of a table of `width` columns."""
    for fact in facts:
        files = max(1, len(fact.values))
        each = max(6, (width - _NAMES) // files - 1)
        columns = [_wrapped(visible(value) or "-", each) for value in fact.values]
        for number in range(max(map(len, columns), default=1)):
            name = f"{'≠' if fact.differ else ' '} {fact.name}" if number == 0 else ""
            cells = [column[number] if number < len(column) else "" for column in columns]
            text = " ".join(set_cell_size(cell, each) for cell in cells)
            line = Content.styled(set_cell_size(name, _NAMES), "bold" if fact.differ else "dim")
            yield line + Content.styled(text, "" if fact.differ else "dim")


def _wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns; what is too long ends with an ellipsis."""
    lines = wrapped(text, width)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], set_cell_size(lines[_MOST_LINES - 1], width - 1) + "…"]
    return lines
