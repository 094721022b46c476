"""The app: its screens, how one gets from one to the other, and what goes on in the background."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.screen import Screen

from lumina_fs.catalog import Catalog
from lumina_fs.collector import running
from lumina_fs.errors import LuminaError
from lumina_fs.viewing.access import catch_up
from lumina_fs.wording import plural
from tui.asking import Choose, Keys
from tui.catalog_screen import CatalogScreen
from tui.following import CatalogChanged, Change, JobsChanged, follow
from tui.host import Host
from tui.rooms import KEYS, ROOMS, Room
from tui.session import Session
from tui.themes import DARK, LIGHT
from tui.widgets import drawing

#: Seconds that are left to what a screen shows first, before changes under it are looked for.
_FIRST = 0.3
#: Seconds after which a start is over.
_STARTED = 1.0
#: The mode that is shown while all screens are made anew.
_BETWEEN = "between"
#: Groups of work that goes on when the catalog is closed: it closes it, or is not about what it answers.
_OUTLASTING = frozenset(("open", "leave", "deleting", "processes", "keys"))


def _opener(room: Room) -> Callable[[], Screen[Any]]:
    """Makes the screen of a room; its module is loaded when it is first shown."""
    return lambda: getattr(import_module(room.module), room.screen)()


class LuminaApp(Host):
    """Lumina in a terminal."""

    TITLE = "Lumina"
    CSS_PATH = "app.tcss"
    MODES = {**{name: _opener(room) for name, room in ROOMS.items()}, _BETWEEN: Screen}  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        *(Binding(KEYS[name], f"go('{name}')", room.title, show=False) for name, room in ROOMS.items()),
        Binding("question_mark", "keys", "Keys", key_display="?"),
        Binding("ctrl+p", "command_palette", "Palette", show=False, priority=True, tooltip="Palette of all actions"),
        Binding("f4", "scan", "Scan now", show=False, tooltip="Scan now: look at what is new in all sources"),
        Binding("f2", "toggle_theme", "Dark or light", show=False, tooltip="Theme: dark or light"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, catalog: Catalog | None = None) -> None:
        super().__init__(catalog)
        self._cell = drawing.cell()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # before anything is styled, else all of it is styled twice
        self.set_reactive(LuminaApp.theme, LIGHT.name if self._memory.get("theme") == LIGHT.name else DARK.name)
        # needed by the processes that make thumbnails, and it cannot start once the app has taken stderr
        resource_tracker.ensure_running()
        # work in threads hands the interpreter over often, so that a key never waits long for it
        sys.setswitchinterval(0.001)

    # -- life

    @property
    def DEFAULT_MODE(self) -> str:  # type: ignore[override]  # noqa: N802 - Textual's name
        """The first screen: where the catalog was left, else the list of catalogs."""
        return self._wanted_room() if self.session is not None else "catalogs"

    def _wanted_room(self) -> str:
        room = self.place().get("room")
        return room if room in ROOMS else "photos"

    def on_mount(self) -> None:
        """Follow what happens to the catalog that was asked for."""
        self.set_timer(_STARTED, running)
        if self.session is not None:
            self._follow()

    def on_resize(self) -> None:
        """Letters that were made larger or smaller want other pictures."""
        before, self._cell = self._cell, drawing.cell()
        if self._cell != before:
            self.returned.publish(None)

    def open_catalog(
        self, catalog: Catalog, *, room: str | None = None, then: Callable[[], object] | None = None
    ) -> None:
        """Close the catalog that is open, and show this one; `then` is called when it is open."""
        if self._unsaved:
            self._ask_first(lambda: self._open(catalog, room, then))
        else:
            self._open(catalog, room, then)

    async def leave_catalog(self) -> None:
        """Close the catalog that is open, and show the list."""
        await self.close_session()
        self.jobs, self.trouble = (), ""
        await self._show_anew("catalogs")

    @work(group="open", exclusive=True)
    async def _open(self, catalog: Catalog, room: str | None, then: Callable[[], object] | None) -> None:
        await self.close_session()
        self.jobs, self.trouble = (), ""
        try:
            self.session = Session(catalog)
        except (LuminaError, OSError) as error:  # it is gone since it was opened
            catalog.close()
            self.complain(error)
            await self._show_anew("catalogs")
            return
        wanted = room if room in ROOMS else self._wanted_room()
        self._follow()  # what changes from now on is told, and what was before is what screens read
        await self._show_anew("photos" if wanted == "catalogs" else wanted)  # who opens it wants to go into it
        if then is not None:
            then()

    async def _show_anew(self, room: str) -> None:
        """All screens are made anew, because they are about another catalog. None can be gone to meanwhile."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                self.workers.cancel_node(screen)
        await self.switch_mode(_BETWEEN)
        for name in ROOMS:
            gone = self.remove_mode(name)
            self.add_mode(name, _opener(ROOMS[name]))
            await gone
        await self.switch_mode(room)

    @work(group="follow", exclusive=True)
    async def _follow(self) -> None:
        if self.session is not None:
            self._catch_up(self.session)
            await follow(self.session, self._tell, self.complain, first=_FIRST)

    @work(thread=True, group="catch up", exclusive=True)
    def _catch_up(self, session: Session) -> None:
        try:
            catch_up(session.catalog, lambda event: None, session.cancel)
        except (LuminaError, OSError, KeyboardInterrupt):
            return  # the bar says what is wrong with the index; a scan tries again

    def _tell(self, change: Change) -> None:
        if isinstance(change, JobsChanged):
            self.jobs = change.jobs
            for record in change.ended:
                if record.job.process.pid not in self.launched:
                    self.say_ended(record)
        elif isinstance(change, CatalogChanged):
            self.trouble = "index unavailable" if change.problem else ""
        self.changes.publish(change)

    async def close_session(self) -> None:
        """Give the open catalog back. Nobody asks it any more, and what it answers at the moment is waited for."""
        self._remember()
        session, self.session = self.session, None
        if session is None:
            return
        for worker in self.workers:
            if worker.group not in _OUTLASTING:
                worker.cancel()
        await asyncio.to_thread(session.close)

    async def action_quit(self) -> None:
        """Leave; what runs in processes of its own goes on. What is not saved is asked about."""
        if self._unsaved:
            self._ask_first(self._leave)
        else:
            self._leave()

    @work(group="leave", exclusive=True)
    async def _leave(self) -> None:
        await self.close_session()
        self.exit(0)

    @property
    def _unsaved(self) -> int:
        """Photos with changes that are not on the disk yet."""
        return len(self.session.pending) if self.session is not None else 0

    def _ask_first(self, then: Callable[[], object]) -> None:
        """Ask what shall become of changes that are not saved, unless that is being asked; `then`, unless they stay."""
        if not any(one.group == "asking first" and not one.is_finished for one in self.workers):
            self._ask_and(then)

    @work(group="asking first")
    async def _ask_and(self, then: Callable[[], object]) -> None:
        count = plural(self._unsaved, "photo")
        ways = [("save", f"Save them ({count}), then go"), ("go", "Go; the changes are lost"), ("", "Stay")]
        answer = await self.push_screen_wait(Choose(f"Changes to {count} are not saved", ways))
        if answer == "save" and self.session is not None:
            if self.current_mode != "photos":
                await self.switch_mode("photos")
            photos = self.screen_stack[0]  # a photo of it may be on the whole screen
            if not await photos.save_all():  # type: ignore[attr-defined]
                return  # what could not be saved is told, and stays
        if answer:
            then()

    # -- from screen to screen

    def action_go(self, room: str, state: dict[str, Any] | None = None) -> None:
        """Show a screen; `state` is what it shall show there."""
        if room in ROOMS and self._can_go:
            self._remember()
            if state is not None:
                self.place().setdefault("rooms", {})[room] = state
            self._go(room, state)

    def go_and(self, room: str, action: str) -> None:
        """Show a screen, and do this there; with "" it is only shown."""
        if self._can_go:
            self._remember()
            self._go(room, None, action)

    @property
    def _can_go(self) -> bool:
        """Not from a window, and not while screens are made anew."""
        return len(self.screen_stack) == 1 and self.current_mode != _BETWEEN

    @work(group="go", exclusive=True)
    async def _go(self, room: str, state: dict[str, Any] | None, action: str = "") -> None:
        await self.switch_mode(room)
        if action:
            self.screen.call_later(self.screen.run_action, action)  # after it has begun
        if state is not None and isinstance(self.screen, CatalogScreen) and not self.screen.is_gone:
            self.screen.show_state(state)  # one that is not there yet takes it up when it begins

    def _remember(self) -> None:
        """Keep the state of the screen that is shown, and which one it is."""
        screen = self.screen_stack[0] if self.screen_stack else None
        if self.session is not None and isinstance(screen, CatalogScreen):
            try:
                state = screen.state()
            except NoMatches:
                return  # it is being made: what was kept of it holds
            self.keep(screen.NAME, state)
            screen.left()

    # -- keys and commands

    def action_keys(self) -> None:
        """What the keys do here."""
        self.push_screen(Keys(self.screen))

    def action_scan(self) -> None:
        """Look at what is new in all sources."""
        if self.session is None:
            self.notify("Open a catalog first.", severity="warning")
            return
        self.notify("A scan was started.")
        self.start(["scan"])

    def action_toggle_theme(self) -> None:
        """Between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every screen and every action, made from bindings."""
        from tui.palette import commands

        return commands(self, screen)
