"""Keeps one catalog true: waits for hints, timers and questions, and answers each with a scan of what it concerns.

A scan of everything is the answer to every doubt. Nothing here changes a file or a row by another way than `scan`.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from index.protocol import IndexUnavailable
from lumina_fs.catalog import Catalog, Source
from lumina_fs.daemon.account import Account
from lumina_fs.daemon.bell import Bell
from lumina_fs.daemon.memory import give_back
from lumina_fs.daemon.own_writes import OwnWrites
from lumina_fs.daemon.places import OWN, Affected, Documents, meaning, places, standing
from lumina_fs.daemon.settling import Gathered, is_being_written
from lumina_fs.daemon.ticket import Ticket
from lumina_fs.daemon.timetable import Timetable
from lumina_fs.daemon.watching import Hint, Watcher
from lumina_fs.errors import Locked, LuminaError, SourceOffline
from lumina_fs.index_session import BEHIND, LOCKS, keep_server, server
from lumina_fs.locks import lock
from lumina_fs.opener import Opener
from lumina_fs.progress import Finished
from lumina_fs.scan import Narrowing, ScanResult, scan

#: Workers are let go when nothing was opened for this long.
_IDLE_SECONDS = 20.0
_SERVER_SECONDS = 30.0
_TIMETABLE_SECONDS = 20.0
_LONGEST_WAIT = 30.0


class Keeper:
    """The daemon of one catalog. `run` returns when `stop` was called."""

    def __init__(self, path: str, on_ready: Callable[[Keeper], None], stop_all: Callable[[], None]) -> None:
        self._disk = OwnWrites()
        self.catalog = Catalog.open(path, self._disk)
        self.account = Account(self.catalog.name)
        self._on_ready, self._stop_all = on_ready, stop_all
        self._bell = threading.Condition()
        self._gathered = Gathered(self._bell)
        self.watcher = Watcher(self._hear, self._doubt)
        self._cancel, self._stopping = threading.Event(), threading.Event()
        self._opener = Opener(self.catalog, self._cancel)
        self._sources: list[Source] = []
        self._roots: dict[str, str] = {}
        self._standing: Any = None
        self._tickets: list[Ticket] = []
        self._unfinished: set[str] = set()
        self._offline: list[str] = []
        self._ready = False
        self._timetable, self._timetable_at = Timetable(), 0.0
        self._documents = self._renewal = True
        self._whole_at = self._poll_at = self._server_at = self._used = self._not_before = 0.0
        self._delay = 1.0

    # -- from other threads

    def stop(self) -> None:
        """Ask it to end where everything is valid."""
        self._stopping.set()
        self._cancel.set()
        self._wake()

    def _wake(self) -> None:
        with self._bell:
            self._bell.notify_all()

    def _hear(self, hint: Hint) -> None:
        found = meaning(hint, self._roots)
        if isinstance(found, Affected):
            self._gathered.add(found.source, found.folder, found.path, below=found.below)
        elif isinstance(found, Documents):
            self._documents = True
            self._wake()

    def _doubt(self, why: str) -> None:
        self.account.tell(f"{why}: comparing everything")
        self._renewal = True
        self._whole_at = 0.0
        self._wake()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer another process."""
        wish = question.get("do")
        if wish == "sync":
            ticket = Ticket(float(question.get("seconds") or 600.0))
            with self._bell:
                self._tickets.append(ticket)
                self._bell.notify_all()
            return ticket.wait(self._stopping)
        if wish == "give way":
            self._not_before = time.monotonic() + 1.0
            self._cancel.set()
            return {"done": True}
        if wish == "stop":
            self._stop_all()
            return {"done": True, "pid": os.getpid()}
        return self.status()

    def status(self) -> dict[str, Any]:
        """How things stand."""
        polled = [
            {"path": os.path.join(self._roots.get(place, ""), folder), "why": why}
            for (place, folder), why in sorted(self.watcher.unwatched.copy().items())
        ]
        return {
            "pid": os.getpid(), "catalog": self.catalog.name, "path": self.catalog.path, "ready": self._ready,
            "watched": self.watcher.count, "polled": polled, "overflows": self.watcher.overflows,
            "waiting": len(self._gathered), "offline": self._offline,
            "index": "behind" if os.path.exists(os.path.join(self.catalog.path, BEHIND)) else "current",
            **self.account.as_dict(),
        }  # fmt: skip

    # -- the loop

    def run(self) -> None:
        """Watch until stopped. Raises Locked where another daemon does already."""
        self.catalog.disk.make_directory(self.catalog.root, LOCKS)
        with contextlib.ExitStack() as stack:
            stack.callback(self._close)
            stack.enter_context(lock(self.catalog.root, f"{LOCKS}/daemon", wait=2.0, what="watching this catalog"))
            stack.enter_context(Bell(self.catalog.path, self.answer))
            with contextlib.suppress(IndexUnavailable):
                stack.enter_context(server())
            while not self._stopping.is_set():
                try:
                    self._turn()
                except (LuminaError, OSError) as error:
                    self._stumble(str(error))
                except Exception as error:  # a mistake of ours must not end the watch
                    self._stumble(f"{type(error).__name__}: {error}; this is a mistake in Lumina")
                self._sleep()

    def _close(self) -> None:
        self.watcher.close()
        self._opener.close()
        self._timetable.close()
        for ticket in self._tickets:
            ticket.give({"done": False, "message": "the daemon was stopped"})
        self.catalog.close()

    def _stumble(self, why: str) -> None:
        self.account.fail(why)
        self._opener.close()
        self._answer_tickets({"done": False, "message": why, "offline": self._offline})
        self._later()

    def _later(self) -> None:
        """Everything again, after a while that grows."""
        self._whole_at = time.monotonic() + self._delay
        self._delay = min(_LONGEST_WAIT, self._delay * 2)

    def _sleep(self) -> None:
        """Wait for what comes next."""
        if self._ready and not self._tickets:
            self.account.state = "idle"
        with self._bell:
            if self._documents or self._stopping.is_set():
                return
            now = time.monotonic()
            times = [self._whole_at, self._server_at, self._timetable_at, self._gathered.due() or self._whole_at]
            if self._tickets:
                times.append(now)
            if self.watcher.unwatched:
                times.append(self._poll_at)
            if self._opener.started:
                times.append(self._used + _IDLE_SECONDS)
            pause = max(min(times), self._not_before) - now
            if pause > 0:
                self._bell.wait(min(pause, _SERVER_SECONDS))

    def _turn(self) -> None:
        """Do what is due, if anything is."""
        now = time.monotonic()
        if now < self._not_before:
            return
        if self._documents:
            self._documents, self._timetable_at = False, 0.0
            self._read_documents()
        self._watch_again()
        due = self._gathered.due()
        if self._tickets or now >= self._whole_at:
            self._gathered.clear()
            self._look(None)
        elif due is not None and now >= due:
            folders = self._gathered.take(self._disk.is_ours)
            if folders is None or folders:
                self._look(folders)
        elif self.watcher.unwatched and now >= self._poll_at:
            self._poll()
        elif now >= self._timetable_at:
            self._timetable_at = now + _TIMETABLE_SECONDS
            if self._timetable.look(self.catalog):
                self.account.tell("scheduled work begins")
        elif now >= self._server_at:
            self._server_at = now + _SERVER_SECONDS
            keep_server()
        elif self._opener.started and now >= self._used + _IDLE_SECONDS:
            self._opener.close()
            self._disk.forget()
            give_back()

    def _read_documents(self) -> None:
        """The catalog's settings or sources may have changed."""
        fresh = Catalog.open(self.catalog.path, self._disk)
        try:
            sources = fresh.sources()
        except BaseException:
            fresh.close()
            raise
        if standing(fresh, sources) == self._standing:
            fresh.close()
            return
        self._opener.close()
        before, self.catalog, self._sources = self.catalog, fresh, sources
        before.close()
        self._standing = standing(fresh, sources)
        self._opener = Opener(fresh, self._cancel)
        self._renewal, self._whole_at = True, 0.0

    def _watch_again(self) -> None:
        if not self._renewal:
            return
        self._renewal = False
        trees = places(self.catalog, self._sources)
        self._roots = {place.name: place.path for place in trees}
        self.watcher.renew(trees, self.catalog.settings.daemon_watches)
        seconds = self.catalog.settings.daemon_poll_seconds
        for why in sorted(set(self.watcher.unwatched.values())):
            count = sum(one == why for one in self.watcher.unwatched.values())
            self.account.tell(f"{why}: {count:,} folders, with all below, are looked into every {seconds:g} s instead")

    def _poll(self) -> None:
        begun = time.monotonic()
        folders: dict[str, dict[str, bool]] = {}
        for (place, folder), _ in self.watcher.unwatched.copy().items():
            if place != OWN:
                folders.setdefault(place, {})[folder] = True
        self._look(folders)
        spent = time.monotonic() - begun
        self._poll_at = time.monotonic() + max(self.catalog.settings.daemon_poll_seconds, 20 * spent)

    # -- a look

    def _is_unfinished(self, path: str) -> bool:
        if not is_being_written(path):
            return False
        self._unfinished.add(path)
        return True

    def _look(self, folders: dict[str, dict[str, bool]] | None) -> None:
        """Scan these folders, or everything."""
        begun = time.monotonic()
        tickets = list(self._tickets) if folders is None else []
        self._unfinished = set()
        self._cancel.clear()
        if self._stopping.is_set():
            return
        self.account.begin()
        result = None
        narrowing = Narrowing(self._opener, self._is_unfinished, folders)
        try:
            for event in scan(self.catalog, cancel=self._cancel, narrowing=narrowing):
                if isinstance(event, Finished):
                    result = event.result
                else:
                    self.account.take(event)
        except Locked:
            self._again(folders, 0.3)
            return
        except SourceOffline as error:
            self._go_offline(str(error), tickets)
            return
        assert result is not None
        self._used = time.monotonic()
        if result.cancelled:
            self._opener.close()
            self._again(folders, 0.5)
            return
        self._looked(folders, result, tickets, time.monotonic() - begun)

    def _again(self, folders: dict[str, dict[str, bool]] | None, seconds: float) -> None:
        """Somebody else is at it: the same later."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
        if folders is None:
            self._whole_at = 0.0
        for source, ones in (folders or {}).items():
            for folder, below in ones.items():
                self._gathered.add(source, folder, "", below=below)

    def _go_offline(self, why: str, tickets: list[Ticket]) -> None:
        self._offline = [source.name for source in self._sources]
        self.account.fail(why)
        for ticket in tickets:
            ticket.give({"done": False, "offline": self._offline, "message": why})
        self._tickets = [ticket for ticket in self._tickets if ticket not in tickets]
        self._renewal = True
        self._later()
        self._say_ready()

    def _looked(
        self, folders: dict[str, dict[str, bool]] | None, result: ScanResult, tickets: list[Ticket], spent: float
    ) -> None:
        now = time.monotonic()
        self.account.unfinished = sorted(self._unfinished)
        # without an index every sidecar is read each time: less often then
        self._gathered.not_before = now + (min(4 * spent, 30.0) if result.index == "behind" else min(spent, 5.0))
        for path in self._unfinished:
            self._gather_again(path)
        if folders is not None:
            self.account.narrow_passes += 1
            self._after_trouble(result)
            return
        self.account.passes += 1
        self._offline = result.offline
        self._whole_at = now + self.catalog.settings.daemon_reconcile_seconds
        if result.offline:
            self.account.fail(f"offline: {', '.join(result.offline)}; nothing of it was changed")
            self._renewal = True
            self._later()
        else:
            self.account.fail("")
        self._after_trouble(result)
        give_back()
        for ticket in tickets:
            if ticket.take(result, self.account.unfinished):
                self._tickets.remove(ticket)
        if self._tickets:
            self._not_before = now + 0.5
        self._say_ready()

    def _after_trouble(self, result: ScanResult) -> None:
        """What did not get through is tried again."""
        if result.index == "behind" or self.account.not_written:
            self._later()
        elif not result.offline:
            self._delay = 1.0

    def _gather_again(self, path: str) -> None:
        for source in self._sources:
            if path.startswith(source.path.rstrip("/") + "/"):
                folder = os.path.dirname(path[len(source.path.rstrip("/")) + 1 :])
                self._gathered.not_before = time.monotonic() + 1.0
                self._gathered.add(source.name, folder, "")

    def _answer_tickets(self, answer: dict[str, Any]) -> None:
        tickets, self._tickets = self._tickets, []
        for ticket in tickets:
            ticket.give(answer)

    def _say_ready(self) -> None:
        if not self._ready:
            self._ready = True
            self._on_ready(self)
