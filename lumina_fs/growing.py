"""Files that only grow, one JSON line a record: journals, manifests of the trash, the audit."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from types import TracebackType

from lumina_fs.durable import Disk
from lumina_fs.errors import WriteFailed
from lumina_fs.roots import Root


def append_durable(disk: Disk, root: Root, path: str, lines: Sequence[bytes]) -> None:
    """Add lines to a file, with its folder if need be; on the disk when it returns. Raises WriteFailed."""
    with GrowingFile(disk, root, path) as file:
        file.append(lines)


class GrowingFile:
    """A file open for appending; a context manager.

    After an append that failed it takes no more: nobody knows how much of that one is on the disk.
    """

    def __init__(self, disk: Disk, root: Root, path: str, *, keep: int | None = None) -> None:
        """`keep`: cut what follows so many bytes, because it is the torn end of an append that was never reported.

        Raises WriteFailed.
        """
        self._layer = disk.layer
        self._shown = os.path.join(root.path, path)
        self._fd = -1
        self._broken = False
        try:
            disk.make_directory(root, path.rpartition("/")[0])
            directory, name = root.place(path)
            fresh = not _is_there(directory, name)
            self._fd = self._layer.open_append(directory, name)
            ends = fresh or keep is not None or _ends_a_line(directory, name)
            if keep is not None and os.fstat(self._fd).st_size > keep:
                self._layer.truncate(self._fd, keep)
            if not ends:  # the torn end of a line stays where it is, on a line of its own
                self._layer.write(self._fd, b"\n")
            if fresh:
                self._layer.fsync(directory)
        except OSError as error:
            self.close()
            raise WriteFailed(f"cannot be written: {error.strerror}", path=self._shown) from error

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines (without their ends); on the disk when it returns. Raises WriteFailed."""
        if not lines:
            return
        try:
            if self._broken:
                raise OSError(errno.EIO, "an append before this one failed")
            self._broken = True
            self._layer.write(self._fd, b"\n".join(lines) + b"\n")
            self._layer.fsync(self._fd)
            self._broken = False
        except OSError as error:
            raise WriteFailed(f"cannot be written: {error.strerror}", path=self._shown) from error

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_there(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _ends_a_line(directory: int, name: str) -> bool:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        size = os.fstat(fd).st_size
        return size == 0 or os.pread(fd, 1, size - 1) == b"\n"
    finally:
        os.close(fd)
