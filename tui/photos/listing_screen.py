"""A screen that lists the answer to a query, with a selection, and a memory of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import on, work
from textual.widgets import ContentSwitcher

from lumina_fs.errors import LuminaError
from lumina_fs.viewing import photos
from lumina_fs.viewing.photos import Key, Listed, QueryError
from tui.photos.answer_screen import AnswerScreen
from tui.photos.listing import key_of
from tui.photos.photo_grid import PhotoGrid
from tui.photos.photo_table import PhotoTable
from tui.photos.query_bar import QueryBar
from tui.widgets.virtual_table import VirtualTable


class ListingScreen(AnswerScreen):
    """What a person asks, and what they select of the answer."""

    _chosen_size = 0, 0

    # -- the query

    @on(QueryBar.Asked)
    def _asked(self, event: QueryBar.Asked) -> None:
        self.ask_for(event.text)

    def ask_for(self, text: str) -> None:
        """Show the answer to this query."""
        if text != self.query_text:
            self.query_text = text
            self.query_changed()
            self.load()

    def query_changed(self) -> None:
        """The query is another one."""

    def sort_by(self, key: str, *, descending: bool) -> None:
        """Show it in this order."""
        self.sort_key, self.descending = key, descending
        self.load()

    # -- the selection

    @property
    def chosen_size(self) -> int:
        """Bytes of what is selected."""
        if self._chosen_size[0] != len(self.selection):
            self._chosen_size = len(self.selection), sum(self.selection.values())
        return self._chosen_size[1]

    @on(PhotoGrid.Marked)
    def _marked_in_grid(self, event: PhotoGrid.Marked) -> None:
        if event.turn:
            self._turn(event.first)
        else:
            self._choose(event.first, event.last)

    @on(VirtualTable.Marked)
    def _marked_in_table(self, event: VirtualTable.Marked) -> None:
        self._turn(event.row)

    @on(PhotoTable.Stretched)
    def _stretched(self, event: PhotoTable.Stretched) -> None:
        self._choose(event.first, event.last)

    def turn_current(self) -> None:
        """Select the photo under the cursor, or no more."""
        self._turn(self.at)

    def _turn(self, row: int) -> None:
        one = self.listing.row(row)
        if one is not None:
            key = key_of(one)
            if key in self.selection:
                del self.selection[key]
            else:
                self.selection[key] = one.hit.size
            self._mark()
            self.say_status()

    @work(group="choosing")
    async def _choose(self, first: int, last: int) -> None:
        """Select all from one place to another, also where nobody looked yet."""
        for start in range(first, last + 1, 2000):
            rows = await self._rows(start, min(start + 2000, last + 1))
            self.selection.update({key_of(one): one.hit.size for one in rows})
        self._mark()
        self.say_status()

    async def _rows(self, first: int, end: int) -> list[Listed]:
        known = [self.listing.row(at) for at in range(first, end)]
        if None in known and self.listing.order is not None:
            known = list(await self.ask(photos.page, self.listing.order, first, end) or [])
        return [one for one in known if one is not None]

    @work(group="choosing", exclusive=True)
    async def action_select_all(self) -> None:
        """Select all that the query finds."""
        try:
            found = await self.open_session.ask_slowly(photos.everything, self.listing.query)
        except (LuminaError, OSError, QueryError) as error:
            self.app.complain(error)
            return
        self.selection.update(found)
        self._mark()
        self.say_status()

    def action_select_none(self) -> None:
        """Select nothing."""
        self.selection.clear()
        self._mark()
        self.say_status()

    async def rows_of(self, keys: Iterable[Key]) -> list[Listed]:
        """These originals as the index tells of them now."""
        kept = {key_of(one): one for _, one in self.listing.kept()}
        wanted = list(keys)
        found = [kept[key] for key in wanted if key in kept]
        rest = [key for key in wanted if key not in kept]
        for start in range(0, len(rest), 2000):
            found += await self.ask(photos.listed, rest[start : start + 2000]) or []
        return found

    # -- memory

    def state(self) -> dict[str, Any]:
        """The question, the place in the answer, and what is selected, unless that is very much."""
        here = self.current()
        chosen = [[*key, size] for key, size in self.selection.items()]
        return {
            "query": self.query_text, "sort": self.sort_key, "descending": self.descending,
            "view": "grid" if self.view is self.grid else "table", "cursor": list(key_of(here)) if here else None,
            "row": self.at, "selection": chosen if len(chosen) <= 20_000 else [], "zoom": self.grid.zoom,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take it up; what makes no sense is ignored."""
        text, sort, zoom = state.get("query", ""), state.get("sort", "date"), state.get("zoom")
        self.query_text = text if isinstance(text, str) else ""
        self.sort_key = sort if sort in photos.SORTS else "date"
        self.descending = state.get("descending") is not False
        self.query_one(QueryBar).put(self.query_text)
        if state.get("view") in ("grid", "table"):
            self.query_one(ContentSwitcher).current = state["view"]
        if isinstance(zoom, int):
            self.grid.zoom = zoom
        cursor, row = state.get("cursor"), state.get("row")
        if isinstance(cursor, list) and len(cursor) == 2 and all(isinstance(part, str) for part in cursor):
            self._wanted_key, self._wanted_query = (cursor[0], cursor[1]), self.query_text
        self._wanted_row = row if isinstance(row, int) else 0
        chosen = state.get("selection")
        if isinstance(chosen, list):
            self.selection = {(one[0], one[1]): one[2] for one in chosen if _is_chosen(one)}
        self.query_changed()


def _is_chosen(one: Any) -> bool:
    """True for what `state` writes of an original that is selected."""
    return isinstance(one, list) and len(one) == 3 and all(map(isinstance, one, (str, str, int)))
