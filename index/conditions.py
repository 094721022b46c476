"""Conditions on originals as text searches or as SQL, joined and negated; numbers and dates as a query writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from index.protocol import QueryError
from schemas.partial_date import first_instant, split_date

_UNITS = {"": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}
_COMPARED = re.compile(r"(?P<op>>=|<=|>|<|=)?(?P<low>[^.]*(?:\.\d[^.]*)?)(?:(?P<range>\.\.)(?P<high>.*))?")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: either all of it is a text search (`ts`), or it is SQL with parameters.

    `dated` are the parts of it that are about the date alone, and that each match has to meet.
    """

    ts: str | None = None
    sql: str = ""
    params: tuple[Any, ...] = ()
    dated: tuple[Condition, ...] = ()

    def as_sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition as SQL in any case."""
        return (self.sql, self.params) if self.ts is None else ("o.words @@ %s::tsquery", (self.ts,))


def joined(parts: Sequence[Condition], ts: str, sql: str) -> Condition:
    """Several as one: `ts` and `sql` are how "and", or "or", is written in a text search and in SQL."""
    if len(parts) == 1:
        return parts[0]
    texts = [part.ts for part in parts if part.ts is not None]
    rest = [part for part in parts if part.ts is None]
    merged = Condition(ts="(" + ts.join(texts) + ")") if texts else None
    if not rest and merged is not None:
        return merged
    pieces = [condition.as_sql() for condition in [*([merged] if merged else []), *rest]]
    return Condition(
        sql="(" + sql.join(piece for piece, _ in pieces) + ")",
        params=tuple(value for _, values in pieces for value in values),
        dated=tuple(one for part in parts for one in part.dated) if sql == " AND " else (),
    )


def negated(part: Condition) -> Condition:
    """What does not fit it."""
    if part.ts is not None:
        return Condition(ts=f"!{part.ts}" if part.ts.startswith("(") else f"!({part.ts})")
    return Condition(sql=f"({part.sql}) IS NOT TRUE", params=part.params)


def numbered(name: str, value: str, column: int) -> Condition:
    """A field that is a number, with its value as it was written at that column. Raises QueryError."""
    match = _COMPARED.fullmatch(value)
    if match is None or (match.group("op") and match.group("range")):
        raise QueryError(f"{name}:{value} - write {name}:5, {name}:>=3 or {name}:2..4", column)
    low = _amount(name, match.group("low"), column) if match.group("low") else None
    if not match.group("range"):
        if low is None:
            raise QueryError(f"{name}: a number is missing", column)
        return Condition(sql=f"o.{name} {match.group('op') or '='} %s", params=(low,))
    high = _amount(name, match.group("high"), column) if match.group("high") else None
    return _between(f"o.{name}", low, high, "<=", column)


def _amount(name: str, text: str, column: int) -> float:
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    unit = match.group(2).lower() if match else ""
    if match is None or (unit and (name != "size" or unit not in _UNITS)):
        raise QueryError(f"{name}: {text!r} is no number" + (" like 10MB" if name == "size" else ""), column)
    return float(match.group(1)) * _UNITS[unit]


def _between(column_name: str, low: Any, high: Any, below: str, column: int) -> Condition:
    parts, params = [], []
    if low is not None:
        parts.append(f"{column_name} >= %s")
        params.append(low)
    if high is not None:
        parts.append(f"{column_name} {below} %s")
        params.append(high)
    if not parts:
        raise QueryError("a range needs at least one end", column)
    return Condition(sql="(" + " AND ".join(parts) + ")", params=tuple(params))


def dated(value: str, column: int) -> Condition:
    """The date, with its value as it was written at that column. Raises QueryError."""
    found = _taken(value, column)
    return replace(found, dated=(found,))


def _taken(value: str, column: int) -> Condition:
    match = re.fullmatch(r"(?P<op>>=|<=|>|<|=)?(?P<low>[^.]*)(?:(?P<range>\.\.)(?P<high>.*))?", value)
    if match is None or (match.group("op") and match.group("range")):
        raise QueryError(f"date:{value} - write date:2019, date:2019-07..2019-08 or date:>=2020", column)
    low, high, op = match.group("low"), match.group("high"), match.group("op")
    first, after = _span(low, column) if low else (None, None)
    if match.group("range"):
        return _between("o.taken", first, _span(high, column)[1] if high else None, "<", column)
    if first is None:
        raise QueryError("date: a date is missing", column)
    if op in (None, "="):
        return _between("o.taken", first, after, "<", column)
    edges = {">=": (">=", first), ">": (">=", after), "<": ("<", first), "<=": ("<", after)}
    sign, edge = edges[op]
    return Condition(sql=f"o.taken {sign} %s::timestamp", params=(edge,))


def _span(text: str, column: int) -> tuple[str, str]:
    """First moment of a partial date, and the first moment after it."""
    try:
        wall, _ = split_date(text)
    except ValueError as error:
        raise QueryError(f"date: {text!r} {error}", column) from None
    first = first_instant(wall)
    year, month, day = (int(part) for part in first[:10].split("-"))
    if len(wall) == 4:
        after = f"{year + 1:04}-01-01T00:00:00"
    elif len(wall) == 7:
        after = f"{year + month // 12:04}-{month % 12 + 1:02}-01T00:00:00"
    elif len(wall) == 10:
        from datetime import date, timedelta

        after = (date(year, month, day) + timedelta(1)).isoformat() + "T00:00:00"
    else:
        from datetime import datetime, timedelta

        after = (datetime.fromisoformat(wall) + timedelta(seconds=1)).isoformat()
    return first, after
