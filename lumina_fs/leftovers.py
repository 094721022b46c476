"""Temporary files of ours that killed processes left behind."""

from __future__ import annotations

import os
import time

from lumina_fs.durable import TEMP_PREFIX, Disk
from lumina_fs.roots import Root


def sweep(disk: Disk, root: Root, path: str) -> int:
    """Remove temporaries that dead processes left in a directory more than an hour ago; how many."""
    swept, directory = 0, root.directory(path)
    for name in os.listdir(directory):
        if not name.startswith(TEMP_PREFIX):
            continue
        pid = name[len(TEMP_PREFIX) :].partition("-")[0]
        try:
            age = time.time() - os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime
        except OSError:
            continue
        if pid.isdigit() and not _is_alive(int(pid)) and age > 3600:
            disk.drop(directory, name)
            swept += 1
    return swept


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
