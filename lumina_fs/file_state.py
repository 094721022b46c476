"""What a file is at a moment: its bytes, their digest, and the stat by which it is known again."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import stat
import time
from typing import NamedTuple

#: The largest document that is read, a plan of some 400,000 actions. Its parser may allow less.
_MAX_READ = 256 << 20


def digest(data: bytes) -> str:
    """The ETag of a document: SHA-256 of its bytes, as hex."""
    return hashlib.sha256(data).hexdigest()


#: No clocks of machines that share a disk differ by so much.
_FAR_NS = 86_400_000_000_000


class FileStat(NamedTuple):
    """The part of a stat by which a file is recognised as unchanged."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def stat_of(info: os.stat_result) -> FileStat:
    """The FileStat of a stat result."""
    return FileStat(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def has_settled(mtime_ns: int, now_ns: int, margin_ns: int = 0) -> bool:
    """True when a change from `now` on must get another mtime than this one.

    A whole second may come from a file system that keeps no finer time: then two seconds must have passed. A time in
    the far future (a camera's clock was wrong) is no clock's that could give it again.
    """
    if mtime_ns > now_ns + _FAR_NS:
        return True
    if mtime_ns % 1_000_000_000 == 0:
        margin_ns = max(margin_ns, 2_000_000_000)
    return mtime_ns + margin_ns < now_ns


def read_at(directory: int, name: str) -> tuple[bytes, os.stat_result] | None:
    """The bytes and stat of a regular file, or None if there is none. Never follows a link."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        if info.st_size > _MAX_READ:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
        wanted = max(4096, info.st_size + 1)
        data = os.read(fd, wanted)
        if len(data) == wanted:  # it grew since: read on until there is no more
            parts = [data]
            while part := os.read(fd, 65536):
                parts.append(part)
            data = b"".join(parts)
        return data, info
    finally:
        os.close(fd)


def has_writer(fd: int) -> bool | None:
    """Whether anybody has an open file open for writing; None where the kernel does not say.

    A read lease is only granted on a file that has no writer. It is given back at once; whoever opens the file in
    between makes the kernel send us a signal that is ignored.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except (AttributeError, OSError) as error:
        return True if getattr(error, "errno", None) == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def is_at_rest(directory: int, name: str, seen: FileStat, patience: float = 0.2) -> bool:
    """True when a file is as it was seen, and nobody who opened it before can write into it any more.

    Waits up to `patience` seconds for those who might. Raises OSError.
    """
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        until = time.monotonic() + patience
        while has_writer(fd):
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        return stat_of(os.fstat(fd)) == seen
    finally:
        os.close(fd)
