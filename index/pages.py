"""Any page of an ordered answer at once: the order is worked out in one pass and kept as addresses of rows.

The first page needs no pass. An address is that of a row's present version, so an order holds until rows change: what
changed since is left out of a page, and the order has to be asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from index.first_rows import first_rows
from index.order import Listed, Order, Sort
from index.postgres import HIT_COLUMNS, PostgresIndex
from index.protocol import Hit
from index.query import compile_query
from index.records import sql
from index.tables import only_row

_SORT_MEMORY = "64MB"


_LISTED = f"o.ctid::text, {HIT_COLUMNS}, NULL::int AS distance, encode(o.etag, 'hex'), o.rest->'curation'"


def first(index: PostgresIndex, query: str, sort: Sort, limit: int) -> list[Listed]:
    """The first originals that fit a query. Raises QueryError."""
    return [_one(row) for row in first_rows(index, _LISTED, query, sort, limit)]


def order(index: PostgresIndex, query: str, sort: Sort) -> Order:
    """The whole order of an answer: one pass over what fits. Raises QueryError."""
    condition, params = compile_query(query, index.schema)
    with index.cursor(transaction=True) as cursor:
        cursor.execute(sql(f"SET LOCAL work_mem = '{_SORT_MEMORY}'"))
        cursor.execute(
            sql(
                f"SELECT coalesce(sum(o.size), 0), string_agg(tidsend(o.ctid), '' ORDER BY {sort.order()}) "
                f"FROM {index.schema}.original o WHERE {condition}"
            ),
            params,
            binary=True,
        )
        size, addresses = only_row(cursor)
    return Order(sort, int(size), bytes(addresses or b""))


def page(index: PostgresIndex, order: Order, start: int, end: int) -> list[Listed | None]:
    """The originals at these places of an order; None for what changed since the order was made."""
    addresses = [order.address(at) for at in range(start, min(end, len(order)))]
    query = f"SELECT {_LISTED} FROM {index.schema}.original o WHERE o.ctid = ANY(%s::tid[])"
    with index.cursor() as cursor:
        found = {row[0]: _one(row) for row in cursor.execute(sql(query), (addresses,))}
    return [found.get(address) for address in addresses]


def place_of(index: PostgresIndex, order: Order, source: str, path: str) -> int | None:
    """Where in an order an original is; None where it is not among them."""
    query = f"SELECT o.ctid::text FROM {index.schema}.original o WHERE o.source = %s AND o.path = %s"
    with index.cursor() as cursor:
        row = cursor.execute(sql(query), (source, path)).fetchone()
    return None if row is None else order.place(row[0])


def place_of_date(index: PostgresIndex, order: Order, moment: str) -> int:
    """In an order by date: the place of the first original that was not taken before (newest first: after) a moment."""
    query = f"SELECT o.taken {'<' if order.sort.descending else '>='} %s::timestamp FROM {index.schema}.original o "
    low, high = 0, len(order)
    with index.cursor() as cursor:
        while low < high:
            middle = (low + high) // 2
            row = cursor.execute(sql(query + "WHERE o.ctid = %s::tid"), (moment, order.address(middle))).fetchone()
            if row is None or row[0] is None or row[0]:  # gone, or without a date: these come last
                high = middle
            else:
                low = middle + 1
    return low


def keys(index: PostgresIndex, query: str) -> Iterator[tuple[str, str, int]]:
    """(source, path, bytes) of all that fits a query, in no order. Raises QueryError."""
    condition, params = compile_query(query, index.schema)
    statement = f"SELECT o.source, o.path, o.size FROM {index.schema}.original o WHERE {condition}"
    with index.cursor() as cursor:
        yield from cursor.execute(sql(statement), params)


def listed(index: PostgresIndex, wanted: Sequence[tuple[str, str]]) -> list[Listed]:
    """The originals at these (source, path), in no order."""
    query = (
        f"SELECT {_LISTED} FROM {index.schema}.original o JOIN unnest(%s::text[], %s::text[]) k(source, path) "
        "ON o.source = k.source AND o.path = k.path"
    )
    return _listed(index, query, ([key[0] for key in wanted], [key[1] for key in wanted]))


def _listed(index: PostgresIndex, query: str, params: Sequence[Any]) -> list[Listed]:
    with index.cursor() as cursor:
        return [_one(row) for row in cursor.execute(sql(query), params)]


def _one(row: Sequence[Any]) -> Listed:
    return Listed(Hit(*row[1:-2]), row[-2], row[-1] or {})


def with_contents(index: PostgresIndex, digests: Sequence[str]) -> list[Listed]:
    """The present originals with these contents (SHA-256 as hex), by source and path."""
    query = (
        f"SELECT {_LISTED} FROM {index.schema}.original o WHERE o.sha256 = ANY(%s) AND NOT o.missing "
        "ORDER BY o.source, o.path"
    )
    return _listed(index, query, ([bytes.fromhex(digest) for digest in digests],))
