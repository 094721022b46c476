"""Names for files of ours: a file gets one that is free, and keeps what it holds; nothing can be overwritten.

The steps under `durable`, which says when they are on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os

from lumina_fs.file_state import digest, read_at
from lumina_fs.kernel import UNSUPPORTED, Layer

#: The bytes of the longest file name.
MAX_NAME = 255


def move_new(layer: Layer, old_dir: int, old: str, new_dir: int, new: str) -> None:
    """Rename without replacing; FileExistsError is the only proof of "taken"."""
    if has_both_names(layer, old_dir, old, new_dir, new):
        layer.unlink(old_dir, old)


def has_both_names(layer: Layer, old_dir: int, old: str, new_dir: int, new: str) -> bool:
    """Give a file a new name, if that is free; True where it has the old one still, because it got it by a link."""
    for way, both in ((layer.rename_new, False), (layer.link, True)):
        try:
            way(old_dir, old, new_dir, new)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        else:
            return both
    _claim(layer, old_dir, old, new_dir, new)
    return False


def _claim(layer: Layer, old_dir: int, old: str, new_dir: int, new: str) -> None:
    """The last way, for file systems without links: take the name with an empty file, and rename over that one.

    Who is killed in between leaves the empty file, and the other under its old name. FileExistsError: it is taken.
    """
    fd = layer.create(new_dir, new, 0o666)
    try:
        if not _is_empty_still(fd, new_dir, new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
        layer.rename(old_dir, old, new_dir, new)
    except OSError:
        if _is_empty_still(fd, new_dir, new):
            drop(layer, new_dir, new)
        raise
    finally:
        os.close(fd)


def _is_empty_still(fd: int, directory: int, name: str) -> bool:
    """True while an open empty file has its name, and nobody wrote into it."""
    try:
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return there.st_size == 0 and os.path.samestat(os.fstat(fd), there)


def drop(layer: Layer, directory: int, name: str) -> None:
    """Remove a temporary; one that cannot be removed is left for a sweep."""
    if name:
        with contextlib.suppress(OSError):
            layer.unlink(directory, name)


def etag_of(directory: int, name: str) -> str | None:
    """The ETag of what lies under a name; None for nothing."""
    found = read_at(directory, name)
    return None if found is None else digest(found[0])


def with_ending(name: str, ending: str) -> str:
    """`name` with `ending`; a name too long for both is cut."""
    while len(os.fsencode(name)) + len(ending) > MAX_NAME:
        name = name[:-1]
    return name + ending
