"""A question about all originals: asked of two parts of their table at once, over two connections, of one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

from index.records import sql
from index.tables import only_row

if TYPE_CHECKING:
    from psycopg import Cursor

    from index.postgres import PostgresIndex

#: Pages of the table that one answer is made of: so few that the memory for its long strings, which are copied often on
#: their way, is taken once and used again; and so many that it pays to ask another connection for half of them.
_MOST, _FEW = 1 << 13, 1 << 15

Row = tuple[Any, ...]
#: SQL with one more condition on the originals, which begins with AND, or is empty.
Query = Callable[[str], str]


class Keys:
    """Contents (32 bytes each), sent as an array of bytes."""

    def __init__(self, contents: NDArray[np.void]) -> None:
        self.contents = contents


def keys_of(names: Sequence[str]) -> NDArray[np.void]:
    """The contents that these are in hex."""
    return np.frombuffer(bytes.fromhex("".join(names)), "V32")


class KeysDumper(Dumper):
    """Sends them as they are: as a text the server would take half a second to read 400,000."""

    format = Format.BINARY
    oid = 1001  # bytea[]

    def dump(self, obj: Keys) -> bytes:
        """One dimension, nothing missing, elements of type bytea, so many, from 1 on; each with its length."""
        keys = obj.contents
        elements = np.empty(len(keys), [("length", ">i4"), ("key", "V32")])
        elements["length"], elements["key"] = keys.dtype.itemsize, keys
        return np.array([1, 0, 17, len(keys), 1], ">i4").tobytes() + elements.tobytes()


def of_parts(
    index: PostgresIndex, query: Query, values: Sequence[Keys | bytes] = (), *, many: bool = True
) -> list[Row]:
    """The one row that `query` gives, for each part of the table of originals by itself.

    Without `many` it is about few originals, and the table is one part.
    """
    table = f"{index.schema}.original"
    with index.cursor(transaction=True) as cursor:
        _begin(cursor)
        pages = f"SELECT pg_relation_size('{table}') / current_setting('block_size')::int"
        parts = _parts(only_row(cursor.execute(sql(pages)))[0]) if many else [""]
        if len(parts) == 1:
            return _answers(cursor, query, values, parts)
        snapshot = only_row(cursor.execute("SELECT pg_export_snapshot()"))[0]

        def beside() -> list[Row]:
            with index.another() as second, second.cursor(transaction=True) as other:
                _begin(other, snapshot)
                return _answers(other, query, values, parts[1::2])

        with ThreadPoolExecutor(1) as thread:
            rest = thread.submit(beside)
            return [*_answers(cursor, query, values, parts[::2]), *rest.result()]


def _parts(pages: int) -> list[str]:
    """Conditions; what is put in behind the last page counts as its part."""
    if pages < _FEW:
        return [""]
    step = min(_MOST, pages // 2 + 1)
    starts = range(0, pages, step)
    ends = [f" AND ctid < '({start},0)'" for start in starts[1:]]
    return [f" AND ctid >= '({start},0)'{end}" for start, end in zip(starts, [*ends, ""], strict=True)]


def _begin(cursor: Cursor[Any], snapshot: str | None = None) -> None:
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    if snapshot is not None:
        cursor.execute(sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
    # who puts the arrays of several processes together takes longer than one that makes them all
    cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    cursor.adapters.register_dumper(Keys, KeysDumper)


def _answers(cursor: Cursor[Any], query: Query, values: Sequence[Keys | bytes], parts: Sequence[str]) -> list[Row]:
    return [only_row(cursor.execute(sql(query(part)), values, binary=True)) for part in parts]
