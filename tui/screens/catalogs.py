"""The catalogs that a person knows: how each stands, and the way into it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.viewing.catalogs import CatalogRow, catalog_rows
from tui.catalog_screen import CatalogScreen
from tui.following import Change, JobsChanged
from tui.widgets.virtual_table import Column, VirtualTable

_COLUMNS = (
    Column("name", "Name", 24),
    Column("originals", "Originals", 11, "right"),
    Column("scan", "Last scan", 17),
    Column("state", "State", 20),
    Column("path", "Folder", 0, "middle"),
)


class CatalogsScreen(CatalogScreen):
    """A row for every catalog."""

    NAME = "catalogs"
    needs_catalog = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[CatalogRow] = []

    def content(self) -> Iterable[Widget]:
        """A table."""
        yield VirtualTable(_COLUMNS, id="catalogs")
        yield Static("", id="said", classes="hint")

    def concerns(self, change: Change) -> bool:
        """Jobs that run or end, besides the contents."""
        return super().concerns(change) or isinstance(change, JobsChanged)

    @work(exclusive=True)
    async def load(self) -> None:
        """The list as files tell it."""
        self._rows = await asyncio.to_thread(catalog_rows)
        self.query_one(VirtualTable).fill([_shown(row) for row in self._rows])
        self.query_one("#said", Static).update("" if self._rows else "No catalog yet. Press n to make one of a folder.")

    @on(VirtualTable.Chosen)
    def action_open(self) -> None:
        """Open the catalog under the cursor."""
        at = self.query_one(VirtualTable).cursor
        if at < len(self._rows):
            self._open(self._rows[at])

    @work
    async def _open(self, row: CatalogRow) -> None:
        try:
            catalog = await asyncio.to_thread(Catalog.open, row.path)
        except LuminaError as error:
            self.app.complain(error)
            return
        self.app.open_catalog(catalog)

    def state(self) -> dict[str, Any]:
        """Nothing is worth remembering here."""
        return {}


def _shown(row: CatalogRow) -> tuple[str, ...]:
    originals = "" if row.originals is None else f"{row.originals:,}"
    return row.name, originals, (row.last_scan or "never")[:16].replace("T", " "), row.state, row.path
