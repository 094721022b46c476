"""An index in a few numbers that are there at once, and its problems page by page."""

from __future__ import annotations

from dataclasses import dataclass

from index.postgres import PostgresIndex
from index.protocol import Problem
from index.records import sql
from index.tables import only_row


@dataclass(frozen=True, slots=True)
class Totals:
    """Originals by what they are, their bytes, how many are missing, and how many problems there are."""

    images: int = 0
    videos: int = 0
    others: int = 0
    size: int = 0
    missing: int = 0
    problems: int = 0

    @property
    def originals(self) -> int:
        """All of them."""
        return self.images + self.videos + self.others


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which problems: of one kind (empty: of all), with a text in the path or the message."""

    code: str = ""
    text: str = ""


#: By what problems may be sorted, and how the database does it; ties by place.
ORDERS = {
    "path": "source {d}, path {d}, code",
    "code": "code {d}, source, path",
    "message": "message {d}, source, path, code",
}


def totals(index: PostgresIndex) -> Totals:
    """The numbers; one pass over the rows."""
    s = index.schema
    query = (
        f"SELECT media, count(*), coalesce(sum(size), 0), count(*) FILTER (WHERE missing) FROM {s}.original GROUP BY 1"
    )
    with index.cursor() as cursor:
        found = {row[0]: row[1:] for row in cursor.execute(sql(query))}
        problems = int(only_row(cursor.execute(sql(f"SELECT count(*) FROM {s}.problem")))[0])
    images, videos = (int(found.get(name, (0,))[0]) for name in ("image", "video"))
    return Totals(
        images, videos, sum(int(row[0]) for row in found.values()) - images - videos,
        sum(int(row[1]) for row in found.values()), sum(int(row[2]) for row in found.values()), problems,
    )  # fmt: skip


def problem_counts(index: PostgresIndex, text: str = "") -> dict[str, int]:
    """How many problems there are of each kind, most first, of those with a text in path or message."""
    where, params = _condition(Wanted("", text))
    query = f"SELECT code, count(*) FROM {index.schema}.problem WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"
    with index.cursor() as cursor:
        return {row[0]: int(row[1]) for row in cursor.execute(sql(query), params)}


def problem_page(
    index: PostgresIndex, wanted: Wanted, first: int, count: int, *, by: str = "path", descending: bool = False
) -> list[tuple[str, Problem]]:
    """(source, problem) from the `first` on, sorted by one of ORDERS."""
    where, params = _condition(wanted)
    order = ORDERS[by].replace("{d}", "DESC" if descending else "ASC")
    query = (
        f'SELECT source, path, code, message, line, "column" FROM {index.schema}.problem WHERE {where} '
        f"ORDER BY {order} LIMIT %s OFFSET %s"
    )
    with index.cursor() as cursor:
        return [(row[0], Problem(*row[1:])) for row in cursor.execute(sql(query), (*params, count, first))]


def _condition(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    parts, params = ["true"], []
    if wanted.code:
        parts.append("code = %s")
        params.append(wanted.code)
    if wanted.text:
        parts.append("(position(lower(%s) in lower(path)) > 0 OR position(lower(%s) in lower(message)) > 0)")
        params += [wanted.text, wanted.text]
    return " AND ".join(parts), tuple(params)
