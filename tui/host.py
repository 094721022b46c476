"""What screens use of the app: the open catalog, what changes under it, work to start, what is remembered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.console import RenderableType
from textual import events, on, work
from textual.app import App
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.signal import Signal

from lumina_fs.catalog import Catalog
from lumina_fs.cli.jobs_shown import short
from lumina_fs.errors import LuminaError, NeedsIndex
from lumina_fs.jobs.launch import Ended, launch
from lumina_fs.jobs.records import Record, list_records
from lumina_fs.roots import Root
from lumina_fs.terminal import visible
from lumina_fs.viewing import view_state
from tui.following import Change
from tui.session import Session
from tui.turns import Behind, Turns

Result = TypeVar("Result")

#: Messages that are shown at once.
_MESSAGES = 3
#: Seconds between looks whether a screen can be closed.
_LOOK = 0.02


class Host(App[int]):
    """The app without its screens."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        # before the app itself, whose first screen depends on it
        self._memory = view_state.load()
        self.session = Session(catalog) if catalog is not None else None
        super().__init__()
        #: All jobs of the open catalog, the latest first.
        self.jobs: tuple[Record, ...] = ()
        #: What is wrong with the index, in a few words; empty when nothing is.
        self.trouble = ""
        #: Told of every change; a screen subscribes to it.
        self.changes: Signal[Change] = Signal(self, "changes")
        #: The terminal is about to be left, for good or for another program: it forgets the pictures that it was given.
        self.leaving: Signal[None] = Signal(self, "leaving")
        #: The terminal is ours again, or its letters have another size.
        self.returned: Signal[None] = Signal(self, "returned")
        #: Processes that were started here; how they ended is told when they end.
        self.launched: set[int] = set()
        self._turns = Turns(self)

    # -- keys

    async def on_event(self, event: events.Event) -> None:
        """A key goes on to a widget when it is its turn."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._turns.has_come(event):
            await super().on_event(event)
            self._turns.handed_on(event)

    @on(Behind)
    def _keys_went_through(self, message: Behind) -> None:
        message.arrived.set()

    async def push_screen_wait(self, screen: Screen[Result] | str, *, mode: str | None = None) -> Result | Any:
        """The answer that a screen gives, in a worker; keys go to that screen meanwhile."""
        assert isinstance(screen, Screen), "screens have no names here"
        with self._turns.asking(screen):
            return await super().push_screen_wait(screen, mode=mode)

    async def close_screen(self, screen: Screen[Result], result: Result | None = None) -> None:
        """Dismiss a screen as soon as it is what is shown: Textual takes away whichever lies on top."""
        while not (screen.is_mounted and screen.is_active):
            await asyncio.sleep(_LOOK)
        screen.dismiss(result)

    # -- the terminal

    def tell(self, text: str) -> None:
        """Write to the terminal between two paints, in order with them. For sequences of the program's own only."""
        if text and self._driver is not None and not self.is_headless and not self._exit:
            self._driver.write(text)

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app, once the terminal has been told to forget pictures."""
        self.leaving.publish(None)
        super().exit(result, return_code, message)

    def on_mount(self) -> None:
        """Hear when the terminal is lent to another program."""
        self.app_suspend_signal.subscribe(self, lambda _: self.leaving.publish(None), immediate=True)
        self.app_resume_signal.subscribe(self, lambda _: self.returned.publish(None))

    def open_catalog(
        self, catalog: Catalog, *, room: str | None = None, then: Callable[[], object] | None = None
    ) -> None:
        """Close the catalog that is open, and show this one; `then` is called when it is open."""
        raise NotImplementedError

    async def leave_catalog(self) -> None:
        """Close the catalog that is open, and show the list."""
        raise NotImplementedError

    def action_go(self, room: str, state: dict[str, Any] | None = None) -> None:
        """Show a screen; `state` is what it shall show there, as its own `state` would say."""
        raise NotImplementedError

    def notify(
        self, message: str, *, title: str = "", severity: SeverityLevel = "information",
        timeout: float | None = None, markup: bool = True,
    ) -> None:  # fmt: skip
        """Show a message; the last ones stay, for those that do not fit would cover what lies below."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
        self.call_later(self._keep_the_last_messages)  # once it is one of them

    def _keep_the_last_messages(self) -> None:
        for older in list(self._notifications)[:-_MESSAGES]:
            self._unnotify(older)

    def go_and(self, room: str, action: str) -> None:
        """Show a screen, and do this there; with "" it is only shown."""
        raise NotImplementedError

    def complain(self, error: BaseException) -> None:
        """Show what went wrong."""
        title = "The index" if isinstance(error, NeedsIndex) else "That did not work"
        self.notify(visible(str(error)), title=title, severity="error", markup=False, timeout=10)

    # -- work

    def show_photos(self, query: str, at: tuple[str, str] | None = None) -> None:
        """Show the answer to a query in the room of photos, with the cursor on an original: (source, encoded path).

        Order, view and selection there stay as they were.
        """
        there = {"query": query, "cursor": None if at is None else list(at), "row": 0}
        self.action_go("photos", {**self.remembered("photos"), **there})

    def start(self, words: Sequence[str], then: Callable[[Ended], None] | None = None) -> None:
        """Start `lumina WORDS` in a process of its own.

        `then` hears how it ended, unless another catalog is open by then; else it is shown.
        """
        if self.session is not None:
            self._run(self.session.catalog, tuple(words), then)

    @work(group="processes")
    async def _run(self, catalog: Catalog, words: tuple[str, ...], then: Callable[[Ended], None] | None) -> None:
        # nothing but the end of it is awaited until `wait` or `forget`: what is cancelled would leave it to nobody
        try:
            launched = launch(catalog, words)
        except OSError as error:
            self.complain(error)
            return
        try:
            self.launched.add(launched.pid)
            while launched.running():
                await asyncio.sleep(0.1)
        except BaseException:
            launched.forget()
            raise
        ended = launched.wait()
        if then is not None and self.session is not None and self.session.catalog is catalog:
            then(ended)
        else:  # nobody waits for it, or who did is gone with the catalog
            self._say_done(words, ended, await asyncio.to_thread(_records_of, catalog, launched.pid))

    def _say_done(self, words: tuple[str, ...], ended: Ended, records: list[Record]) -> None:
        """How a process ended, as its records tell, or what it printed where it left none."""
        for record in records:
            self.say_ended(record)
        if ended.code not in (0, 3, 130) and not any(record.state == "failure" for record in records):
            self.notify(visible(ended.complaint or f"exit code {ended.code}"), title=f"{words[0]} failed",
                        severity="error", markup=False, timeout=10)  # fmt: skip
        elif not records and ended.output.strip():
            self.notify(visible(ended.output.strip().splitlines()[0]), title=words[0], markup=False)

    def say_ended(self, record: Record) -> None:
        """How a job ended."""
        # a job that ended as it should may have carried out a plan that did not
        outcome = str((record.job.result or {}).get("outcome", ""))
        state = outcome if record.state == "success" and outcome not in ("", "complete") else record.state
        severity: SeverityLevel = {"success": "information", "cancelled": "warning"}.get(state, "error")  # type: ignore[assignment]
        text = visible(short(record)) or ("" if state == "success" else state)
        self.notify(text, title=f"{record.job.work}: {state.replace('_', ' ')}", markup=False, severity=severity)

    # -- memory

    def place(self) -> dict[str, Any]:
        """What is remembered of the open catalog; a change of it is kept with the next `keep`."""
        if self.session is None:
            return {}
        places = self._memory.setdefault("catalogs", {})
        found = places.setdefault(self.session.catalog.id, {}) if isinstance(places, dict) else {}
        return found if isinstance(found, dict) else {}

    def remembered(self, room: str) -> dict[str, Any]:
        """What a screen said when it was left."""
        found = self.place().get("rooms", {})
        state = found.get(room, {}) if isinstance(found, dict) else {}
        return state if isinstance(state, dict) else {}

    def keep(self, room: str, state: dict[str, Any]) -> None:
        """Remember the state of a screen, and that it was the last one."""
        place = self.place()
        place["room"] = room
        place.setdefault("rooms", {})[room] = state
        self._memory["theme"] = self.theme
        view_state.save(self._memory)


def _records_of(catalog: Catalog, pid: int) -> list[Record]:
    """What a process of ours left in the catalog, the first first."""
    with contextlib.suppress(LuminaError, OSError), Root.open(catalog.path) as root:
        return [record for record in reversed(list_records(root)[0]) if record.job.process.pid == pid]
    return []
