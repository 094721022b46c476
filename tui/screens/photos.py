"""The screen of photos: a grid or a table of what a query finds, filters, and all about the one under the cursor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, ContentSwitcher, Static

from lumina_fs.errors import LuminaError
from lumina_fs.terminal import visible
from lumina_fs.viewing import photos
from lumina_fs.viewing.access import Interrupted
from lumina_fs.viewing.detail import detail, duplicates
from lumina_fs.viewing.photos import Listed
from lumina_fs.wording import size
from tui.asking import AskText
from tui.foreign import foreign
from tui.photos.curating_screen import CuratingScreen
from tui.photos.detail_view import DetailView
from tui.photos.filter_panel import FilterPanel
from tui.photos.full_photo import FullPhoto
from tui.photos.listing import key_of
from tui.photos.one_key import OneKey
from tui.photos.photo_grid import PhotoGrid
from tui.photos.photo_table import PhotoTable
from tui.photos.query_bar import QueryBar, QueryInput
from tui.widgets.paged_view import PagedView
from tui.widgets.virtual_table import VirtualTable

#: Seconds that the cursor rests before all about a photo is read.
_REST = 0.12
#: Seconds without a step before it is asked what there is to choose from, which keeps the server busy for a while.
_PAUSE = 0.4
_SORT_KEYS = (("d", "date"), ("n", "name"), ("s", "size"), ("q", "quality"), ("r", "rating"))


class PhotosScreen(CuratingScreen):
    """Browse, search, select, and say what is to be said of photos."""

    NAME = "photos"
    AUTO_FOCUS = ""  # not the query, which is the first that could have it: `begin` chooses
    CSS = """
    #missing { display: none; height: auto; padding: 1 2; background: $surface; }
    #missing.-shown { display: block; }
    #missing Button { margin-top: 1; }
    #main { height: 1fr; }
    #views { height: 1fr; width: 2fr; }
    #side { display: none; width: 1fr; min-width: 46; max-width: 80; border-left: solid $panel; }
    PhotosScreen.-wide #side.-shown { display: block; }
    PhotosScreen.-narrow .-filtering #views { display: none; }
    PhotosScreen.-narrow FilterPanel { width: 1fr; border: none; }
    #status { height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ANYWHERE = frozenset({"search", "jump", "rebuild"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search"),
        Binding("v", "switch", "Grid/table"),
        Binding("f", "filters", "Filter"),
        Binding("s", "sort", "Sort", show=False, tooltip="Sort by"),
        Binding("S", "turn", "Turn the order", show=False),
        Binding("colon,ctrl+g", "jump", "Go to", show=False, tooltip="Go to a place (50%), a number or a date"),
        Binding("i", "side", "Details", show=False, tooltip="Details beside the list"),
        Binding("ctrl+a", "select_all", "Select all", show=False, tooltip="Select all that the query finds"),
        Binding("n", "select_none", "Select nothing", show=False),
        Binding("escape", "back", "Close what is open", show=False),
        Binding("R", "rebuild", "Rebuild the index", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.choices: dict[str, dict[str, int]] = {}
        self.behind = False
        self._stepped = 0.0
        self._rest: Timer | None = None
        self._full: FullPhoto | None = None
        self._told = ""

    def content(self) -> Iterable[Widget]:
        """Bar, panel, views, details, status."""
        yield QueryBar()
        with Vertical(id="missing"):
            yield Static("", id="why")
            yield Button("Rebuild the index (R)", id="rebuild")
        with Horizontal(id="main"):
            with ContentSwitcher(id="views", initial="grid"):
                yield PhotoGrid(id="grid")
                yield PhotoTable(id="table")
            yield DetailView(id="side")
        yield Static("", id="status")

    def begin(self) -> None:
        """As other screens; the list takes the keys, unless a person was faster and types a query."""
        super().begin()
        if self.session is not None and self.focused is None:
            self.view.focus()

    # -- what there is to choose from

    def answered(self) -> None:
        """The photos are there; now what there is to choose from."""
        if not self.choices:
            self._stepped = time.monotonic()
            self._learn()

    @work(group="choices", exclusive=True)
    async def _learn(self) -> None:
        session = self.session
        while self.session is session and not self._choosing and time.monotonic() < self._stepped + _PAUSE:
            await asyncio.sleep(_REST)  # who walks through the photos goes first
        if session is None or self.session is not session:
            return  # closed before this began
        try:
            self.choices = await session.ask_slowly(photos.choices)
        except (LuminaError, OSError, Interrupted):
            return
        if self.session is None:
            return
        self.query_one(QueryInput).choices = self.choices
        self.query_changed()

    @property
    def _choosing(self) -> bool:
        return self.panel is not None or self.query_one(QueryInput).has_focus

    def query_changed(self) -> None:
        """The panel and the bar follow."""
        self.query_one(QueryBar).put(self.query_text)
        if self.panel is not None:
            self.panel.show(self.query_text, self.choices)

    @on(FilterPanel.Edited)
    def _edited(self, event: FilterPanel.Edited) -> None:
        self.ask_for(event.text)

    @on(QueryInput.Left)
    def _done_typing(self) -> None:
        self.view.focus()
        self.answer_comes()

    # -- what is said below

    def say_status(self) -> None:
        """How many, how much, in which order, what is selected and what is not saved."""
        if self.session is None:
            return
        listing, pending = self.listing, self.session.pending
        if self.problem != self._told:
            self._told = self.problem
            self.query_one("#missing").set_class(bool(self.problem), "-shown")
            self.query_one("#why", Static).update(foreign(self.problem))
        total = f"{listing.total:,}" if listing.order is not None or listing.complete else f"{listing.total:,}+"
        parts = [f"{min(self.at + 1, listing.total):,} of {total}"]
        if listing.size is not None:
            parts.append(size(listing.size))
        parts.append(f"by {self.sort_key} {'▼' if self.descending else '▲'}")
        if total == "0" and not self.problem:
            parts = ["no photo fits: / changes the query" if listing.query.strip() else "no photo yet: F4 scans"]
        if self.selection:
            parts.append(f"✓ {len(self.selection):,} selected, {size(self.chosen_size)}")
        if len(pending):
            parts.append(f"* {len(pending):,} not saved (^s)")
        if self.saving:
            parts.append(self.saving)
        if self.app.trouble or self.behind:
            parts.append("! index behind, R rebuilds it" if self.behind else f"! {self.app.trouble}")
        self.query_one("#status", Static).update(foreign(" · ".join(parts)), layout=False)

    @work(group="behind", exclusive=True)
    async def _look_behind(self) -> None:
        from lumina_fs.index_session import is_behind

        behind = bool(await self.read(is_behind)) and not any(record.alive for record in self.app.jobs)
        if behind != self.behind:
            self.behind = behind
            self.say_status()

    @on(Button.Pressed, "#rebuild")
    def action_rebuild(self) -> None:
        """Make the index anew from the sidecars."""
        lines = ["The index is made anew from the sidecars. Photos and sidecars stay as they are."]
        self.confirm_then("Rebuild the index?", lines, "Rebuild", self._rebuild)

    def _rebuild(self) -> None:
        self.notify("the index is being made anew")
        self.app.start(["index", "rebuild"])

    def look_again(self) -> None:
        """Also at what there is to choose from."""
        super().look_again()
        self._look_behind()

    # -- all about one

    @on(PagedView.Moved)
    def _cursor_moved(self, event: PagedView.Moved) -> None:
        event.stop()
        if event.control is self.view:
            self._stepped = time.monotonic()
            self.say_status()
            self.moved()

    def moved(self) -> None:
        """Show the photo under the cursor where details are shown, as soon as it rests."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST, self._rested)

    def _viewers(self) -> list[DetailView]:
        side = self.query_one("#side", DetailView)
        found = [side] if side.has_class("-shown") and self.has_class("-wide") else []
        return [*found, full.view] if (full := self._whole) is not None else found

    @property
    def _whole(self) -> FullPhoto | None:
        """What shows a photo on the whole screen, once it is made and until it closes."""
        full = self._full
        return full if full is not None and full.is_mounted and full in self.app.screen_stack else None

    def _rested(self) -> None:
        self._rest = None
        here = self.current()
        if self.session is None or here is None or not self._viewers():
            return
        for viewer in self._viewers():
            viewer.photo = here.hit
        if (full := self._whole) is not None:
            full.say(self.at + 1, self.listing.total, here.hit.path)
        self._tell_about(here)

    @work(group="detail", exclusive=True)
    async def _tell_about(self, here: Listed) -> None:
        session, hit = self.session, here.hit
        if session is None:
            return
        try:
            found = await session.read(detail, hit.source, hit.path)
            related = await session.ask(duplicates, session.catalog, hit.source, hit.path, hit.sha256)
            sources = await session.read(lambda catalog: len(catalog.sources()))
        except (LuminaError, OSError) as error:
            for viewer in self._viewers():
                viewer.say(str(error))
            return
        except RuntimeError:
            if self.session is session:
                raise
            return  # the catalog was closed, and its threads with it
        for viewer in self._viewers():
            viewer.show(found, related, session.pending.get(key_of(here)), sources)

    @on(PagedView.Chosen)
    def _opened(self, event: PagedView.Chosen) -> None:
        event.stop()
        if self.has_class("-wide") and not self.query_one("#side").has_class("-shown"):
            self.action_side()
        else:
            self._open_full()

    def _open_full(self) -> None:
        if self.current() is not None:
            self._full = FullPhoto(self)
            self.app.push_screen(self._full, lambda _: self._seen())

    def _seen(self) -> None:
        self._full = None
        self.view.focus()

    def action_side(self) -> None:
        """Details beside the list, or no more; where there is no room beside it, on the whole screen."""
        if self.has_class("-wide"):
            self.query_one("#side").toggle_class("-shown")
            self.moved()
        else:
            self._open_full()

    # -- keys

    def action_search(self) -> None:
        """To the query."""
        self.query_one(QueryInput).focus()

    def action_switch(self) -> None:
        """The grid or the table."""
        row = self.at
        switcher = self.query_one(ContentSwitcher)
        switcher.current = "table" if switcher.current == "grid" else "grid"
        self._lay_out(row)
        self.view.focus()

    def action_filters(self) -> None:
        """The panel of filters, or no more."""
        if self.panel is None:
            self._open_panel(focus=True)
        else:
            self.query_one("#main").remove_class("-filtering")
            self.panel.remove()
            self.view.focus()

    @property
    def panel(self) -> FilterPanel | None:
        """The filters, where they are shown."""
        return next(iter(self.query(FilterPanel)), None)

    @work(group="panel", exclusive=True)
    async def _open_panel(self, *, focus: bool) -> None:
        if self.panel is not None:
            return
        main, panel = self.query_one("#main"), FilterPanel()
        main.add_class("-filtering")
        await main.mount(panel, before=0)
        panel.show(self.query_text, self.choices)
        if focus:
            panel.query("Input").first().focus()

    def action_back(self) -> None:
        """Stop saving; else close the panel of filters, then the details; the list takes the keys."""
        if self.saving:
            self.stop_saving()
        elif self.panel is not None:
            self.action_filters()
        elif self.focused is self.view and self.has_class("-wide") and self.query_one("#side").has_class("-shown"):
            self.action_side()
        self.view.focus()

    @work(group="asking")
    async def action_sort(self) -> None:
        """Ask by what."""
        answers = [(key, name, f"by {name}{' and folder' if name == 'name' else ''}") for key, name in _SORT_KEYS]
        answer = await self.app.push_screen_wait(OneKey("Sort (the same again turns it)", answers))
        if answer is not None:
            self._sort(answer)

    def _sort(self, key: str) -> None:
        if key == self.sort_key:
            self.sort_by(key, descending=not self.descending)
        else:
            self.sort_by(key, descending=key != "name")

    def action_turn(self) -> None:
        """The other way round."""
        self.sort_by(self.sort_key, descending=not self.descending)

    @on(VirtualTable.HeadClicked)
    def _head(self, event: VirtualTable.HeadClicked) -> None:
        if event.key in photos.SORTS:
            self._sort(event.key)

    @work(group="asking")
    async def action_jump(self) -> None:
        """Ask where to."""
        hint = "50% of the way, a number, or in an order by date 2019, 2019-07 or 2019-07-14"
        text = await self.app.push_screen_wait(AskText("Go to", hint=hint))
        if text:
            await self._jump(text.strip())

    async def _jump(self, text: str) -> None:
        order, total = self.listing.order, self.listing.total
        by_date = self.sort_key == "date" and order is not None
        try:
            if text.endswith("%"):
                row = round(float(text[:-1]) / 100 * (total - 1))
            elif by_date and order is not None and (len(text) == 4 or "-" in text):
                row = await self.open_session.ask(photos.place_of_date, order, text)
            else:
                row = int(text.replace(",", "")) - 1
        except (ValueError, OverflowError):
            self.notify(f"{visible(text)} is no percentage, number or date", severity="warning", markup=False)
            return
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        self.view.cursor = max(0, min(row, total - 1))

    # -- memory

    def state(self) -> dict[str, Any]:
        """With what is open besides the list."""
        if self.session is None:
            return {}
        side = self.query_one("#side").has_class("-shown")
        return {**super().state(), "filters": self.panel is not None, "side": side}

    def restore(self, state: dict[str, Any]) -> None:
        """With what was open."""
        self.query_one("#side").set_class(state.get("side") is True, "-shown")
        if state.get("filters") is True:
            self._open_panel(focus=False)
        super().restore(state)
