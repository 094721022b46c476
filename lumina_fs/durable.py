"""The one module that changes files. Nothing here can overwrite what it did not expect to find.

A write goes to a temporary file in the same directory, onto the disk, and then in one step to its name. A
conditional write swaps the two names and looks at what it displaced: a hand edit that came in between is put
back at once and reported as a conflict. Success is reported only when the directory is on the disk too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lumina_fs.errors import Refused, UnsafePath, WriteFailed
from lumina_fs.file_state import FileStat, digest, has_settled, is_at_rest, read_at, stat_of
from lumina_fs.free_names import drop, etag_of, move_new, with_ending
from lumina_fs.kernel import UNSUPPORTED, Layer
from lumina_fs.roots import Root

#: Every temporary file of ours starts with this, the process id and a random part. They may be swept at any time.
TEMP_PREFIX = ".lumina-tmp-"

#: In the name of a file with what somebody saved in the very moment of a write.
KEPT = ".lumina-kept-"

#: The condition "there must be nothing under this name yet".
ABSENT = "absent"

#: Lies in the top folder of a source outside its catalog, and says which source that is.
SOURCE_MARK = ".lumina-source.json"
#: The folder in which a catalog keeps what it knows.
STATE_FOLDER = ".lumina"

_BATCH = 128


@dataclass(frozen=True, slots=True)
class Written:
    """A write that is on the disk. `settled`: any later edit must show in the stat (else: compare bytes)."""

    etag: str
    stat: FileStat
    settled: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was written: the file is not what the caller had read (`etag` is what it is now, None for gone)."""

    etag: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was written: the disk said no."""

    error: OSError


Outcome = Written | Conflict | Failed


class Item(NamedTuple):
    """One conditional write: `if_match` is an ETag, or ABSENT."""

    path: str
    data: bytes
    if_match: str


@dataclass(slots=True)
class _Temp:
    """A written temporary file on its way to its name; its descriptor stays open to watch the inode."""

    item: Item
    directory: int
    name: str
    temp: str
    fd: int
    mtime_ns: int
    displaced: tuple[str, FileStat] | None = None
    """A file that was swapped out, looked at and is to go: where it lies, and what it was then."""


class Disk:
    """Every way in which Lumina changes files, over an injectable layer of system calls."""

    def __init__(self, layer: Layer | None = None) -> None:
        self.layer = layer or Layer()

    # -- documents

    def write(self, root: Root, path: str, data: bytes, *, if_match: str) -> Outcome:
        """One conditional write in the full form: durable when it returns Written."""
        return self.write_batch(root, [Item(path, data, if_match)])[0]

    def write_batch(self, root: Root, items: Sequence[Item]) -> list[Outcome]:
        """Conditional writes that share one sync: all temporaries, one sync, all names, each directory once.

        Each item has its own outcome, in order. A file is never torn or empty, whatever happens when.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(items), _BATCH):
            outcomes += self._batch(root, items[start : start + _BATCH])
        return outcomes

    def _batch(self, root: Root, items: Sequence[Item]) -> list[Outcome]:
        temps: list[_Temp | Failed] = []
        try:
            for item in items:
                temps.append(self._prepare(root, item))
            self._sync([temp for temp in temps if isinstance(temp, _Temp)], temps)
            outcomes = [t if isinstance(t, Failed) else self._publish(t) for t in temps]
            touched = {
                temp.directory
                for temp, outcome in zip(temps, outcomes, strict=True)
                if isinstance(temp, _Temp) and isinstance(outcome, Written)
            }
            lost = {d: error for d in touched if (error := self._sync_directory(d)) is not None}
            for temp in temps:
                if isinstance(temp, _Temp) and temp.displaced is not None:
                    os.close(temp.fd)  # what was put back is our own file: nobody else may be writing into it
                    temp.fd = -1
                    self._let_go(temp, *temp.displaced)
            return [
                Failed(lost[t.directory]) if isinstance(t, _Temp) and t.directory in lost else o
                for t, o in zip(temps, outcomes, strict=True)
            ]
        finally:
            for temp in temps:
                if isinstance(temp, _Temp) and temp.fd >= 0:
                    os.close(temp.fd)

    def _prepare(self, root: Root, item: Item) -> _Temp | Failed:
        fd = -1
        directory, temp = -1, ""
        try:
            directory, name = root.place(item.path)
            temp = f"{TEMP_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
            mode = self._mode(directory, name)
            fd = self.layer.create(directory, temp, 0o666 if mode is None else mode)
            if mode is not None and stat.S_IMODE(os.fstat(fd).st_mode) != mode:  # the umask took a part of it
                self.layer.set_mode(fd, mode)
            self._keep_owner(fd, directory, name)
            self.layer.write(fd, item.data)
            return _Temp(item, directory, name, temp, fd, os.fstat(fd).st_mtime_ns)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
                self.drop(directory, temp)
            return Failed(error)
        except UnsafePath as error:
            return Failed(OSError(errno.ELOOP, str(error)))

    @staticmethod
    def _mode(directory: int, name: str) -> int | None:
        """The mode of what is replaced; None where there is nothing."""
        try:
            return stat.S_IMODE(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
        except OSError:
            return None

    @staticmethod
    def _keep_owner(fd: int, directory: int, name: str) -> None:
        """What is replaced keeps its owner and group, as far as we may give them."""
        with contextlib.suppress(OSError):
            old, new = os.stat(name, dir_fd=directory, follow_symlinks=False), os.fstat(fd)
            if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
                os.fchown(fd, old.st_uid, old.st_gid)

    def _sync(self, written: list[_Temp], temps: list[_Temp | Failed]) -> None:
        """Bring all temporaries onto the disk; one that fails is dropped and never asked again."""
        if len(written) > 1:
            disks = {os.fstat(temp.fd).st_dev: temp.fd for temp in written}
            with contextlib.suppress(OSError):
                for fd in disks.values():
                    self.layer.syncfs(fd)
                return
        for temp in written:
            try:
                self.layer.fsync(temp.fd)
            except OSError as error:
                os.close(temp.fd)
                temp.fd = -1
                self.drop(temp.directory, temp.temp)
                temps[temps.index(temp)] = Failed(error)

    def _publish(self, temp: _Temp) -> Outcome:
        """Give a temporary its name, if the condition holds."""
        try:
            if temp.item.if_match == ABSENT:
                conflict = self._publish_new(temp)
            else:
                conflict = self._publish_over(temp)
        except OSError as error:
            self.drop(temp.directory, temp.temp)
            return Failed(error)
        if conflict is not None:
            return conflict
        info = os.fstat(temp.fd)
        clock = getattr(time, "CLOCK_REALTIME_COARSE", time.CLOCK_REALTIME)
        untouched = info.st_mtime_ns == temp.mtime_ns
        settled = untouched and has_settled(info.st_mtime_ns, time.clock_gettime_ns(clock))
        return Written(digest(temp.item.data), stat_of(info), settled)

    def _publish_new(self, temp: _Temp) -> Conflict | None:
        try:
            move_new(self.layer, temp.directory, temp.temp, temp.directory, temp.name)
        except FileExistsError:
            self.drop(temp.directory, temp.temp)
            return Conflict(etag_of(temp.directory, temp.name))
        return None

    def _publish_over(self, temp: _Temp) -> Conflict | None:
        """Swap, look at what was displaced, and swap back if it is not what was expected."""
        expected, place = temp.item.if_match, temp.directory
        now = etag_of(place, temp.name)
        if now != expected:
            self.drop(place, temp.temp)
            return Conflict(now)
        try:
            self.layer.exchange(place, temp.temp, temp.name)
        except FileNotFoundError:
            self.drop(place, temp.temp)
            return Conflict(None)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            return self._publish_over_without_exchange(temp)
        displaced, temp.temp = temp.temp, ""  # no temporary of ours any more, so no failure may remove it
        return None if self._is_there(temp, displaced, expected) else self._put_back(temp, displaced)

    def _is_there(self, temp: _Temp, displaced: str, etag: str) -> bool:
        """True when what was swapped out is what may go; it goes at the end of the batch (see `_let_go`)."""
        try:
            found = read_at(temp.directory, displaced)
        except OSError:
            return False
        if found is None or digest(found[0]) != etag:
            return False
        temp.displaced = displaced, stat_of(found[1])
        return True

    def _let_go(self, temp: _Temp, displaced: str, seen: FileStat) -> None:
        """Remove a displaced file, unless an editor that had opened it before the swap writes into it."""
        with contextlib.suppress(OSError):
            if is_at_rest(temp.directory, displaced, seen):
                self.drop(temp.directory, displaced)
            else:
                self._keep(temp, displaced)

    def _put_back(self, temp: _Temp, displaced: str) -> Conflict:
        """An edit came in between: make it live again. Every version of the person's is live or kept."""
        ours = digest(temp.item.data)
        try:
            for _ in range(100):
                self.layer.exchange(temp.directory, displaced, temp.name)
                if self._is_there(temp, displaced, ours):
                    break
                # saved once more meanwhile: what was displaced now is newer, so the next swap makes it live
            else:  # a storm of saves
                self._keep(temp, displaced)
        except OSError:
            self._keep(temp, displaced)
            raise
        return Conflict(etag_of(temp.directory, temp.name))

    def _keep(self, temp: _Temp, displaced: str) -> None:
        """Give a version that somebody saved a name that a person finds."""
        kept = with_ending(temp.name, KEPT + secrets.token_hex(4))
        move_new(self.layer, temp.directory, displaced, temp.directory, kept)

    def _publish_over_without_exchange(self, temp: _Temp) -> Conflict | None:
        """No swap on this file system: keep the old version under a second name across the rename."""
        kept = f"{TEMP_PREFIX}{os.getpid()}-{secrets.token_hex(6)}-old"
        try:
            self.layer.link(temp.directory, temp.name, temp.directory, kept)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            kept = ""
        if etag_of(temp.directory, kept or temp.name) != temp.item.if_match:
            for name in filter(None, (temp.temp, kept)):
                self.drop(temp.directory, name)
            return Conflict(etag_of(temp.directory, temp.name))
        self.layer.rename(temp.directory, temp.temp, temp.directory, temp.name)
        if kept and not self._is_there(temp, kept, temp.item.if_match):  # edited in place at the last moment
            self._keep(temp, kept)
        return None

    # -- names

    def move_new(self, old_root: Root, old: str, new_root: Root, new: str, *, durable: bool = True) -> bool:
        """Move a file of ours to a free name; False if the name is taken (nothing is moved then).

        Not `durable`: a power cut may undo it, until something else is written into the same folders.
        """
        old_dir, old_name = old_root.place(old)
        new_dir, new_name = new_root.place(new)
        try:
            move_new(self.layer, old_dir, old_name, new_dir, new_name)
        except FileExistsError:
            return False
        for directory in {new_dir, old_dir} if durable else ():
            error = self._sync_directory(directory)
            if error is not None:
                raise WriteFailed(f"the directory could not be synced: {error.strerror}", path=new)
        return True

    def make_directory(self, root: Root, path: str) -> None:
        """Make a directory and those above it, each durable in its parent. Nothing happens where it is there."""
        parts = path.split("/") if path else []
        for depth in range(len(parts)):
            parent, name = root.directory("/".join(parts[:depth])), parts[depth]
            try:
                self.layer.mkdir(parent, name)
            except FileExistsError:
                continue
            error = self._sync_directory(parent)
            if error is not None:
                raise WriteFailed(f"cannot make the directory: {error.strerror}", path=path)

    def make_root(self, path: str) -> None:
        """Make a directory that is to become a root, with those above it, for its user alone where it is new."""
        os.makedirs(path, mode=0o700, exist_ok=True)

    def remove_empty_folder(self, root: Root, path: str) -> bool:
        """Remove a folder in which nothing lies; False where that is not so."""
        try:
            self.layer.rmdir(*root.place(path))
        except (OSError, UnsafePath):
            return False
        return True

    def sync_folder(self, root: Root, path: str) -> None:
        """Bring the names in a folder onto the disk. Raises OSError; then nobody can say what it holds."""
        self.layer.fsync(root.directory(path))

    def remove_marker(self, root: Root, path: str) -> None:
        """Remove a file of ours that says something no longer true: one under `.lumina/`, or the mark of a source."""
        if not path.startswith(".lumina/") and path != SOURCE_MARK:
            raise Refused("only files of Lumina's own may be removed", path=path)
        with contextlib.suppress(FileNotFoundError):
            self.layer.unlink(*root.place(path))

    # -- inner parts

    def drop(self, directory: int, name: str) -> None:
        """Remove a temporary; one that cannot be removed is left for `sweep`."""
        drop(self.layer, directory, name)

    def _sync_directory(self, directory: int) -> OSError | None:
        try:
            self.layer.fsync(directory)
        except OSError as error:
            return error
        return None
