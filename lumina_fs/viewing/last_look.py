"""The first photos of an answer as somebody saw them last: shown at the next start until the index has answered.

A file of the cache. What it says may be out of date; whoever shows it asks the index at once.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.viewing.photos import Listed, Sort

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_CACHE = ".lumina/cache/last-look-v1.json"
_LARGEST = 8 << 20
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Look:
    query: str
    sort: str
    descending: bool
    photos: list[Listed]


def recalled(catalog: Catalog, query: str, sort: Sort) -> list[Listed]:
    """The photos that were kept of this question; none where there are none, or they cannot be read."""
    data = _kept(catalog)
    if data is None:
        return []
    try:
        look = _adapter().validate_json(data, strict=True)
    except ValueError:
        return []
    if (look.query, look.sort, look.descending) != (query, *sort):
        return []
    # a catalog may come from a stranger, with its cache; names of thumbnails are made of digests
    whole = all(one.hit.sha256 is None or _DIGEST.fullmatch(one.hit.sha256) for one in look.photos)
    return look.photos if whole else []


def keep(catalog: Catalog, query: str, sort: Sort, photos: Sequence[Listed]) -> None:
    """Keep them in the place of those that were kept before. A catalog that cannot be written to keeps none."""
    with contextlib.suppress(LuminaError, OSError):
        data = orjson.dumps(_Look(query, sort.key, sort.descending, list(photos)))
        if data != _kept(catalog) and len(data) <= _LARGEST:
            write_cache(catalog.disk, catalog.root, _CACHE, data)


def _kept(catalog: Catalog) -> bytes | None:
    try:
        with open(os.path.join(catalog.path, _CACHE), "rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return None


def _adapter() -> TypeAdapter[_Look]:
    from pydantic import TypeAdapter

    return TypeAdapter(_Look)
