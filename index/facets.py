"""What there is to choose from: cameras, lenses, formats, tags, sources and problems, with counts."""

from __future__ import annotations

from collections import Counter

from index.postgres import PostgresIndex
from index.records import sql
from index.tags import by_name

#: What is counted: SQL over `original o`, by the field of the query language that looks for it.
_COUNTED = {
    "camera": "o.camera",
    "lens": "o.lens",
    "type": "lower(o.format)",
    "media": "o.media",
    "source": "o.source",
}
_MOST = 500


def facets(index: PostgresIndex) -> dict[str, dict[str, int]]:
    """By field the values that originals have, the frequent ones first, with how many have each.

    Besides fields: `problem` by code, `tag` and `auto` as category/value. A query for exactly a value
    (`camera:="Canon EOS 6D"`) finds as many as its number says; media are asked for as types.
    """
    found: dict[str, dict[str, int]] = {}
    with index.cursor() as cursor:
        table = f"{index.schema}.original o"
        # in one pass: the values of an original are few, and so are the ways in which they come together
        values = ", ".join(_COUNTED.values())
        counters = {name: Counter[str]() for name in _COUNTED}
        for count, *row in cursor.execute(sql(f"SELECT count(*), {values} FROM {table} GROUP BY {values}")):
            for counter, value in zip(counters.values(), row, strict=True):
                if value is not None:
                    counter[value] += count
        for name, counter in counters.items():
            found[name] = dict(sorted(counter.items(), key=lambda one: (-one[1], one[0]))[:_MOST])
        # a sidecar may have a problem twice, and one that never could be read has no row to be found
        query = (
            f"SELECT code, count(*) FROM (SELECT DISTINCT code, source, path FROM {index.schema}.problem) p "
            f"JOIN {table} USING (source, path) GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        found["problem"] = dict(cursor.execute(sql(query)).fetchall())
    found["tag"], found["auto"] = by_name(index, seen=False), by_name(index, seen=True)
    return found
