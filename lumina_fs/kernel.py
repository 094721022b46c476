"""The system calls that change files, one method each, so that tests can make any of them fail.

Linux calls that Python does not offer (renameat2, syncfs, openat2) come through ctypes; where they are missing
the methods raise OSError and the callers in `durable` and `roots` take another safe way.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

_AT_FDCWD = -100
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_SYS_OPENAT2 = 437

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def open_beneath(directory: int, path: str, flags: int) -> int:
    """Open `path` below `directory` without following any link. Raises OSError; ENOSYS where the kernel cannot."""
    if not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
    return _check(_libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))


def can_write_back() -> bool:
    """True where `write_back` can be called."""
    return sys.platform.startswith("linux") and hasattr(_libc, "sync_file_range")


def write_back(fd: int, offset: int, count: int) -> None:
    """Write a part of a file to the disk and wait for it. Raises OSError; of names and sizes it says nothing."""
    everything = 1 | 2 | 4  # wait before, write, wait after
    arguments = ctypes.c_int(fd), ctypes.c_int64(offset), ctypes.c_int64(count), ctypes.c_uint(everything)
    _check(_libc.sync_file_range(*arguments))


class Layer:
    """The real file system. Names are relative to an open directory; none of these follows a link."""

    def create(self, directory: int, name: str, mode: int) -> int:
        """A new file, open for writing. FileExistsError if the name is taken."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, mode, dir_fd=directory)

    def set_mode(self, fd: int, mode: int) -> None:
        """Exactly this mode, whatever the umask is."""
        os.fchmod(fd, mode)

    def set_times(self, fd: int, atime_ns: int, mtime_ns: int) -> None:
        """Exactly these times of access and modification."""
        os.utime(fd, ns=(atime_ns, mtime_ns))

    def set_owner(self, fd: int, user: int, group: int) -> None:
        """This owner and group, where we may give them."""
        os.fchown(fd, user, group)

    def set_attribute(self, fd: int, name: str, value: bytes) -> None:
        """An extended attribute. OSError where the file system keeps none."""
        os.setxattr(fd, name, value)

    def open_append(self, directory: int, name: str) -> int:
        """A file that only grows, open for writing at its end; it is made where there is none."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o644, dir_fd=directory)

    def truncate(self, fd: int, length: int) -> None:
        """Cut what follows the first `length` bytes."""
        os.ftruncate(fd, length)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        """All of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def fsync(self, fd: int) -> None:
        """Content and metadata on the disk. A failure is final: never ask the same descriptor again."""
        os.fsync(fd)

    def syncfs(self, fd: int) -> None:
        """Everything of this file system on the disk. OSError where there is no such call."""
        try:
            call = _libc.syncfs
        except AttributeError:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        _check(call(fd))

    def close(self, fd: int) -> None:
        """Close; on some file systems the place where a failed write shows."""
        os.close(fd)

    def rename(self, old_dir: int, old: str, new_dir: int, new: str) -> None:
        """Rename, replacing. Only over files of our own, never over an original."""
        os.rename(old, new, src_dir_fd=old_dir, dst_dir_fd=new_dir)

    def rename_new(self, old_dir: int, old: str, new_dir: int, new: str) -> None:
        """Rename, and fail with FileExistsError if the new name is taken."""
        self._renameat2(old_dir, old, new_dir, new, RENAME_NOREPLACE)

    def exchange(self, directory: int, one: str, other: str) -> None:
        """Swap two names in one step."""
        self._renameat2(directory, one, directory, other, RENAME_EXCHANGE)

    def link(self, old_dir: int, old: str, new_dir: int, new: str) -> None:
        """A second name for a file; FileExistsError if it is taken."""
        os.link(old, new, src_dir_fd=old_dir, dst_dir_fd=new_dir, follow_symlinks=False)

    def unlink(self, directory: int, name: str) -> None:
        """Remove a name."""
        os.unlink(name, dir_fd=directory)

    def mkdir(self, directory: int, name: str) -> None:
        """Make a directory."""
        os.mkdir(name, 0o755, dir_fd=directory)

    def rmdir(self, directory: int, name: str) -> None:
        """Remove an empty directory."""
        os.rmdir(name, dir_fd=directory)

    def _renameat2(self, old_dir: int, old: str, new_dir: int, new: str, flags: int) -> None:
        try:
            call = _libc.renameat2
        except AttributeError:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        _check(call(old_dir, os.fsencode(old), new_dir, os.fsencode(new), flags))


#: Errors by which a file system says that it does not know a call or flag, as opposed to failing at it.
UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}
