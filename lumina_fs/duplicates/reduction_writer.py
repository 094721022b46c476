"""Leaves reduced pictures in the cache as a scan comes by them. What reads them is `reductions`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.errors import WriteFailed

CACHE = f"{STATE}/cache/reductions"
#: Part of every name: another recipe of the reduced picture, or other views, are other segments.
RECIPE = "v1"
_FULL = 64


def segment_path(name: str, part: str) -> str:
    """Where a part of a segment lies: keys (32 bytes a picture), gray (4,096) or views."""
    return f"{CACHE}/{name}.{part}"


def write_segment(catalog: Catalog, keys: Sequence[bytes], pictures: Sequence[bytes]) -> str | None:
    """A new segment; its keys come last and make it one. None where the cache cannot be written."""
    name = f"{RECIPE}-{secrets.token_hex(8)}"
    try:
        write_cache(catalog.disk, catalog.root, segment_path(name, "gray"), b"".join(pictures))
        write_cache(catalog.disk, catalog.root, segment_path(name, "keys"), b"".join(keys))
    except (WriteFailed, OSError):
        return None
    return name


class ReductionWriter:
    """Collects reduced pictures and leaves them in the cache, in segments. What cannot be written is left out."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._waiting: dict[bytes, bytes] = {}

    def add(self, sha256: str, gray: bytes | None) -> None:
        """Keep one picture, 4,096 bytes, row by row; None for what has none."""
        if gray is not None and sha256:
            self._waiting[bytes.fromhex(sha256)] = gray
            if len(self._waiting) >= _FULL:
                self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        if self._waiting:
            write_segment(self._catalog, list(self._waiting), list(self._waiting.values()))
            self._waiting.clear()
