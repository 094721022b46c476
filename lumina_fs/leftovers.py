"""Temporary files of ours that killed processes left behind."""

from __future__ import annotations

import os
import secrets
import time
from typing import Any

from lumina_fs.durable import KEPT, TEMP_PREFIX, Disk
from lumina_fs.file_state import read_at
from lumina_fs.free_names import with_ending
from lumina_fs.roots import Root
from lumina_fs.sidecars import sidecar_name
from schemas.errors import DocumentError
from schemas.names import decode_name
from schemas.sidecar import MACHINE_BLOCKS
from schemas.text import parse, same


def sweep(disk: Disk, root: Root, path: str) -> int:
    """Remove temporaries that dead processes left in a directory more than an hour ago; how many.

    A write swaps its temporary with the live file. Who is killed right then may leave what somebody saved in that
    moment under the temporary's name: what a person wrote, and the live document does not say, is kept under a name
    that a person finds.
    """
    swept, directory = 0, root.directory(path)
    for name in os.listdir(directory):
        if not name.startswith(TEMP_PREFIX):
            continue
        pid = name[len(TEMP_PREFIX) :].partition("-")[0]
        try:
            age = time.time() - os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime
        except OSError:
            continue
        if not pid.isdigit() or _is_alive(int(pid)) or age <= 3600:
            continue
        wanted = _wanted_by_a_person(directory, name)
        if wanted is None:
            disk.drop(directory, name)
        else:
            kept = with_ending(wanted, KEPT + secrets.token_hex(4))
            disk.move_new(root, os.path.join(path, name), root, os.path.join(path, kept))
        swept += 1
    return swept


def _wanted_by_a_person(directory: int, name: str) -> str | None:
    """The name of the live document, if a person said something in this one that the live one does not say."""
    value = _value(directory, name)
    if value is None:
        return None
    live = _name_of(value)
    if live is None:
        return None
    now = _value(directory, live)
    if now is None and not value.get("curation"):
        return None  # the first version of a sidecar, never published
    return None if now is not None and same(_of_the_person(value), _of_the_person(now)) else live


def _value(directory: int, name: str) -> dict[str, Any] | None:
    try:
        found = read_at(directory, name)
        value = None if found is None else parse(found[0])
    except (OSError, DocumentError):
        return None
    return value if isinstance(value, dict) else None


def _name_of(value: dict[str, Any]) -> str | None:
    """The name under which a document lies: by its original, its id, or the content that it is about."""
    kind, original = value.get("kind"), value.get("original")
    if kind == "sidecar":
        name = original.get("name") if isinstance(original, dict) else None
        return sidecar_name(decode_name(name)) if isinstance(name, str) and "/" not in name else None
    if kind == "catalog":
        return "catalog.json"
    name = value.get({"plan": "id", "verdict": "sha256"}.get(str(kind), ""))
    return f"{name}.json" if isinstance(name, str) and "/" not in name else None


def _of_the_person(value: dict[str, Any]) -> dict[str, Any]:
    return {key: said for key, said in value.items() if key not in MACHINE_BLOCKS}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
