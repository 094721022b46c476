"""The table of photos: columns by what there is room for, and selecting with shift."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.virtual_table import Column, VirtualTable

#: A column with the width of the table from which it is shown. Keys of those that sort are names of sorts.
_COLUMNS = (
    (0, Column("changed", "", 1)),
    (0, Column("date", "Taken", 16)),
    (0, Column("name", "Name", 0, "middle")),
    (90, Column("type", "Type", 5)),
    (110, Column("pixels", "Pixels", 11, "right")),
    (0, Column("size", "Size", 9, "right")),
    (0, Column("quality", "Quality", 9, "right")),
    (0, Column("rating", "Rating", 8)),
    (70, Column("label", "Label", 8)),
    (120, Column("pick", "Pick", 6)),
    (100, Column("tags", "Tags", 18)),
    (150, Column("camera", "Camera", 22)),
)


class PhotoTable(VirtualTable):
    """Photos by number. Rows are given with all columns, by key (`values`), and cut to those that are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "stretch(-1)", "Select upwards", show=False),
        Binding("shift+down", "stretch(1)", "Select downwards", show=False),
    ]

    class Stretched(Message):
        """A person selected the rows from `first` up to `last`."""

        def __init__(self, table: PhotoTable, first: int, last: int) -> None:
            super().__init__()
            self.table = table
            self.first = first
            self.last = last

        @property
        def control(self) -> PhotoTable:
            """The table."""
            return self.table

    class Reshaped(Message):
        """Other columns are shown: rows are wanted anew."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(_for(100), id=id)

    def on_resize(self) -> None:
        """Columns for which there is room."""
        columns = _for(self.size.width)
        if columns != self.columns:
            self.columns = columns
            self.post_message(self.Reshaped())
        super().on_resize()

    def action_stretch(self, by: int) -> None:
        """Select from here to a neighbour."""
        self._stretch(self.cursor + by)

    def _stretch(self, target: int) -> None:
        start, target = self.cursor, max(0, min(target, self.total - 1))
        if self.total:
            self.post_message(self.Stretched(self, min(start, target), max(start, target)))
            self.go(target)

    def on_click(self, event: events.Click) -> None:
        """With shift it selects up to here."""
        place = event.get_content_offset(self)
        if event.shift and place is not None and place.y > 0:
            event.prevent_default()
            self._stretch(round(self.scroll_offset.y) + place.y - 1)


def _for(width: int) -> list[Column]:
    return [column for least, column in _COLUMNS if width >= least]
