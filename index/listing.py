"""Originals in bulk: a few columns of every row, streamed, for those who have to see all of them (plans, units)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from sys import intern
from typing import Any

import orjson

from index.postgres import PostgresIndex
from index.protocol import Row
from index.query import compile_query
from index.records import sql
from schemas.sidecar import tag_parts

_COLUMNS = (
    "o.source, o.path, encode(o.sha256, 'hex'), o.size::text, o.format, o.media, o.camera, o.taken_text, "
    "CASE WHEN coalesce(o.rest#>>'{curation,date}', '') <> '' THEN 'manual' "
    "ELSE o.rest#>>'{capture,taken,source}' END, "
    "CASE WHEN coalesce(o.rest#>>'{curation,date}', '') <> '' THEN '100' "
    "ELSE o.rest#>>'{capture,taken,confidence}' END, "
    "CASE WHEN o.rest->'curation'->'tags' <> '[]' THEN o.rest->'curation'->>'tags' END, o.content_id"
)


def originals(index: PostgresIndex, conditions: Sequence[str] = ("",)) -> Iterator[Row]:
    """Every original that is not missing, by source and path, with the first of the queries that it fits.

    Raises QueryError.
    """
    choice, params = _choice(index, conditions)
    query = (
        f"COPY (SELECT {_COLUMNS}, {choice} FROM {index.schema}.original o WHERE NOT o.missing "
        "ORDER BY o.source, o.path) TO STDOUT"
    )
    return _copied(index, query, params)


def examples(index: PostgresIndex, conditions: Sequence[str], sources: Sequence[str], count: int) -> list[Row]:
    """A few originals of these sources that fit the last of the queries: always the same, from all over. QueryError."""
    choice, params = _choice(index, conditions)
    condition, values = compile_query(conditions[-1], index.schema)
    query = (
        f"COPY (SELECT {_COLUMNS}, {choice} FROM {index.schema}.original o WHERE NOT o.missing AND o.source = ANY(%s) "
        f"AND {condition} ORDER BY o.sha256, o.path LIMIT {int(count)}) TO STDOUT"
    )
    return list(_copied(index, query, [*params, list(sources), *values]))


def _choice(index: PostgresIndex, conditions: Sequence[str]) -> tuple[str, list[Any]]:
    """The number of the first query that an original fits, as SQL."""
    cases: list[str] = []
    params: list[Any] = []
    for number, text in enumerate(conditions):
        condition, values = compile_query(text, index.schema)
        cases.append(f"WHEN {condition} THEN '{number}'")
        params += values
    return (f"CASE {' '.join(cases)} END" if cases else "NULL"), params


def _copied(index: PostgresIndex, query: str, params: Sequence[Any]) -> Iterator[Row]:
    with index.cursor() as cursor, cursor.copy(sql(query), params) as copy:
        for block in copy:
            yield _row(bytes(block).decode())  # the server sends a row at a time


def _row(line: str) -> Row:
    """A line of COPY's text form."""
    cells: list[Any] = line.removesuffix("\n").split("\t")
    if "\\" in line:
        cells = [None if cell == r"\N" else _unescaped(cell) if "\\" in cell else cell for cell in cells]
    for at in (0, 4, 5, 6, 8):  # few values, in very many rows
        cells[at] = intern(cells[at]) if cells[at] else cells[at]
    cells[3] = int(cells[3])
    cells[9] = int(cells[9] or 0)
    cells[10] = tuple(map(tag_parts, orjson.loads(cells[10]))) if cells[10] else ()
    cells[12] = int(cells[12]) if cells[12] else None
    return Row(*cells)


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)
