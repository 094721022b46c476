"""The tables of one catalog's index: how to reach them, and whether they are there, whole and made by this version.

Every method raises IndexUnavailable when the server does not answer, and IndexUnusable when it answers and has no
usable index of this catalog.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from importlib import resources
from typing import Any, Self, cast

import psycopg

from index.patience import Patience
from index.protocol import IndexUnavailable, IndexUnusable, Interrupted
from index.records import sql

_DDL = (resources.files("index") / "tables.sql").read_text()
VERSION = hashlib.sha256(_DDL.encode()).hexdigest()[:16]

_BROKEN = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.DataCorrupted,
    psycopg.errors.IndexCorrupted,
)


def schema_of(catalog_id: str, where: str) -> str:
    """The name of the Postgres schema of the catalog at the path `where`: a copy of it has an index of its own."""
    digits = catalog_id.replace("-", "")
    if not (digits.isascii() and digits.isalnum()):
        raise ValueError("not a catalog id")
    return f"lumina_{digits}_{hashlib.sha256(os.fsencode(where)).hexdigest()[:8]}"


def ddl(schema: str) -> tuple[str, str]:
    """The DDL of a generation: tables, then (after they are filled) indexes."""
    tables, _, indexes = _DDL.replace("{s}", schema).partition("-- indexes:")
    return tables, indexes.partition("\n")[2]


def server_version(conninfo: str) -> str:
    """The server's own name for its version. Raises IndexUnavailable."""
    try:
        with psycopg.connect(conninfo, connect_timeout=10) as conn:
            return str(only_row(conn.execute("SHOW server_version"))[0])
    except psycopg.Error as error:
        raise IndexUnavailable(_first_line(error)) from None


#: By what the tables know us from somebody who changes rows by hand.
_NAME = "lumina-fs"


class Tables:
    """A connection to the tables of one catalog's index; a context manager. Not for use by two threads at once."""

    def __init__(self, conninfo: str, catalog_id: str, where: str) -> None:
        self.schema = schema_of(catalog_id, where)
        self._where = where
        self._how = conninfo, catalog_id, where
        try:
            self._conn = psycopg.connect(conninfo, autocommit=True, connect_timeout=10, application_name=_NAME)
        except psycopg.Error as error:
            raise IndexUnavailable(_first_line(error)) from None
        self._patience = Patience(conninfo, self._conn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._patience.close()
        self._conn.close()

    def another(self) -> Self:
        """Another connection to the same tables, to be closed by who asked for it."""
        return type(self)(*self._how)

    @contextlib.contextmanager
    def cursor(self, *, transaction: bool = False) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor whose errors are ours; `transaction` makes all that is done with it one step."""
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(self._patience.waiting())
                if transaction:
                    stack.enter_context(self._conn.transaction())
                yield stack.enter_context(self._conn.cursor())
        except _BROKEN as error:
            raise IndexUnusable(_first_line(error)) from None
        except psycopg.errors.QueryCanceled:
            raise Interrupted from None
        except psycopg.Error as error:
            raise IndexUnavailable(_first_line(error)) from None

    def interrupt(self) -> None:
        """End the question that is being answered, if any: it raises Interrupted. From any thread."""
        with contextlib.suppress(psycopg.Error):
            self._conn.cancel_safe(timeout=2.0)

    def check(self) -> None:
        """Raise IndexUnusable unless the index is there, whole and of this version."""
        version = self.meta("version")
        if version is None:
            raise IndexUnusable("there is no index yet")
        if version != VERSION:
            raise IndexUnusable("the index was made by another version of Lumina")
        if self.meta("shape") != self._shape(self.schema):
            raise IndexUnusable("somebody changed the tables of the index")

    def check_rows(self) -> None:
        """The same, and raise it too when anybody but us changed rows."""
        self.check()
        if self.meta("altered") is not None:
            raise IndexUnusable("somebody changed rows of the index")

    def _shape(self, schema: str) -> str:
        """How many columns, indexes and triggers there are."""
        query = (
            "SELECT count(*) FILTER (WHERE what = 'a') || ' ' || count(*) FILTER (WHERE what = 'i') || ' ' || "
            "count(*) FILTER (WHERE what = 't') FROM ("
            "SELECT 'a' AS what, attrelid AS r FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped UNION ALL "
            "SELECT 'i', indrelid FROM pg_index UNION ALL "
            "SELECT 't', tgrelid FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O') x "
            "JOIN pg_class c ON c.oid = r WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(%s)"
        )
        with self.cursor() as cursor:
            return str(only_row(cursor.execute(sql(query), (schema,)))[0])

    def meta(self, name: str) -> str | None:
        """A value of table meta, None without one or without an index."""
        with self.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (f"{self.schema}.meta",))
            if only_row(cursor)[0] is None:
                return None
            row = cursor.execute(sql(f"SELECT value FROM {self.schema}.meta WHERE name = %s"), (name,)).fetchone()
            return None if row is None else str(row[0])

    def stamp(self, cursor: psycopg.Cursor[Any], schema: str) -> None:
        """Say in a finished generation what it is."""
        where = os.fsencode(self._where).decode("utf-8", "replace")
        named = {
            "version": VERSION, "catalog": where, "revision": "0", "generation": uuid.uuid4().hex[:8],
            "shape": self._shape(schema),
        }  # fmt: skip
        cursor.executemany(sql(f"INSERT INTO {schema}.meta VALUES (%s, %s)"), list(named.items()))

    def drop(self) -> bool:
        """Remove the index of this catalog; False if there was none."""
        there = self.meta("version") is not None
        with self.cursor() as cursor:
            for name in (self.schema, f"{self.schema}_new", f"{self.schema}_verify"):
                cursor.execute(sql(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
        return there


def only_row(cursor: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None
    return cast("tuple[Any, ...]", row)


def _first_line(error: psycopg.Error) -> str:
    """What went wrong, without what may be a password in a connection string."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    text = re.sub(r"(://[^:/@\s]*:)[^@\s]*@", r"\1***@", text)
    return re.sub(r"(?i)(password\s*=\s*)\S+", r"\1***", text)
