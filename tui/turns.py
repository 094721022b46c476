"""Keys and pasted texts, one after the other: each goes where those before it have led."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from textual import events
from textual.app import App, ScreenStackError
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, get_current_worker

Typed = events.Key | events.Paste

#: Groups of work that asks, or shows something else: the next key may be meant for what comes of it.
_LEADING = frozenset(
    ("accept", "acting", "answer", "asking", "asking first", "batch", "change", "filter", "go", "leave", "open",
     "panel", "plan action", "propose", "trash action", "--textual-command-palette-gather-commands")
)  # fmt: skip
#: Keys that move a cursor: the same again is a step more.
_STEPS = frozenset(
    f"{shift}{key}"
    for shift in ("", "shift+")
    for key in ("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "backspace", "delete")
)
#: Seconds that a key waits for the one before it.
_PATIENCE = 2.0
#: Keys that leave, and seconds that they wait for all keys before them.
_LEAVING = frozenset(("ctrl+q", "ctrl+c"))
_LEAVING_PATIENCE = 0.5
#: Seconds that each of those still has when this time is over.
_AT_LEAST = 0.05
#: Seconds after which a key that nobody waits for is looked after: what it shows is painted first.
_CALM = 0.05
#: Seconds between looks at what nobody tells of.
_LOOK = 0.01


class Behind(Message):
    """Follows a key through the widgets up to the app: where it arrives, all that went before it was handled."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = asyncio.Event()


