"""An open directory under which names are resolved: no `..`, no links, no way out."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict

from lumina_fs import kernel
from lumina_fs.errors import UnsafePath

# more than the files of one batch of writes, so that none is closed while a batch needs it
_CACHED_DIRECTORIES = 256


def check_relative(path: str) -> None:
    """Refuse a path that is absolute, climbs, or holds an empty or impossible part. Raises UnsafePath."""
    if path.startswith("/") or "\0" in path:
        raise UnsafePath("not a relative path", path=path)
    if path and not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise UnsafePath("a path may not contain empty parts, '.' or '..'", path=path)


class Root:
    """An open handle of a directory; a context manager. Paths given to it are relative and use `/`."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd
        self._directories: OrderedDict[str, int] = OrderedDict()

    @classmethod
    def open(cls, path: str) -> Root:
        """Open the directory at `path`. Raises OSError."""
        return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def close(self) -> None:
        """Give all descriptors back."""
        self.forget()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def forget(self) -> None:
        """Close cached directories: what they were may have been moved by now."""
        for fd in self._directories.values():
            os.close(fd)
        self._directories.clear()

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def directory(self, path: str) -> int:
        """A descriptor of the directory at `path` ("" is the root). It stays the root's; do not close it."""
        if not path:
            return self.fd
        fd = self._directories.get(path)
        if fd is not None:
            self._directories.move_to_end(path)
            return fd
        fd = self._resolve(path, os.O_RDONLY | os.O_DIRECTORY)
        self._directories[path] = fd
        if len(self._directories) > _CACHED_DIRECTORIES:
            os.close(self._directories.popitem(last=False)[1])
        return fd

    def place(self, path: str) -> tuple[int, str]:
        """(directory descriptor, name) of a file path."""
        check_relative(path)
        folder, _, name = path.rpartition("/")
        return self.directory(folder), name

    def open_file(self, path: str) -> int:
        """Open a file for reading. Never follows a link, never waits on a pipe. The caller closes it."""
        directory, name = self.place(path)
        return os.open(
            name,
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            dir_fd=directory,
        )

    def _resolve(self, path: str, flags: int) -> int:
        check_relative(path)
        try:
            return kernel.open_beneath(self.fd, path, flags)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EXDEV):
                raise UnsafePath("passes through a link", path=path) from error
            if error.errno not in (errno.ENOSYS, errno.EPERM, errno.E2BIG):
                raise
        return self._step_by_step(path, flags)

    def _step_by_step(self, path: str, flags: int) -> int:
        """The same without openat2: one component at a time, none of them a link."""
        fd = os.dup(self.fd)
        for part in path.split("/"):
            try:
                inner = os.open(part, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR) and _is_link(part, fd):
                    raise UnsafePath("passes through a link", path=path) from error
                raise
            finally:
                os.close(fd)
            fd = inner
        return fd


def _is_link(name: str, directory: int) -> bool:
    try:
        os.readlink(name, dir_fd=directory)
    except OSError:
        return False
    return True
