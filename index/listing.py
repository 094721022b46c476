"""Originals in bulk: a few columns of every row, streamed, for those who have to see all of them (plans, units)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from sys import intern
from typing import Any

import orjson

from index.postgres import PostgresIndex
from index.protocol import Row
from index.query import compile_query
from index.records import sql
from schemas.sidecar import tag_parts

#: Rows that are held at once.
_AT_ONCE = 5000

_COLUMNS = (
    "o.source, o.path, encode(o.sha256, 'hex'), o.size, o.format, o.media, o.camera, o.taken_text, "
    "CASE WHEN coalesce(o.rest#>>'{curation,date}', '') <> '' THEN 'manual' "
    "ELSE o.rest#>>'{capture,taken,source}' END, "
    "CASE WHEN coalesce(o.rest#>>'{curation,date}', '') <> '' THEN '100' "
    "ELSE o.rest#>>'{capture,taken,confidence}' END, "
    "CASE WHEN o.rest->'curation'->'tags' <> '[]' THEN o.rest->'curation'->>'tags' END, o.content_id"
)


def originals(index: PostgresIndex, conditions: Sequence[str] = ("",)) -> Iterator[Row]:
    """Every original that is not missing, in no order, with the first of the queries that it fits.

    Raises QueryError.
    """
    choice, params = _choice(index, conditions)
    query = f"SELECT {_COLUMNS}, {choice} FROM {index.schema}.original o WHERE NOT o.missing"
    with index.cursor(transaction=True) as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute(sql(f"DECLARE every NO SCROLL CURSOR FOR {query}"), params)

        def fetched() -> list[tuple[Any, ...]]:
            return cursor.execute(sql(f"FETCH {_AT_ONCE} FROM every")).fetchall()

        coming = pool.submit(fetched)
        while rows := coming.result():
            coming = pool.submit(fetched)  # the server goes on while these are looked at
            yield from map(_row, rows)


def examples(index: PostgresIndex, conditions: Sequence[str], sources: Sequence[str], count: int) -> list[Row]:
    """A few originals of these sources that fit the last of the queries: always the same, from all over. QueryError."""
    choice, params = _choice(index, conditions)
    condition, values = compile_query(conditions[-1], index.schema)
    query = (
        f"SELECT {_COLUMNS}, {choice} FROM {index.schema}.original o WHERE NOT o.missing AND o.source = ANY(%s) "
        f"AND {condition} ORDER BY o.sha256, o.path LIMIT %s"
    )
    with index.cursor() as cursor:
        return list(map(_row, cursor.execute(sql(query), [*params, list(sources), *values, count])))


def _choice(index: PostgresIndex, conditions: Sequence[str]) -> tuple[str, list[Any]]:
    """The number of the first query that an original fits, as SQL."""
    cases: list[str] = []
    params: list[Any] = []
    for number, text in enumerate(conditions):
        condition, values = compile_query(text, index.schema)
        cases.append(f"WHEN {condition} THEN {number}")
        params += values
    return (f"CASE {' '.join(cases)} END" if cases else "NULL::int"), params


def _row(cells: tuple[Any, ...]) -> Row:
    source, path, sha256, size, form, media, camera, taken, evidence, sure, tags, content_id, choice = cells
    return Row(
        intern(source), path, sha256, size, intern(form), intern(media), intern(camera) if camera else None, taken,
        intern(evidence) if evidence else None, int(sure or 0),
        tuple(map(tag_parts, orjson.loads(tags))) if tags else (), content_id, choice,
    )  # fmt: skip
