"""The list of a person's catalogs: for convenience only, made again by using a catalog."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from lumina_fs.documents import read
from lumina_fs.durable import ABSENT, Disk, Failed, Written
from lumina_fs.errors import WriteFailed
from lumina_fs.locations import user_directory
from lumina_fs.roots import Root
from schemas.errors import DocumentError
from schemas.names import decode_name, encode_name
from schemas.text import dump, parse

_FILE = "catalogs.json"


@dataclass(frozen=True, slots=True)
class Known:
    """A catalog that was used before, and whether it is there at the moment."""

    id: str
    name: str
    path: str
    present: bool


def remember(disk: Disk, id_: str, name: str, path: str) -> None:
    """Put a catalog into the list. A list that cannot be written is no reason to fail."""
    entry = {"id": id_, "name": name, "path": encode_name(path)}
    try:
        disk.make_root(user_directory())
        with Root.open(user_directory()) as root:
            for _ in range(10):
                etag, catalogs = _entries(root)
                if entry in catalogs:
                    return
                kept = [one for one in catalogs if one.get("path") != entry["path"] and not _moved(one, id_)]
                value = {"kind": "known-catalogs", "version": 1, "catalogs": [*kept, entry]}
                if isinstance(disk.write(root, _FILE, dump(value), if_match=etag), Written):
                    return
    except OSError:
        return


def forget(disk: Disk, path: str) -> bool:
    """Take a catalog out of the list; False where it was not in it. Nothing of the catalog changes.

    Raises WriteFailed.
    """
    try:
        with Root.open(user_directory()) as root:
            for _ in range(10):
                etag, catalogs = _entries(root)
                kept = [one for one in catalogs if decode_name(str(one.get("path", ""))) != path]
                if len(kept) == len(catalogs):
                    return False
                value = {"kind": "known-catalogs", "version": 1, "catalogs": kept}
                outcome = disk.write(root, _FILE, dump(value), if_match=etag)
                if isinstance(outcome, Written):
                    return True
                if isinstance(outcome, Failed):
                    raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=f"{root.path}/{_FILE}")
    except FileNotFoundError:
        return False
    raise WriteFailed("somebody else keeps writing the list of catalogs; try again", path=user_directory())


def _moved(entry: dict[str, Any], id_: str) -> bool:
    """True for this catalog at a path where it is no more; a copy of it elsewhere is another one."""
    return entry.get("id") == id_ and not _is_there(decode_name(str(entry.get("path", ""))))


def _is_there(path: str) -> bool:
    return os.path.isfile(os.path.join(path, ".lumina", "catalog.json"))


def known_catalogs() -> list[Known]:
    """The list, in the order of first use."""
    try:
        with Root.open(user_directory()) as root:
            _, entries = _entries(root)
    except OSError:
        return []
    found = []
    for one in entries:
        path = decode_name(str(one.get("path", "")))
        found.append(Known(str(one.get("id", "")), str(one.get("name", "")), path, _is_there(path)))
    return found


def _entries(root: Root) -> tuple[str, list[dict[str, Any]]]:
    stored = read(root, _FILE)
    if stored is None:
        return ABSENT, []
    try:
        entries = parse(stored.data).get("catalogs")
    except DocumentError:
        entries = []
    return stored.etag, [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
