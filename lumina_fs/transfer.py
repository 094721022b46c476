"""The only ways in which an original changes its place: moved to a free name, copied and verified, removed as a twin.

None of them can overwrite. A copy is compared with what the disk gives back before it gets its name, and an
original is removed only where a verified copy of it is on the disk for good.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from typing import NamedTuple

from lumina_fs.durable import Disk
from lumina_fs.errors import Refused, UnsafePath
from lumina_fs.file_state import FileStat, stat_of
from lumina_fs.free_names import has_both_names
from lumina_fs.kernel import UNSUPPORTED
from lumina_fs.pouring import digest_of, pour
from lumina_fs.roots import Root


class Spot(NamedTuple):
    """A place for a file: a path beneath an open root."""

    root: Root
    path: str

    @property
    def shown(self) -> str:
        """The absolute path, for people."""
        return os.path.join(self.root.path, self.path)

    def info(self) -> os.stat_result | None:
        """What lies there, links not followed; None for nothing. Raises OSError, UnsafePath."""
        try:
            directory, name = self.root.place(self.path)
            return os.stat(name, dir_fd=directory, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self) -> tuple[str, str]:
        """The paths of the root and of the file in it: a key that two spots of one file share."""
        return self.root.path, self.path


class NotRenamed(Exception):
    """A rename cannot do it: another volume, or a file system that knows neither a safe rename nor links."""


class Changed(Refused):
    """A file that is not what it was when it was looked at."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A verified copy under a temporary name: on the disk, and equal to the file that it was made of."""

    temp: str
    sha256: str
    inode: int
    source: FileStat


def set_aside(disk: Disk, root: Root, name: str, new: str) -> bool:
    """Give a folder in the top of a root another name; False if that is taken. On the disk when it returns."""
    try:
        disk.layer.rename_new(root.fd, name, root.fd, new)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        if os.path.lexists(os.path.join(root.path, new)):
            return False
        disk.layer.rename(root.fd, name, root.fd, new)  # replaces an empty folder at most
    root.forget()
    disk.layer.fsync(root.fd)
    return True


