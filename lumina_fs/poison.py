"""Content that ended worker processes twice, by digest: not decoded again until the decoders change."""

from __future__ import annotations

import json

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.documents import read
from lumina_fs.recipe import decoders

_FILE = f"{STATE}/cache/poison.json"


def poison(catalog: Catalog) -> dict[str, str]:
    """SHA-256 -> problem code, as found by the decoders that are installed now."""
    try:
        stored = read(catalog.root, _FILE)
        value = json.loads(stored.data) if stored is not None else {}
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict) or value.get("decoders") != decoders():
        return {}
    content = value.get("content")
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}


def remember_poison(catalog: Catalog, found: dict[str, str]) -> None:
    """Add to the list. It is a cache: its loss costs one more crash of a worker."""
    if found:
        value = {"decoders": decoders(), "content": {**poison(catalog), **found}}
        write_cache(catalog.disk, catalog.root, _FILE, json.dumps(value, indent=1).encode())
