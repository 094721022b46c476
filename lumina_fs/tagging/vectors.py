"""Vectors of pictures and texts in the cache, by model: safe to delete, and looked at before a model is asked."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.errors import WriteFailed
from lumina_fs.tagging.classify import TextVectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

CACHE = f"{STATE}/cache/vectors"
_KEY = 32
#: Vectors that make one file.
_FULL = 512


def folder_of(model: str) -> str:
    """Where the vectors of a model lie, relative to the catalog."""
    return f"{CACHE}/{re.sub(r'[^A-Za-z0-9@._-]+', '-', model).strip('-.')[:100] or 'model'}"


class Vectors:
    """The vectors of one model by content: float16, length 1. What cannot be written is left out."""

    def __init__(self, catalog: Catalog, model: str) -> None:
        self._catalog = catalog
        self._folder = folder_of(model)
        self._known: dict[str, bytes] = {}
        self._waiting: dict[str, bytes] = {}

    def recall(self, wanted: Collection[str]) -> None:
        """Read those of these contents that are there."""
        self._known.update(_read(os.path.join(self._catalog.path, self._folder), wanted))

    def get(self, sha256: str) -> bytes | None:
        """The vector of a content that was recalled, if it is there."""
        return self._known.get(sha256)

    def add(self, sha256: str, vector: bytes) -> None:
        """Keep one."""
        if self._known.get(sha256) != vector:
            self._known[sha256] = self._waiting[sha256] = vector
        if len(self._waiting) >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Write what was collected; the keys come last and make it one."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        name = f"{self._folder}/{secrets.token_hex(8)}"
        try:
            self._write(f"{name}.f16", b"".join(waiting.values()))
            self._write(f"{name}.keys", b"".join(map(bytes.fromhex, waiting)))
        except (WriteFailed, OSError):
            return

    def _write(self, path: str, data: bytes) -> None:
        write_cache(self._catalog.disk, self._catalog.root, path, data)

    def texts(self, digest: str, count: int) -> TextVectors | None:
        """The vectors of a vocabulary with so many texts, if they are there."""
        try:
            with open(os.path.join(self._catalog.path, self._text_path(digest)), "rb") as file:
                values = np.frombuffer(file.read(), np.float32)
        except (OSError, ValueError):
            return None
        if count == 0 or len(values) < 2 or (len(values) - 1) % count or not np.isfinite(values).all():
            return None
        return TextVectors(values[1:].reshape(count, -1), float(values[0]))

    def add_texts(self, digest: str, texts: TextVectors) -> None:
        """Keep those of a vocabulary."""
        data = np.concatenate([np.array([texts.scale], np.float32), texts.rows.ravel()]).tobytes()
        try:
            self._write(self._text_path(digest), data)
        except (WriteFailed, OSError):
            return

    def _text_path(self, digest: str) -> str:
        return f"{self._folder}/texts-{digest[:16]}.f32"


def _read(folder: str, wanted: Collection[str]) -> dict[str, bytes]:
    """The vectors of contents below a folder; a file that does not fit its keys is as none. Later files win."""
    found: dict[str, bytes] = {}
    try:
        names = sorted(os.listdir(folder), key=lambda name: os.stat(os.path.join(folder, name)).st_mtime_ns)
    except OSError:
        return found
    for name in names:
        if not name.endswith(".keys"):
            continue
        try:
            with open(os.path.join(folder, name), "rb") as file:
                keys = file.read()
            with open(os.path.join(folder, f"{name.removesuffix('.keys')}.f16"), "rb") as file:
                data = file.read()
        except OSError:
            continue
        count = len(keys) // _KEY
        if not count or len(keys) % _KEY or len(data) % (2 * count) or not data:
            continue
        size = len(data) // count
        rows: NDArray[np.float16] = np.frombuffer(data, np.float16).reshape(count, -1)
        for at in range(count) if np.isfinite(rows).all() else ():
            key = keys[at * _KEY : at * _KEY + _KEY].hex()
            if key in wanted:
                found[key] = data[at * size : at * size + size]
    return found