class Turns:
    """Says when it is a key's turn: when the one before it was acted upon to its end.

    Textual hands a key to what has the focus when it arrives, and not when the keys before it have done what they do.
    Steps in a row, and letters of a text, wait for nothing once the first of them has stayed where it was: an arrow
    that is held down is as fast as ever.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[Typed] = deque()
        self._due: set[Typed] = set()
        self._now: Typed | None = None
        self._handed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._target: Widget | None = None
        self._screen: Screen[Any] | None = None
        self._from: Widget | None = None
        self._steady = ""
        self._leave_by = math.inf
        self._limit: asyncio.Timeout | None = None
        self._asking: WeakKeyDictionary[Worker[Any], Screen[Any]] = WeakKeyDictionary()
        self._too_slow: WeakSet[Worker[Any]] = WeakSet()

    # -- what the app tells and asks

    def has_come(self, typed: Typed) -> bool:
        """True when this is to be acted upon now; else it waits, and is posted to the app again when it is."""
        if self._shown is None:  # the app has ended meanwhile: nobody acts upon keys any more
            return False
        if typed in self._due:
            self._due.discard(typed)
            return True
        if not self._waiting and (self._now is None or self._goes_on(typed)):
            going = self._now is not None
            self._begin(typed)
            if not going:
                self._app.run_worker(self._go_on(), name="keys", group="keys")
            return True
        self._waiting.append(typed)
        self._wanted.set()
        if self._now is None:  # what kept the turns was stopped
            self._app.run_worker(self._go_on(), name="keys", group="keys")
        if _leaves(typed):
            self._hurry()
        return False

    def handed_on(self, typed: Typed) -> None:
        """Textual has handed it on."""
        if typed is self._now:
            self._target = self._here()
            self._handed.set()

    @contextlib.contextmanager
    def asking(self, screen: Screen[Any]) -> Iterator[None]:
        """While the work that does this waits for what a person says on that screen."""
        worker = get_current_worker()
        self._asking[worker] = screen
        try:
            yield
        finally:
            del self._asking[worker]

    # -- one after the other

    def _begin(self, typed: Typed) -> None:
        if not self._goes_on(typed):
            self._steady, self._from = "", self._here()
        self._now, self._screen = typed, self._shown
        self._handed.clear()
        if not self._waiting:
            self._wanted.clear()

    def _goes_on(self, typed: Typed) -> bool:
        """True for a step or a letter after its like, which led nowhere."""
        here = self._here()
        return self._steady != "" and here is self._from and _kind(typed, here) == self._steady

    async def _go_on(self) -> None:
        try:
            while True:
                while (now := self._now) is not None:
                    await self._finish(now)
                    if self._now is now:
                        break
                if not self._waiting:
                    return
                self._next()
                while self._waiting and self._goes_on(self._waiting[0]):
                    self._next()
        finally:
            self._now = None

    def _next(self) -> None:
        typed = self._waiting.popleft()
        if not any(map(_leaves, (typed, *self._waiting))):
            self._leave_by = math.inf
        self._begin(typed)
        self._due.add(typed)
        self._app.post_message(typed)

    async def _finish(self, now: Typed) -> None:
        begun = asyncio.get_running_loop().time()
        until = max(begun + _AT_LEAST, min(begun + _PATIENCE, self._leave_by))
        try:
            async with asyncio.timeout_at(until) as self._limit:
                await self._acted_upon(now)
            if self._now is now:
                self._steady = _kind(now, self._from) if self._here() is self._from else ""
        except TimeoutError:
            self._too_slow.update(self._leading())  # the next keys shall not wait for it again
        finally:
            self._limit = None

    def _hurry(self) -> None:
        self._leave_by = min(self._leave_by, asyncio.get_running_loop().time() + _LEAVING_PATIENCE)
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(self._limit.when() or math.inf, self._leave_by))

    # -- to the end of one

    async def _acted_upon(self, now: Typed) -> None:
        """Until the key was handled, and what it led to: messages, work that asks, another screen, another focus."""
        await self._handed.wait()
        await _set_within(self._wanted, _CALM)
        if self._now is not now:
            return  # a step more came, which says the same
        await self._gone_through(self._target)
        while (here := self._here()) is not None:
            await self._gone_through(here)
            if self._leading():
                await asyncio.sleep(_LOOK)
            elif self._screen is not self._shown:
                self._screen = self._shown
                await self._drawn()
            elif here is self._here() and not _busy(here):
                return

    async def _gone_through(self, target: Widget | None) -> None:
        behind = Behind()
        if target is not None and target.is_attached and target.post_message(behind):
            await _until(behind.arrived, lambda: not target.is_attached)
        else:
            await asyncio.sleep(_LOOK)  # nothing else could go on while one asks in vain, again and again

    async def _drawn(self) -> None:
        """What is laid out with the next paint knows where keys lead."""
        screen, drawn = self._screen, asyncio.Event()
        if screen is not None and screen.call_after_refresh(drawn.set):
            await _until(drawn, lambda: screen is not self._shown)

    def _leading(self) -> list[Worker[Any]]:
        """Work that may show something, and does not wait for a person."""
        return [one for one in self._app.workers
                if one.group in _LEADING and not one.is_finished and one not in self._too_slow
                and (one not in self._asking or not self._asking[one].is_attached)]  # fmt: skip

    @property
    def _shown(self) -> Screen[Any] | None:
        """None once the app is about to end: then nothing is attached to it any more, and keys lead nowhere."""
        if self._app.return_code is not None:
            return None
        try:
            return self._app.screen
        except ScreenStackError:
            return None

    def _here(self) -> Widget | None:
        """What a key would go to."""
        shown = self._shown
        return shown and (self._app.focused or shown)


def _kind(typed: Typed, target: Widget | None) -> str:
    """What it has in common with those that may follow it at once; "" for nothing."""
    if not isinstance(typed, events.Key) or target is None:
        return ""
    if target.check_consume_key(typed.key, typed.character):
        return "a letter"
    return typed.key if typed.key in _STEPS else ""


def _leaves(typed: Typed) -> bool:
    return isinstance(typed, events.Key) and typed.key in _LEAVING


async def _until(done: asyncio.Event, lost: Callable[[], bool]) -> None:
    while not done.is_set() and not lost():
        await _set_within(done, _LOOK)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or when these seconds have passed.

    A limit of the caller is heeded as well, also when it ends just as the event is set (`asyncio.wait_for` of Python
    3.11 loses it then).
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _busy(node: MessagePump | None) -> bool:
    """True when a message waits on the way from here up to the app."""
    while node is not None:
        if node.message_queue_size:
            return True
        node = node._parent
    return False
