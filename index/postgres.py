"""The index of one catalog in Postgres: filled in batches, asked, and thrown away at will.

Every method raises IndexUnavailable when the server does not answer, and IndexUnusable when it answers and has no
usable index of this catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import class_row

from index.entry import COLUMNS, problem_line, seen_line
from index.first_rows import first_rows
from index.order import Sort
from index.protocol import Entry, Hit, Problem, Seen, Summary
from index.query import compile_query
from index.records import known, sql, unread
from index.tables import Tables, only_row

HIT_COLUMNS = (
    "o.source, o.path, o.id, o.taken_text AS taken, o.camera, o.format, o.media, o.width, o.height, o.size, "
    "o.rating, o.quality, o.missing, encode(o.sha256, 'hex') AS sha256"
)
#: Originals that are no duplicates of any, found by what has an index.
_NOT_THERE = "(o.words @@ '''is:missing'''::tsquery OR o.size <= 0)"


class PostgresIndex(Tables):
    """The index of one catalog; a context manager. Not for use by two threads at once."""

    def __init__(self, conninfo: str, catalog_id: str, where: str) -> None:
        super().__init__(conninfo, catalog_id, where)
        self._staged = False

    # -- what a scan needs

    def known(self, source: str, folders: Mapping[str, bool] | None = None) -> dict[str, str]:
        """Path -> fingerprint and ETag with a tab between, of all that was seen in a source. Paths are encoded.

        With `folders` only of what lies in them, or anywhere below those that are True.
        """
        with self.cursor() as cursor:
            return known(cursor, self.schema, source, folders)

    def unread(self, source: str, folders: Mapping[str, bool] | None = None) -> list[str]:
        """Paths of sidecars that did not parse when they were last looked at. Paths are encoded; `folders` as before.

        No fingerprint is recorded of them, so that each scan looks again.
        """
        with self.cursor() as cursor:
            return unread(cursor, self.schema, source, folders)

    def count_seen(self, source: str) -> int:
        """How many paths of a source are recorded."""
        with self.cursor() as cursor:
            query = f"SELECT count(*) FROM {self.schema}.seen WHERE source = %s"
            return int(only_row(cursor.execute(sql(query), (source,)))[0])

    def paths_with(self, source: str, digests: Sequence[str]) -> dict[str, list[str]]:
        """SHA-256 as hex -> the paths at which this content is recorded in a source. Paths are encoded."""
        found: dict[str, list[str]] = {}
        with self.cursor() as cursor:
            query = (
                f"SELECT encode(sha256, 'hex'), path FROM {self.schema}.original "
                "WHERE sha256 = ANY(%s) AND source = %s ORDER BY path"
            )
            raw = [bytes.fromhex(digest) for digest in digests]
            for digest, path in cursor.execute(sql(query), (raw, source)):
                found.setdefault(digest, []).append(path)
        return found

    def digests(self, source: str, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Path -> (id, SHA-256 as hex), of those of these (encoded) paths that are recorded with a digest."""
        with self.cursor() as cursor:
            query = (
                f"SELECT path, id, encode(sha256, 'hex') FROM {self.schema}.original "
                "WHERE source = %s AND path = ANY(%s) AND sha256 IS NOT NULL"
            )
            rows = cursor.execute(sql(query), (source, list(paths))).fetchall()
        return {path: (id_, sha256) for path, id_, sha256 in rows}

    def paths_of(self, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Id -> the (source, path) of its rows."""
        found: dict[str, list[tuple[str, str]]] = {}
        with self.cursor() as cursor:
            query = f"SELECT id, source, path FROM {self.schema}.original WHERE id = ANY(%s)"
            for id_, source, path in cursor.execute(sql(query), (list(ids),)):
                found.setdefault(id_, []).append((source, path))
        return found

    def keep_sources(self, names: Sequence[str]) -> int:
        """Remove the rows of all other sources; how many sources went."""
        s = self.schema
        # from one source to the next by the primary key: there are few, of many rows each
        query = (
            f"WITH RECURSIVE t(source) AS (SELECT min(source) FROM {s}.seen UNION ALL "
            f"SELECT (SELECT min(source) FROM {s}.seen n WHERE n.source > t.source) FROM t WHERE t.source IS NOT NULL) "
            "SELECT source FROM t WHERE source <> ALL(%s)"
        )
        with self.cursor(transaction=True) as cursor:
            gone = [source for (source,) in cursor.execute(sql(query), (list(names),))]
            for table in ("original", "seen", "problem", "stale") if gone else ():
                cursor.execute(sql(f"DELETE FROM {s}.{table} WHERE source = ANY(%s)"), (gone,))
            if gone:
                self._count_change(cursor)
        return len(gone)

    def upsert(
        self,
        source: str,
        entries: Sequence[Entry] = (),
        *,
        seen: Sequence[Seen] = (),
        removed: Sequence[str] = (),
        corrupt: Sequence[Problem] = (),
    ) -> None:
        """One step: rows of new and changed sidecars, `seen` of touched ones, paths that are gone, corrupt sidecars.

        A corrupt sidecar keeps its last good row, marked stale, and gets its problem.
        """
        if entries or seen or removed or corrupt:
            with self.cursor(transaction=True) as cursor:
                self._put(cursor, source, entries, seen, removed, corrupt)

    def upsert_together(self, changes: Mapping[str, tuple[Sequence[Entry], Sequence[str], Sequence[Problem]]]) -> None:
        """Entries, removed paths and corrupt sidecars by source, all in one step.

        Who searches meanwhile finds each original once, even if it moved from one source to another.
        """
        with self.cursor(transaction=True) as cursor:
            for number, (source, (entries, removed, corrupt)) in enumerate(changes.items()):
                if number:
                    cursor.execute("DELETE FROM stage_original; DELETE FROM stage_seen")
                self._put(cursor, source, entries, (), removed, corrupt)

    def _put(
        self,
        cursor: psycopg.Cursor[Any],
        source: str,
        entries: Sequence[Entry],
        seen: Sequence[Seen],
        removed: Sequence[str],
        corrupt: Sequence[Problem],
    ) -> None:
        s = self.schema
        self._stage(cursor)
        copy_lines(cursor, "stage_original", [entry.line for entry in entries])
        copy_lines(cursor, "stage_seen", [seen_line(source, row) for row in [*(e.seen for e in entries), *seen]])
        gone = [*removed, *(entry.path for entry in entries), *(problem.path for problem in corrupt)]
        for table in ("problem", "stale"):
            cursor.execute(sql(f"DELETE FROM {s}.{table} WHERE source = %s AND path = ANY(%s)"), (source, gone))
        if removed:
            for table in ("original", "seen"):
                query = f"DELETE FROM {s}.{table} WHERE source = %s AND path = ANY(%s)"
                cursor.execute(sql(query), (source, list(removed)))
        _merge(cursor, s, "original", COLUMNS)
        _merge(cursor, s, "seen", ("source", "path", "fingerprint", "etag"))
        problems = [entry.problems for entry in entries] + [problem_line(source, p) for p in corrupt]
        copy_lines(cursor, f"{s}.problem", problems)
        if corrupt:
            query = f"INSERT INTO {s}.stale SELECT source, path FROM {s}.original WHERE source = %s AND path = ANY(%s)"
            cursor.execute(sql(query), (source, [problem.path for problem in corrupt]))
            query = f"DELETE FROM {s}.seen WHERE source = %s AND path = ANY(%s)"
            cursor.execute(sql(query), (source, [problem.path for problem in corrupt]))
        if entries or removed:
            self._count_change(cursor)

    def _count_change(self, cursor: psycopg.Cursor[Any]) -> None:
        query = f"UPDATE {self.schema}.meta SET value = (value::bigint + 1)::text WHERE name = 'revision'"
        cursor.execute(sql(query))

    def _stage(self, cursor: psycopg.Cursor[Any]) -> None:
        if self._staged:
            return
        for table in ("original", "seen"):
            query = f"CREATE TEMP TABLE stage_{table} (LIKE {self.schema}.{table}) ON COMMIT DELETE ROWS"
            cursor.execute(sql(query))
        self._staged = True

    # -- answers

    def search(self, query: str, *, limit: int = 50, offset: int = 0) -> list[Hit]:
        """Originals that fit a query, newest first, then by path. Raises QueryError."""
        return [Hit(*row) for row in first_rows(self, HIT_COLUMNS, query, Sort(), limit, offset)]

    def count(self, query: str) -> int:
        """How many originals fit a query. Raises QueryError."""
        condition, params = compile_query(query, self.schema)
        with self.cursor() as cursor:
            query = f"SELECT count(*) FROM {self.schema}.original o WHERE {condition}"
            return int(only_row(cursor.execute(sql(query), params))[0])

    def rows(self, keys: Sequence[tuple[str, str]]) -> list[Hit]:
        """The originals at these (source, path), in no order."""
        query = (
            f"SELECT {HIT_COLUMNS} FROM {self.schema}.original o JOIN unnest(%s::text[], %s::text[]) k(source, path) "
            "USING (source, path)"
        )
        return self._hits(query, ([key[0] for key in keys], [key[1] for key in keys]))

    def exact_duplicates(self) -> list[list[Hit]]:
        """Groups of present originals with one content, largest waste first."""
        twins = (
            f"SELECT sha256 FROM {self.schema}.original WHERE NOT missing AND size > 0 "
            "GROUP BY sha256 HAVING count(*) > 1"
        )
        query = (
            f"SELECT {HIT_COLUMNS} FROM {self.schema}.original o WHERE NOT o.missing AND o.sha256 IN ({twins}) "
            "ORDER BY o.size DESC, o.sha256, o.source, o.path"
        )
        groups: dict[str, list[Hit]] = {}
        for hit in self._hits(query, ()):
            groups.setdefault(hit.sha256 or "", []).append(hit)
        return sorted(groups.values(), key=lambda group: -group[0].size * (len(group) - 1))

    def codes(self, name: str) -> list[tuple[str, str, int]]:
        """(source, path, code) of every original with a hash that means something; `name` is dhash or phash."""
        if name not in ("dhash", "phash"):
            raise ValueError(name)
        with self.cursor() as cursor:
            query = f"SELECT source, path, {name} FROM {self.schema}.original WHERE {name} IS NOT NULL ORDER BY 1, 2"
            return cursor.execute(sql(query)).fetchall()

    def problems(self, limit: int = 1000) -> list[tuple[str, Problem]]:
        """(source, problem), in order of path."""
        with self.cursor() as cursor:
            query = (
                f'SELECT source, path, code, message, line, "column" FROM {self.schema}.problem '
                "ORDER BY source, path, code LIMIT %s"
            )
            return [(row[0], Problem(*row[1:])) for row in cursor.execute(sql(query), (limit,))]

    def count_duplicates(self) -> int:
        """How many present originals could go because an equal one is there."""
        table = f"{self.schema}.original"
        # equal digests are counted in their index, without a look at the rows; then what is wrong about that: rows that
        # are missing or empty, which are few
        wrong = f"SELECT sha256, count(*) AS w FROM {table} o WHERE {_NOT_THERE} AND sha256 IS NOT NULL GROUP BY 1"
        query = (
            f"SELECT (SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {table} "
            "WHERE sha256 IS NOT NULL GROUP BY sha256 HAVING count(*) > 1) g) - "
            f"(SELECT coalesce(sum(n - 1 - greatest(n - w - 1, 0)), 0) FROM ({wrong}) b, "
            f"LATERAL (SELECT count(*) AS n FROM {table} o WHERE o.sha256 = b.sha256) a)"
        )
        with self.cursor() as cursor:
            return int(only_row(cursor.execute(sql(query)))[0])

    def summary(self) -> Summary:
        """What the index holds, in numbers."""
        s = self.schema
        with self.cursor() as cursor:
            query = (
                "SELECT count(*), coalesce(sum(size), 0), count(*) FILTER (WHERE missing), "
                f"min(taken_text), max(taken_text), (SELECT count(*) FROM {s}.stale) FROM {s}.original"
            )
            originals, size, missing, first, last, stale = only_row(cursor.execute(sql(query)))
            query = (
                "SELECT count(*), coalesce(sum(n), 0), coalesce(sum(n * size), 0) FROM (SELECT count(*) - 1 AS n, "
                f"min(size) AS size FROM {s}.original WHERE sha256 IS NOT NULL AND NOT missing AND size > 0 "
                "GROUP BY sha256 HAVING count(*) > 1) g"
            )
            groups, twins, wasted = only_row(cursor.execute(sql(query)))
            counts: dict[str, dict[str, int]] = {}
            for column, table in (("media", "original"), ("source", "original"), ("code", "problem")):
                query = f"SELECT {column}, count(*) FROM {s}.{table} GROUP BY 1 ORDER BY 2 DESC, 1"
                counts[column] = {row[0]: row[1] for row in cursor.execute(sql(query))}
        return Summary(
            originals=originals, size=int(size), missing=missing, stale=stale, duplicates=int(twins),
            duplicate_groups=groups, wasted=int(wasted), first=first, last=last, media=counts["media"],
            problems=counts["code"], sources=counts["source"],
        )  # fmt: skip

    def _hits(self, query: str, params: Sequence[Any]) -> list[Hit]:
        with self.cursor() as cursor:
            cursor.row_factory = class_row(Hit)
            return cursor.execute(sql(query), params).fetchall()


def copy_lines(cursor: psycopg.Cursor[Any], table: str, lines: Iterable[bytes]) -> None:
    data = b"".join(lines)
    if data:
        with cursor.copy(sql(f"COPY {table} FROM STDIN")) as copy:
            copy.write(data)


def _merge(cursor: psycopg.Cursor[Any], schema: str, table: str, columns: Sequence[str]) -> None:
    """Staged rows over the live ones."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in ("source", "path"))
    names = ", ".join(columns)
    cursor.execute(
        sql(
            f"INSERT INTO {schema}.{table} ({names}) SELECT {names} FROM stage_{table} "
            f"ON CONFLICT (source, path) DO UPDATE SET {changes}"
        )
    )
