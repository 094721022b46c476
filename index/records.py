"""What a scan recorded of each path, asked for: of a whole source, or of some of its folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

import psycopg

from schemas.names import decode_name, encode_name, marked

#: More folders than this are looked for in the rows of the whole source.
_FOLDERS = 300


def sql(text: str) -> LiteralString:
    """SQL made of our own names and the compiled condition, which holds no value of the person's."""
    return text


def known(
    cursor: psycopg.Cursor[Any], schema: str, source: str, folders: Mapping[str, bool] | None = None
) -> dict[str, str]:
    """Path -> fingerprint and ETag with a tab between. With `folders` only of what lies in them.

    Those that are True stand for all below them too.
    """
    if folders is not None and len(folders) <= _FOLDERS:
        return _known_in(cursor, schema, source, folders)
    found = _known_in_all(cursor, schema, source)
    return found if folders is None else {path: row for path, row in found.items() if _lies_in(path, folders)}


def unread(
    cursor: psycopg.Cursor[Any], schema: str, source: str, folders: Mapping[str, bool] | None = None
) -> list[str]:
    """Paths of which a problem or a last good row is recorded, but not what was seen."""
    query = (
        f"SELECT path FROM (SELECT source, path FROM {schema}.problem UNION SELECT source, path FROM {schema}.stale) p "
        f"WHERE source = %s AND NOT EXISTS (SELECT FROM {schema}.seen s WHERE s.source = p.source AND s.path = p.path)"
    )
    found = [path for (path,) in cursor.execute(sql(query), (source,))]
    return found if folders is None else [path for path in found if _lies_in(path, folders)]


def _known_in(cursor: psycopg.Cursor[Any], schema: str, source: str, folders: Mapping[str, bool]) -> dict[str, str]:
    query = f"SELECT path, fingerprint || E'\t' || etag FROM {schema}.seen WHERE source = %s"
    alone = {folder: below for folder, below in folders.items() if not any(map(folders.get, _above(folder)))}
    found: dict[str, str] = {}
    for folder, below in alone.items():
        plain = f"{folder}/" if folder else ""
        for start in {plain, marked(plain)} if encode_name(plain) == plain else {marked(plain)}:
            within, values = "", [source]
            if start:  # all that starts so; the next character after its last one ends it
                within = " AND path >= %s AND path < %s"
                values = [source, start, start[:-1] + chr(ord(start[-1]) + 1)]
            if not below:
                within += f" AND strpos(substr(path, {len(start) + 1}), '/') = 0"
            found.update(cursor.execute(sql(query + within), values).fetchall())
    return {path: row for path, row in found.items() if _lies_in(path, folders)}


def _known_in_all(cursor: psycopg.Cursor[Any], schema: str, source: str) -> dict[str, str]:
    # many rows in one value: each by itself would cost four times as much. No path holds two slashes side by side
    query = (
        "SELECT string_agg(path || '//' || fingerprint || E'\t' || etag, '//') FROM "
        "(SELECT path, fingerprint, etag, row_number() OVER () / 50000 AS part "
        f"FROM {schema}.seen WHERE source = %s) s GROUP BY part"
    )
    found: dict[str, str] = {}
    for (text,) in cursor.execute(sql(query), (source,)):
        parts = text.split("//")
        found.update(zip(parts[::2], parts[1::2], strict=True))
    return found


def _above(folder: str) -> Iterator[str]:
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _lies_in(path: str, folders: Mapping[str, bool]) -> bool:
    """True for a path (encoded) in one of these folders, or anywhere below one that is True."""
    folder = decode_name(path).rpartition("/")[0]
    return folder in folders or any(map(folders.get, _above(folder)))
