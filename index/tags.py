"""The tags that people gave, and those of models: how many originals have each, and which ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import orjson

from index.postgres import PostgresIndex
from index.protocol import TagCount
from index.records import sql
from schemas.sidecar import tag_parts

_LISTS = "o.rest->'curation'->>'tags'"
_THERE = "jsonb_typeof(o.rest->'curation'->'tags') = 'array' AND o.rest->'curation'->'tags' <> '[]'"


def tags(index: PostgresIndex) -> list[TagCount]:
    """Every tag with how many originals have it, by category and value; missing originals count too."""
    counts: Counter[tuple[str, str]] = Counter()
    with index.cursor() as cursor:
        query = f"SELECT {_LISTS}, count(*) FROM {index.schema}.original o WHERE {_THERE} GROUP BY 1"
        for text, count in cursor.execute(sql(query)):
            for parts in set(map(tag_parts, orjson.loads(text))):
                counts[parts] += count
    return [TagCount(category, value, count) for (category, value), count in sorted(counts.items())]


def machine_tags(index: PostgresIndex) -> list[TagCount]:
    """What models saw, without what people rejected: how many originals have each, by category and value."""
    counts: Counter[tuple[str, str]] = Counter()
    with index.cursor() as cursor:
        query = f"SELECT o.rest->>'auto', count(*) FROM {index.schema}.original o WHERE o.rest ? 'auto' GROUP BY 1"
        for text, count in cursor.execute(sql(query)):
            for category, value in orjson.loads(text):
                counts[category, value] += count
    return [TagCount(category, value, count) for (category, value), count in sorted(counts.items())]


def tagged(index: PostgresIndex, wanted: Callable[[tuple[str, str]], bool]) -> Iterator[tuple[str, str]]:
    """(source, path) of every original with a tag whose (category, value) is wanted. Paths are encoded."""
    with index.cursor() as cursor:
        query = f"SELECT o.source, o.path, {_LISTS} FROM {index.schema}.original o WHERE {_THERE} ORDER BY 1, 2"
        for source, path, text in cursor.execute(sql(query)):
            if any(map(wanted, map(tag_parts, orjson.loads(text)))):
                yield source, path
