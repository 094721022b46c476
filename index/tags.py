"""The tags that people gave, and those of models: how many originals have each, and which ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import orjson

from index.postgres import PostgresIndex
from index.protocol import TagCount
from index.records import sql
from index.words import quoted
from schemas.sidecar import tag_parts

#: What is asked for, and the mark of the originals that have it: an index finds them without a look at each row.
_LISTS, _THERE = "o.rest->'curation'->>'tags'", quoted("has:tags")
_SEEN, _HAS_SEEN = "o.rest->>'auto'", quoted("has:auto")

Parts = tuple[str, str]


def tags(index: PostgresIndex) -> list[TagCount]:
    """Every tag with how many originals have it, by category and value; missing originals count too."""
    return _counted(index, _LISTS, _THERE)


def machine_tags(index: PostgresIndex) -> list[TagCount]:
    """What models saw, without what people rejected: how many originals have each, by category and value."""
    return _counted(index, _SEEN, _HAS_SEEN)


def _counted(index: PostgresIndex, column: str, mark: str) -> list[TagCount]:
    counts = Counter[Parts]()
    for found, count in _lists(index, column, mark):
        counts.update(dict.fromkeys(found, count))
    return [TagCount(category, value, count) for (category, value), count in sorted(counts.items())]


def by_name(index: PostgresIndex, *, seen: bool) -> dict[str, int]:
    """Tags as a query names them, the frequent ones first: those that people gave, or what models saw."""
    counts = Counter[str]()
    for found, count in _lists(index, *((_SEEN, _HAS_SEEN) if seen else (_LISTS, _THERE))):
        counts.update(dict.fromkeys({"/".join(filter(None, parts)) for parts in found}, count))
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _lists(index: PostgresIndex, column: str, mark: str) -> Iterator[tuple[set[Parts], int]]:
    """The tags of originals that have the same, and how many these are."""
    with index.cursor() as cursor:
        query = f"SELECT {column}, count(*) FROM {index.schema}.original o WHERE o.words @@ %s::tsquery GROUP BY 1"
        for text, count in cursor.execute(sql(query), (mark,)):
            yield {(one[0], one[1]) if isinstance(one, list) else tag_parts(one) for one in orjson.loads(text)}, count


def tagged(index: PostgresIndex, wanted: Callable[[tuple[str, str]], bool]) -> Iterator[tuple[str, str]]:
    """(source, path) of every original with a tag whose (category, value) is wanted. Paths are encoded."""
    with index.cursor() as cursor:
        table = f"{index.schema}.original o"
        query = f"SELECT o.source, o.path, {_LISTS} FROM {table} WHERE o.words @@ %s::tsquery ORDER BY 1, 2"
        for source, path, text in cursor.execute(sql(query), (_THERE,)):
            if any(map(wanted, map(tag_parts, orjson.loads(text)))):
                yield source, path
