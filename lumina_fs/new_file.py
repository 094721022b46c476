"""A file that a person named, written piece by piece: it is there as a whole or not at all, and never over another."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable

from lumina_fs.durable import TEMP_PREFIX, Disk
from lumina_fs.errors import WriteFailed
from lumina_fs.roots import Root


def write_new(disk: Disk, root: Root, path: str, pieces: Iterable[bytes]) -> bool:
    """Write a new file; False if the name is taken. On the disk when it returns. Raises WriteFailed.

    Whatever `pieces` raises is raised, and nothing is left behind.
    """
    shown = os.path.join(root.path, path)
    folder = path.rpartition("/")[0]
    temp = f"{TEMP_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
    try:
        directory = root.directory(folder)
        fd = disk.layer.create(directory, temp, 0o666)
    except OSError as error:
        raise WriteFailed(f"cannot be written: {error.strerror}", path=shown) from error
    done = False
    try:
        try:
            for piece in pieces:
                disk.layer.write(fd, piece)
            disk.layer.fsync(fd)
        finally:
            os.close(fd)
        done = disk.move_new(root, f"{folder}/{temp}" if folder else temp, root, path)
    except OSError as error:
        raise WriteFailed(f"cannot be written: {error.strerror}", path=shown) from error
    finally:
        if not done:
            disk.drop(directory, temp)
    return done
