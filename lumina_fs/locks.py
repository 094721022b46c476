"""Locks between processes: held by the kernel on an empty file, and ended with the process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator

from lumina_fs.errors import Locked
from lumina_fs.roots import Root


@contextlib.contextmanager
def lock(root: Root, path: str, *, wait: float = 0.0, what: str = "this", shared: bool = False) -> Iterator[None]:
    """Hold a lock on a file in the catalog, which stays empty: the kernel holds the lock, and ends it.

    It is exclusive, or `shared` by many who exclude only those that want it for themselves.

    Raises Locked, naming the holder, when another process still has it after `wait` seconds.
    """
    directory, name = root.place(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, 0o644, dir_fd=directory)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.path.join(root.path, path)) from None
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                if time.monotonic() >= deadline:
                    raise Locked(f"another Lumina process is at {what}{_holder(fd)}") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(fd)


def is_held(root: Root, path: str) -> bool:
    """True while another open descriptor holds the lock at `path`; nothing is made where there is no such file."""
    try:
        fd = root.open_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return True
    finally:
        os.close(fd)
    return False


def _holder(fd: int) -> str:
    """Who holds the lock, as far as the kernel tells."""
    inode = str(os.fstat(fd).st_ino)
    with contextlib.suppress(OSError), open("/proc/locks") as locks:
        for line in locks:
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
                return f" (process {fields[4]}); wait for it, or end it"
    return "; wait for it"
