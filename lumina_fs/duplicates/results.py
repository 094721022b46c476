"""The result of a search for duplicates: groups by content, kept in the cache until the next search.

It names contents, not files: which files have them is asked when somebody looks.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.documents import read
from lumina_fs.duplicates.matched import MEMBER, Groups
from lumina_fs.duplicates.remembered import CACHE

RESULT = f"{CACHE}/result-v2.bin"

_DIGEST = 32
_LENGTH = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class Relation:
    """Two contents that belong together and are no duplicates."""

    one: str
    other: str
    kind: str
    confidence: int
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Result:
    """All that a search found. `state` is that of the index it was made from."""

    threshold: int
    state: str
    analysed: int
    not_compared: int
    groups: Groups = field(default_factory=lambda: Groups.of([]))
    relations: list[Relation] = field(default_factory=list)


def save(catalog: Catalog, result: Result) -> bytes:
    """Keep a result in place of the last one, as these bytes; nothing is written where they are the same."""
    data = _packed(result)
    kept = read(catalog.root, RESULT)
    if kept is None or kept.data != data:
        write_cache(catalog.disk, catalog.root, RESULT, data)
    return data


def load(catalog: Catalog) -> Result | None:
    """The last result; None when there is none that can be used."""
    data = stored(catalog)
    return parsed(data) if data is not None else None


def stored(catalog: Catalog) -> bytes | None:
    """The last result as it was kept."""
    try:
        with open(os.path.join(catalog.path, RESULT), "rb") as file:
            return file.read()
    except OSError:
        return None


def parsed(data: bytes) -> Result | None:
    """A result that was kept; None when it cannot be used."""
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    try:
        end = _LENGTH.itemsize + int(np.frombuffer(body, _LENGTH, 1)[0])
        value: dict[str, Any] = orjson.loads(body[_LENGTH.itemsize : end])
        count, texts = value.pop("groups"), value.pop("texts")
        primaries = np.frombuffer(body, "V32", count, end)
        starts = np.frombuffer(body, _LENGTH, count + 1, end + primaries.nbytes)
        members = np.frombuffer(body, MEMBER, -1, end + primaries.nbytes + starts.nbytes)
        relations = [Relation(**one) for one in value.pop("relations")]
        return Result(**value, groups=Groups(primaries, starts, members, texts), relations=relations)
    except (ValueError, TypeError, KeyError):
        return None


def _packed(result: Result) -> bytes:
    """All but the groups as JSON, behind its length; then the groups, and a digest of all."""
    groups = result.groups
    said = {
        "threshold": result.threshold, "state": result.state, "analysed": result.analysed,
        "not_compared": result.not_compared, "relations": result.relations,
        "groups": len(groups), "texts": groups.texts,
    }  # fmt: skip
    head = orjson.dumps(said)
    columns = (groups.primaries, groups.starts.astype(_LENGTH), groups.members)
    body = b"".join([np.array(len(head), _LENGTH).tobytes(), head, *(one.tobytes() for one in columns)])
    return body + hashlib.sha256(body).digest()
