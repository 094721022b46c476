"""A list of which several may be chosen, where a mark and not its colour tells which are."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import SelectionList
from textual.widgets.option_list import OptionDoesNotExist
from textual.widgets.selection_list import SelectionType


class TickedList(SelectionList[SelectionType]):
    """As its base, which shows the same sign in two colours, with a tick or nothing in the box."""

    def render_line(self, y: int) -> Strip:
        """A line with its box."""
        segments = list(super().render_line(y))
        try:
            value = self.get_option_at_index(round(self.scroll_offset.y) + y).value
        except OptionDoesNotExist:
            return Strip(segments)
        left, inside, *rest = segments
        return Strip([left, Segment("✓" if value in self.selected else " ", inside.style), *rest])
