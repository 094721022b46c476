"""The first rows of an ordered answer, without the order of all of it: along an index, or found and then sorted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.order import KEYS, Sort
from index.query import compile_dates, compile_query
from index.records import sql
from index.tables import Tables, only_row

#: Fewer matches are sooner sorted than looked for along an order; for more, this many of its first rows are tried.
_FEW, _FIRST = 10_000, 10_000


def first_rows(
    tables: Tables, columns: str, query: str, sort: Sort, limit: int, offset: int = 0
) -> list[tuple[Any, ...]]:
    """Columns (SQL over `original o`) of what fits a query, `limit` rows of its order after `offset`.

    Raises QueryError.
    """
    condition, params = compile_query(query, tables.schema)
    table, wanted = f"{tables.schema}.original", limit + offset
    if wanted > _FIRST:
        return _page(tables, columns, f"{table} o WHERE {condition}", sort, (*params, limit, offset))
    column, gaps = KEYS[sort.key]
    there = f"o.{column} IS NOT NULL" if gaps else "true"
    dates, edges = compile_dates(query, tables.schema) if sort.key == "date" else ("true", ())
    every = condition in ("true", dates)
    if condition == "true" or _estimate(tables, f"FROM {table} o WHERE {condition}", params) >= _FEW:
        ordered = (
            f"SELECT o.ctid, o.* FROM {table} o WHERE {there} AND {dates} ORDER BY {sort.order(valued=True)} LIMIT"
        )
        inner = f"({ordered} {wanted if every else _FIRST}) o WHERE {condition}"
        found = _page(tables, columns, inner, sort, (*edges, *params, limit, offset))
        if len(found) == limit:
            return found
    # found first, then sorted: a walk along an order until a page is full may be long, and the planner, who takes
    # rows for evenly spread, does not know. Of what is sorted no more is read than it is sorted by
    keys = ", ".join(f"o.{name}" for name in (column, "source", "path") if name)
    fitting = f"(SELECT o.ctid AS address, {keys} FROM {table} o WHERE {condition} OFFSET 0) o"
    some = f"(SELECT address FROM {fitting} ORDER BY {sort.order()} LIMIT %s OFFSET %s) first"
    return _page(
        tables, columns, f"{some} JOIN {table} o ON o.ctid = address", sort, (*params, limit, offset, limit, 0)
    )


def _page(tables: Tables, columns: str, inner: str, sort: Sort, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM {inner} ORDER BY {sort.order()} LIMIT %s OFFSET %s"
    with tables.cursor() as cursor:
        return cursor.execute(sql(query), params).fetchall()


def _estimate(tables: Tables, matching: str, params: Sequence[Any]) -> int:
    """How many rows the planner expects."""
    with tables.cursor() as cursor:
        plan = only_row(cursor.execute(sql(f"EXPLAIN (FORMAT JSON) SELECT 1 {matching}"), params))[0]
    return int(plan[0]["Plan"]["Plan Rows"])
