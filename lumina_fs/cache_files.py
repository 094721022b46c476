"""Files of the cache: whole or not there, but not brought onto the disk at once, because they can be made again."""

from __future__ import annotations

import os
import secrets
import stat

from lumina_fs.durable import TEMP_PREFIX, Disk
from lumina_fs.errors import Refused, WriteFailed
from lumina_fs.roots import Root


def write_cache(disk: Disk, root: Root, path: str, data: bytes) -> None:
    """A whole file or none, but not synced: for what can be made again. Raises WriteFailed."""
    disk.make_directory(root, path.rpartition("/")[0])
    directory, name = root.place(path)
    temp = f"{TEMP_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
    try:
        fd = disk.layer.create(directory, temp, 0o666)
        try:
            disk.layer.write(fd, data)
        finally:
            disk.layer.close(fd)
        disk.layer.rename(directory, temp, directory, name)
    except OSError as error:
        disk.drop(directory, temp)
        raise WriteFailed(f"cannot write: {error.strerror}", path=path) from error


def clear_cache(disk: Disk, root: Root, path: str) -> tuple[int, int]:
    """Remove everything below `path`, which must be in a catalog's cache; (files, bytes) that went."""
    if path != ".lumina/cache" and not path.startswith(".lumina/cache/"):
        raise Refused("only the cache may be cleared", path=path)
    root.forget()  # descriptors of folders that are about to go
    try:
        directory = root.directory(path)
    except FileNotFoundError:
        return 0, 0
    try:
        return _clear(disk, directory)
    finally:
        root.forget()


def _clear(disk: Disk, directory: int) -> tuple[int, int]:
    files = size = 0
    for name in os.listdir(directory):
        info = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISDIR(info.st_mode):
            disk.layer.unlink(directory, name)
            files, size = files + 1, size + info.st_size
            continue
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            count, weight = _clear(disk, inner)
        finally:
            os.close(inner)
        files, size = files + count, size + weight
        disk.layer.rmdir(directory, name)
    return files, size
