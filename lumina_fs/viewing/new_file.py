"""A file that a person names for an export: written whole and durably, never over one that is there."""

from __future__ import annotations

import os

from lumina_fs.catalog import Catalog
from lumina_fs.errors import UsageError
from lumina_fs.new_file import write_new
from lumina_fs.roots import Root


def write_new_file(catalog: Catalog, named: str, data: bytes) -> str:
    """Write a file where nothing is yet; its absolute path. `named` may begin with ~, and is relative to where one is.

    Raises UsageError where something is there already or the folder is not, WriteFailed.
    """
    path = os.path.abspath(os.path.expanduser(named))
    folder, name = os.path.split(path)
    if not name or os.path.isdir(path):
        raise UsageError("is a folder; name a file", path=path)
    try:
        with Root.open(folder) as root:
            written = write_new(catalog.disk, root, name, [data])
    except OSError as error:
        raise UsageError(f"the folder cannot be opened: {error.strerror}", path=folder) from error
    if not written:
        raise UsageError("is there already, and stays as it is; name another file", path=path)
    return path