class Transfer:
    """The primitives, over a replaceable layer of system calls."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.layer = disk.layer

    def rename(self, old: Spot, new: Spot) -> None:
        """Move a file to a free name of its volume. Not durable until both directories are synced.

        Raises FileExistsError for a name that is taken, NotRenamed, OSError, UnsafePath.
        """
        old_dir, old_name = old.root.place(old.path)
        new_dir, new_name = new.root.place(new.path)
        try:
            self.layer.rename_new(old_dir, old_name, new_dir, new_name)
            return
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise NotRenamed from None
            if error.errno not in UNSUPPORTED:
                raise
        try:
            self.layer.link(old_dir, old_name, new_dir, new_name)
        except OSError as error:
            if error.errno == errno.EXDEV or error.errno in UNSUPPORTED:
                raise NotRenamed from None
            raise
        try:
            self.layer.fsync(new_dir)  # the old name goes when the new one is there for good
            self.layer.unlink(old_dir, old_name)
        except OSError:
            with contextlib.suppress(OSError):  # the old name stays, so the new one goes
                self.layer.unlink(new_dir, new_name)
            raise

    def copy(self, old: Spot, new: Spot, temp: str, *, sha256: str | None, seen: FileStat | None) -> Copied:
        """Make a verified copy beside `new`, under the name `temp`; durable, with times, mode and attributes.

        `sha256`: what the content must be. Raises Changed, OSError, UnsafePath; then no copy is left.
        """
        source = old.root.open_file(old.path)
        fd = -1
        directory, _ = new.root.place(new.path)
        try:
            before = os.fstat(source)
            if not stat.S_ISREG(before.st_mode) or (seen is not None and stat_of(before) != seen):
                raise Changed("it changed since it was looked at; nothing was copied", path=old.shown)
            fd = self.layer.create(directory, temp, 0o600)
            check = os.open(temp, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            try:
                found = pour(self.layer, source, fd, check)
            finally:
                os.close(check)
            if stat_of(os.fstat(source)) != stat_of(before):
                raise Changed("it changed while it was copied; the copy was thrown away", path=old.shown)
            if sha256 is not None and found != sha256:
                raise Changed("its content is not what the plan says; nothing was copied", path=old.shown)
            self._dress(source, fd, before)
            self.layer.fsync(fd)
            return Copied(temp, found, os.fstat(fd).st_ino, stat_of(before))
        except (OSError, Refused):
            if fd >= 0:
                self.disk.drop(directory, temp)
            raise
        finally:
            os.close(source)
            if fd >= 0:
                os.close(fd)

    def publish(self, new: Spot, temp: str) -> None:
        """Give a verified copy its name, which must be free; durable. Raises FileExistsError, OSError."""
        directory, name = new.root.place(new.path)
        try:
            if has_both_names(self.layer, directory, temp, directory, name):
                self.disk.drop(directory, temp)
        except OSError:
            self.disk.drop(directory, temp)
            raise
        self.layer.fsync(directory)

    def remove_twin(self, old: Spot, new: Spot, seen: FileStat) -> None:
        """Remove an original whose verified, durable copy is `new`. Raises Changed where it is not what was copied."""
        there, twin = old.info(), new.info()
        if there is None or stat_of(there) != seen:
            raise Changed("it changed after it was copied; both files stay", path=old.shown)
        if twin is None or twin.st_size != there.st_size:
            raise Changed("the copy is gone; the original stays", path=new.shown)
        self.layer.unlink(*old.root.place(old.path))

    def drop_second_name(self, spot: Spot, other: Spot) -> None:
        """Remove one of two names of one file. Raises Changed where they are not."""
        info, there = spot.info(), other.info()
        if info is None or there is None or not os.path.samestat(info, there):
            raise Changed("is no second name of the same file; it stays", path=spot.shown)
        self.layer.fsync(other.root.place(other.path)[0])
        self.layer.unlink(*spot.root.place(spot.path))

    def drop_empty(self, spot: Spot) -> None:
        """Remove an empty file of ours that only held a name. Raises Changed where it is not empty."""
        info = spot.info()
        if info is None or info.st_size or not stat.S_ISREG(info.st_mode):
            raise Changed("is not empty; it stays", path=spot.shown)
        self.layer.unlink(*spot.root.place(spot.path))

    def remove_for_good(self, spot: Spot) -> None:
        """Remove a file of the trash, which a person was asked about. Raises Refused for any other, OSError."""
        if not spot.path.startswith(".lumina/trash/") or spot.path.count("/") < 4:
            raise Refused("lies in no trash; nothing was removed", path=spot.shown)
        self.layer.unlink(*spot.root.place(spot.path))

    # -- inner parts

    def _dress(self, source: int, fd: int, info: os.stat_result) -> None:
        """Owner and attributes as far as they can be kept, then mode and times, which must be."""
        made = os.fstat(fd)
        if (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
            with contextlib.suppress(OSError):
                self.layer.set_owner(fd, info.st_uid, info.st_gid)
        with contextlib.suppress(OSError):
            for name in os.listxattr(source):
                if name.startswith("user."):
                    self.layer.set_attribute(fd, name, os.getxattr(source, name))
        self.layer.set_mode(fd, stat.S_IMODE(info.st_mode))
        self.layer.set_times(fd, info.st_atime_ns, info.st_mtime_ns)


def content(spot: Spot) -> tuple[str, FileStat]:
    """The SHA-256 of a regular file, and its stat, which was the same before and after. Raises OSError, Changed."""
    fd = spot.root.open_file(spot.path)
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Changed("it is no regular file", path=spot.shown)
        found = digest_of(fd)
        if stat_of(os.fstat(fd)) != stat_of(before):
            raise Changed("it changes while it is read", path=spot.shown)
        return found, stat_of(before)
    finally:
        os.close(fd)


def has_content(spot: Spot, sha256: str | None) -> bool:
    """True when a regular file with this content lies there (`sha256` None: with any)."""
    try:
        info = spot.info()
        if info is None or not stat.S_ISREG(info.st_mode):
            return False
        return sha256 is None or content(spot)[0] == sha256
    except (OSError, UnsafePath, Changed):
        return False
