"""How a person left the screens: one small document in their own directory, for convenience only."""

from __future__ import annotations

from typing import Any

from lumina_fs.documents import read
from lumina_fs.durable import ABSENT, Disk
from lumina_fs.locations import user_directory
from lumina_fs.roots import Root
from schemas.errors import DocumentError
from schemas.text import dump, parse

_FILE = "view.json"


def load() -> dict[str, Any]:
    """What was remembered; empty where there is nothing that can be read."""
    try:
        with Root.open(user_directory()) as root:
            stored = read(root, _FILE)
            return parse(stored.data) if stored is not None else {}
    except (OSError, DocumentError):
        return {}


def save(value: dict[str, Any]) -> None:
    """Remember it. Where that cannot be done nothing is lost that matters; two at once: one of them wins."""
    disk = Disk()
    try:
        disk.make_root(user_directory())
        with Root.open(user_directory()) as root:
            stored = read(root, _FILE)
            data = dump({**value, "kind": "view", "version": 1})
            if stored is None or stored.data != data:
                disk.write(root, _FILE, data, if_match=ABSENT if stored is None else stored.etag)
    except (OSError, ValueError):
        return
