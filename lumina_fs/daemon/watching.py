"""What the kernel tells of changed folders, and an honest account of where it tells nothing.

watchdog reads and parses; the rest is ours, because its handlers never hear of an overflow, of directories that got
no watch, or which names changed in what order. What comes out are hints: a folder, and maybe a name in it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from watchdog.observers.inotify_c import InotifyConstants as Kernel
from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, WatchDescriptor, inotify_add_watch, inotify_rm_watch

from lumina_fs.daemon.mounts import Mounts
from lumina_fs.durable import TEMP_PREFIX

_MASK = (
    Kernel.IN_CREATE | Kernel.IN_DELETE | Kernel.IN_MOVED_FROM | Kernel.IN_MOVED_TO | Kernel.IN_CLOSE_WRITE
    | Kernel.IN_ATTRIB | Kernel.IN_DELETE_SELF | Kernel.IN_MOVE_SELF
    | Kernel.IN_ONLYDIR | Kernel.IN_DONT_FOLLOW | Kernel.IN_EXCL_UNLINK
)  # fmt: skip
_CAME = Kernel.IN_CREATE | Kernel.IN_MOVED_TO | Kernel.IN_ATTRIB
_SELF = Kernel.IN_DELETE_SELF | Kernel.IN_MOVE_SELF | Kernel.IN_UNMOUNT
#: Errors by which the kernel says that there are no more watches to be had.
_NO_MORE = {errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


@dataclass(frozen=True, slots=True)
class Place:
    """A tree to watch. `skip(folder, name)` says that a folder in it is none of our business."""

    name: str
    path: str
    skip: Callable[[str, str], bool]


class Hint(NamedTuple):
    """Something changed in a folder of a place: under a name, or ("") anywhere in it and, if `below`, under it."""

    place: str
    folder: str
    name: str
    below: bool


class _Reader(InotifyFD):
    """One inotify instance and the thread that reads it."""

    def __init__(self, heard: Callable[[_Reader, InotifyEvent], None]) -> None:
        super().__init__()
        self.daemon = True
        self._heard = heard

    def handle_event(self, event: InotifyEvent) -> None:
        """Every event comes here, an overflow too."""
        self._heard(self, event)

    def watch(self, path: str) -> int:
        """Watch one directory. Raises OSError."""
        number = inotify_add_watch(self._inotify_fd, os.fsencode(path), _MASK)
        if number == -1:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return int(number)

    def forget(self, number: int) -> None:
        """Watch it no more."""
        inotify_rm_watch(self._inotify_fd, WatchDescriptor(number))


class Watcher:
    """Watches places, each with all folders below. `hint` and `doubt` are called from a thread of its own.

    `doubt(why)` says that hints were lost or a whole place changed: all is to be compared, after `renew`.
    """

    def __init__(self, hint: Callable[[Hint], None], doubt: Callable[[str], None]) -> None:
        self._hint = hint
        self._doubt = doubt
        self._lock = threading.RLock()
        self._reader: _Reader | None = None
        self._places: dict[str, Place] = {}
        self._folders: dict[int, tuple[str, str]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._limit = 0
        self._mounts = Mounts("")
        #: Folders that are to be looked into now and then, with all below them, and why.
        self.unwatched: dict[tuple[str, str], str] = {}
        self.overflows = 0

    @property
    def count(self) -> int:
        """How many folders are watched."""
        return len(self._numbers)

    def renew(self, places: Iterable[Place], limit: int = 0) -> None:
        """Watch these places from now on, with at most `limit` watches (0: as many as there are)."""
        self.close()
        with self._lock:
            self._places = {place.name: place for place in places}
            self._limit = limit
            self._mounts = Mounts()
            try:
                self._reader = _Reader(self._heard)
            except OSError as error:
                why = f"the kernel gives no watches ({error.strerror or error})"
                self.unwatched = {(name, ""): why for name in self._places}
                return
            self._reader.start()
            for place in self._places.values():
                self._add(place, "")

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            reader, self._reader = self._reader, None
            self._folders.clear()
            self._numbers.clear()
            self.unwatched.clear()
        if reader is not None:
            reader.stop()
            if reader is not threading.current_thread():
                reader.join(5.0)

    # -- what is watched

    def _add(self, place: Place, top: str) -> None:
        """Watch a folder and all below; each is watched before it is listed, so that nothing falls in between."""
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            path = os.path.join(place.path, folder) if folder else place.path
            if not self._watch(place, folder, path):
                continue
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False) and not place.skip(folder, entry.name):
                            waiting.append(f"{folder}/{entry.name}" if folder else entry.name)
            except OSError:
                continue

    def _watch(self, place: Place, folder: str, path: str) -> bool:
        key = (place.name, folder)
        if not folder or self._mounts.is_mount(path):
            kind = self._mounts.network(path)
            if kind is not None:
                self.unwatched[key] = f"a network mount ({kind})"
                return False
        assert self._reader is not None
        try:
            if self._limit and len(self._numbers) >= self._limit and key not in self._numbers:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
            number = self._reader.watch(path)
        except OSError as error:
            if error.errno in _NO_MORE:
                self.unwatched[key] = "no kernel watch left (sysctl fs.inotify.max_user_watches)"
            return False
        before = self._folders.get(number)
        if before is not None and before != key:
            self._numbers.pop(before, None)
        self._folders[number], self._numbers[key] = key, number
        self.unwatched.pop(key, None)
        return True

    def _drop(self, place: str, top: str) -> None:
        """A folder went away: what was below is watched no more."""
        below = f"{top}/"
        for key in [key for key in self._numbers if key[0] == place and (key[1] == top or key[1].startswith(below))]:
            number = self._numbers.pop(key)
            self._folders.pop(number, None)
            if self._reader is not None:
                self._reader.forget(number)
        for key in [key for key in self.unwatched if key[0] == place and (key[1] == top or key[1].startswith(below))]:
            del self.unwatched[key]

    # -- what is heard

    def _heard(self, reader: _Reader, event: InotifyEvent) -> None:
        if event.mask & Kernel.IN_Q_OVERFLOW:
            self.overflows += 1
            self._doubt("more changed at once than the kernel remembers")
            return
        with self._lock:
            if reader is not self._reader:
                return
            known = self._folders.get(event.wd)
            if known is None:
                return
            if event.mask & Kernel.IN_IGNORED:
                self._folders.pop(event.wd)
                self._numbers.pop(known, None)
                return
            hint = self._understood(known, event)
        if hint is not None:
            self._hint(hint)

    def _understood(self, known: tuple[str, str], event: InotifyEvent) -> Hint | None:
        place, folder = self._places[known[0]], known[1]
        if event.mask & _SELF:
            if not folder or event.mask & Kernel.IN_UNMOUNT:
                self._doubt(f"{os.path.join(place.path, folder)} itself went away or was replaced")
            return Hint(place.name, folder, "", True)
        name = os.fsdecode(event.name)
        if not event.mask & Kernel.IN_ISDIR:
            return None if name.startswith(TEMP_PREFIX) or not name else Hint(place.name, folder, name, False)
        if not name or place.skip(folder, name):
            return None
        inner = f"{folder}/{name}" if folder else name
        if event.mask & _CAME:
            self._add(place, inner)
        else:
            self._drop(place.name, inner)
        return Hint(place.name, inner, "", True)
