"""The result of a search for duplicates: groups by content, kept in the cache until the next search.

It names contents, not files: which files have them is asked when somebody looks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import orjson

from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.documents import read
from lumina_fs.duplicates.kinds import Judgement
from lumina_fs.duplicates.remembered import CACHE

RESULT = f"{CACHE}/result-v1.json"


@dataclass(frozen=True, slots=True)
class Match:
    """A content, and what it is to the one it is listed with. `distance`: bits by which pHash and dHash differ."""

    sha256: str
    kind: str
    confidence: int
    reasons: list[str]
    distance: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """A content and its duplicates. Without any, there are several files with this content."""

    primary: str
    members: list[Match]

    @property
    def contents(self) -> list[str]:
        """All contents, the primary first."""
        return [self.primary, *(member.sha256 for member in self.members)]


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
    groups: list[Matched] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)


def match(sha256: str, judgement: Judgement, distance: list[int] | None) -> Match:
    """A member of a group."""
    return Match(sha256, judgement.kind, judgement.confidence, list(judgement.reasons), distance)


def save(catalog: Catalog, result: Result) -> bytes:
    """Keep a result in place of the last one, as these bytes; nothing is written where they are the same."""
    data = orjson.dumps(result)
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
    try:
        value: dict[str, Any] = orjson.loads(data)
        groups = [Matched(one["primary"], [Match(**other) for other in one["members"]]) for one in value["groups"]]
        relations = [Relation(**one) for one in value["relations"]]
        return Result(**{**value, "groups": groups, "relations": relations})
    except (ValueError, TypeError, KeyError):
        return None
