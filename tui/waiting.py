"""What goes on in a thread while a person waits for it: after a moment a window says how far it is, and can stop it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Static

from lumina_fs.progress import Event, Finished, Note, Progress, Rate, Trouble
from lumina_fs.wording import duration
from tui.foreign import foreign
from tui.host import Host
from tui.windows import ModalWindow

Result = TypeVar("Result")

#: Seconds that nobody needs to be told of.
_MOMENT = 0.4


class Waiting(Generic[Result]):
    """How far something is. `cancel` is set to stop it, which leaves everything as it was."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.cancel = threading.Event()
        #: True where the person stopped it.
        self.stopped = False
        #: What a person should know of it besides.
        self.notes: list[str] = []
        self._at: Progress | None = None
        self._rate = Rate()

    def through(self, events: Iterable[Event | Finished[Result]]) -> Result | None:
        """In the thread: through all that happens to the result; None where it was stopped before it had one."""
        result = None
        for event in events:
            if isinstance(event, Progress):
                if self._at is None or self._at.stage != event.stage:
                    self._rate = Rate()
                self._rate.add(event.done)
                self._at = event
            elif isinstance(event, Finished):
                result = event.result
            elif isinstance(event, Note):
                self.notes.append(event.text)
            elif isinstance(event, Trouble):
                self.notes.append(f"{event.path}: {event.message}")
        return result

    async def until(self, app: Host, done: Coroutine[Any, Any, Result | None]) -> Result | None:
        """What `done` gives, which goes `through` it somewhere; who is cancelled meanwhile stops it."""
        task = asyncio.create_task(done)
        if app.session is not None:
            app.session.stops(self.cancel)
        try:
            await asyncio.wait([task], timeout=_MOMENT)
            if not task.done():
                await app.push_screen_wait(WaitingWindow(self, task))
            return await task
        finally:
            self.cancel.set()

    def stop(self) -> None:
        """Give it up; everything stays as it was."""
        self.stopped = True
        self.cancel.set()

    def said(self) -> str:
        """How far it is, in words."""
        if self.stopped:
            return "stopping …"
        at = self._at
        if at is None:
            return "…"
        parts = [f"{at.stage}: {at.done:,}" + (f" of {at.total:,}" if at.total is not None else "")]
        rate, left = self._rate.per_second(), None if at.total is None else self._rate.seconds_left(at.total)
        parts.append(f"{rate:,.0f} {at.unit}/s" if rate else "")
        parts.append(f"{duration(left)} left" if left and left >= 1 else "")
        return ", ".join(filter(None, parts))


class StoppableWindow(ModalWindow[Result]):
    """Says what goes on, and how far it is; Escape or its button stops it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop")]

    app: Host

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """What goes on, and how to stop it."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            yield Static("", id="doing", markup=False)
            yield Button("Stop (esc)")

    def tell(self, text: str) -> None:
        """Say how far it is."""
        for line in self.query("#doing").results(Static):  # none while it closes
            line.update(foreign(text))

    @work(group="closing", exclusive=True)
    async def close(self) -> None:
        """Close it, without a result: there is nothing to wait for any more."""
        await self.app.close_screen(self)

    @on(Button.Pressed)
    def _pressed(self) -> None:
        self.action_stop()

    def action_stop(self) -> None:
        """Give it up."""
        raise NotImplementedError


class WaitingWindow(StoppableWindow[None]):
    """Shows how far it is, until it is there."""

    def __init__(self, waiting: Waiting[Any], task: asyncio.Task[Any]) -> None:
        super().__init__(waiting.title)
        self._waiting = waiting
        self._going = task

    def on_mount(self) -> None:
        """Look now and then."""
        self._look()
        self.set_interval(0.1, self._look)

    def _look(self) -> None:
        if self._going.done():
            self.close()
        else:
            self.tell(self._waiting.said())

    def action_stop(self) -> None:
        """Give it up."""
        self._waiting.stop()
