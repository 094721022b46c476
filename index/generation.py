"""A whole index made from files: filled beside the live one, then put in its place, or compared with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import psycopg

from index.entry import COLUMNS
from index.postgres import PostgresIndex, copy_lines
from index.protocol import Difference, IndexUnusable, Verdict
from index.records import sql
from index.tables import ddl, only_row

# the hash of a tsvector is that of its text: the type has none of its own
_HASHED = ", ".join(f"{name}::text" if name == "words" else name for name in COLUMNS)
_SHOWN = 20
#: Bytes of one COPY: each leaves behind it pages that are not full.
_PIECE = 8 << 20
#: ANALYZE looks at 300 rows for each of these: enough to tell a query with few matches from one with many.
_STATISTICS = 40


class Generation:
    """An index under construction. `purpose` is "new" (to take the live one's place) or "verify"."""

    def __init__(self, index: PostgresIndex, purpose: str) -> None:
        self._index = index
        self.schema = f"{index.schema}_{purpose}"
        self._tables, self._indexes = ddl(self.schema)

    @contextlib.contextmanager
    def filling(self) -> Iterator[Callable[[bytes, bytes, bytes], None]]:
        """Make the tables and fill them in one step, which spares the server its log.

        Gives a function that takes COPY lines of originals, problems and seen. Each original may come once.
        """
        with self._index.cursor(transaction=True) as cursor:
            cursor.execute(sql(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE"))
            cursor.execute(sql(self._tables))
            waiting: dict[str, list[bytes]] = {"original": [], "problem": [], "seen": []}

            def fill(*lines: bytes) -> None:
                for parts, part in zip(waiting.values(), lines, strict=True):
                    parts.append(part)
                if sum(map(len, chain.from_iterable(waiting.values()))) > _PIECE:
                    flush()

            def flush() -> None:
                for table, parts in waiting.items():
                    copy_lines(cursor, f"{self.schema}.{table}", parts)
                    parts.clear()

            yield fill
            flush()

    def carry_over(self, sources: Sequence[str]) -> None:
        """Take the rows of these sources, which cannot be read at present, from the live index as they are."""
        try:
            self._index.check()
        except IndexUnusable:
            return
        with self._index.cursor(transaction=True) as cursor:
            for table in ("original", "seen", "problem", "stale"):
                query = f"INSERT INTO {self.schema}.{table} SELECT * FROM {self._index.schema}.{table}"
                cursor.execute(sql(f"{query} WHERE source = ANY(%s)"), (list(sources),))

    def forget_twins(self) -> None:
        """Let a scan look again at sidecars that share an id: one of them is a copy."""
        with self._index.cursor() as cursor:
            cursor.execute(
                sql(
                    f"UPDATE {self.schema}.seen s SET fingerprint = '' FROM {self.schema}.original o, "
                    f"(SELECT id FROM {self.schema}.original GROUP BY 1 HAVING count(*) > 1) t "
                    "WHERE o.id = t.id AND s.source = o.source AND s.path = o.path"
                )
            )

    def swap(self) -> None:
        """Build the indexes and take the live index's place, in one step."""
        live = self._index.schema
        with self._index.cursor() as cursor:
            for statement in self._indexes.split(";\n"):
                if statement.strip():
                    cursor.execute(sql(statement))
            cursor.execute(sql(f"SET default_statistics_target = {_STATISTICS}"))
            cursor.execute(sql(f"ANALYZE {self.schema}.original, {self.schema}.seen, {self.schema}.problem"))
            cursor.execute("RESET default_statistics_target")
        with self._index.cursor(transaction=True) as cursor:
            self._index.stamp(cursor, self.schema)
            cursor.execute(sql(f"DROP SCHEMA IF EXISTS {live} CASCADE"))
            cursor.execute(sql(f"ALTER SCHEMA {self.schema} RENAME TO {live}"))

    def discard(self) -> None:
        """Throw it away."""
        with self._index.cursor() as cursor:
            cursor.execute(sql(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE"))

    def compare(self, left_out: Sequence[str] = ()) -> Verdict:
        """Compare the live index with this one, row by row; stat columns are no part of it.

        Sources that are `left_out` could not be read. Last good rows of sidecars that do not parse at present are left
        out too: no file says what they say.
        """
        with self._index.cursor(transaction=True) as cursor:
            self._digest(cursor, "live_rows", self._index.schema, left_out)
            self._digest(cursor, "file_rows", self.schema, left_out)
            live, _ = _sum(cursor, "live_rows")
            files, rows = _sum(cursor, "file_rows")
            cursor.execute(
                "CREATE TEMP TABLE differing ON COMMIT DROP AS "
                "SELECT source, path, what, l.h IS NULL AS added, f.h IS NULL AS gone "
                "FROM live_rows l FULL JOIN file_rows f USING (what, source, path) "
                "WHERE l.h IS DISTINCT FROM f.h"
            )
            different = int(only_row(cursor.execute("SELECT count(*) FROM differing"))[0])
            cursor.execute("SELECT * FROM differing ORDER BY source, path, what LIMIT %s", (_SHOWN,))
            found = [self._difference(cursor, *row) for row in cursor.fetchall()]
        return Verdict(live, files, rows, found, different)

    def _digest(self, cursor: psycopg.Cursor[Any], table: str, schema: str, left_out: Sequence[str]) -> None:
        cursor.execute(
            sql(
                f"CREATE TEMP TABLE {table} ON COMMIT DROP AS "
                f"SELECT 'original' AS what, source, path, hash_record_extended(ROW({_HASHED}), 0) AS h "
                f"FROM {schema}.original o WHERE NOT EXISTS "
                f"(SELECT FROM {self._index.schema}.stale s WHERE s.source = o.source AND s.path = o.path) "
                "AND source <> ALL(%s) "
                "UNION ALL SELECT 'problem', source, path, "
                'sum(hash_record_extended(ROW(code, message, line, "column"), 0)::numeric)::numeric %% 1e18::numeric '
                f"FROM {schema}.problem WHERE source <> ALL(%s) GROUP BY source, path"
            ),
            (list(left_out), list(left_out)),
        )

    def _difference(
        self, cursor: psycopg.Cursor[Any], source: str, path: str, what: str, added: bool, gone: bool
    ) -> Difference:
        """What differs in one row: the columns of an original with both values, cut short."""
        if what == "problem" or added or gone:
            kind = "not in the index" if added else "in the index alone" if gone else "differs"
            return Difference(source, path, f"{what} {kind}", {})
        rows = []
        for schema in (self._index.schema, self.schema):
            columns = ", ".join(f"left({name}::text, 4000)" for name in COLUMNS)
            query = f"SELECT {columns} FROM {schema}.original WHERE source = %s AND path = %s"
            rows.append(only_row(cursor.execute(sql(query), (source, path))))
        differing = {name: (live, file) for name, live, file in zip(COLUMNS, *rows, strict=True) if live != file}
        return Difference(source, path, f"{what} differs", differing)


def _sum(cursor: psycopg.Cursor[Any], table: str) -> tuple[str, int]:
    """A digest over all rows in no order, and how many originals there are."""
    query = f"SELECT count(*), coalesce(sum(h::numeric), 0), count(*) FILTER (WHERE what = 'original') FROM {table}"
    count, total, originals = only_row(cursor.execute(sql(query)))
    return f"{int(count):x}-{int(total) % (1 << 64):016x}", int(originals)
