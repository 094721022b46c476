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
        names = list(_COUNTED)
        grouped = ", ".join(f"({expression})" for expression in _COUNTED.values())
        query = (
            f"SELECT grouping({', '.join(_COUNTED.values())}), {', '.join(_COUNTED.values())}, count(*) "
            f"FROM {table} GROUP BY GROUPING SETS ({grouped})"
        )
        counts = {name: Counter[str]() for name in names}
        for which, *values, count in cursor.execute(sql(query)):
            at = next(at for at in range(len(names)) if not which >> (len(names) - 1 - at) & 1)
            if values[at] is not None:
                counts[names[at]][values[at]] += count
        for name, counter in counts.items():
            found[name] = dict(counter.most_common(_MOST))
        # a sidecar may have a problem twice, and one that never could be read has no row to be found
        query = (
            f"SELECT code, count(*) FROM (SELECT DISTINCT code, source, path FROM {index.schema}.problem) p "
            f"JOIN {table} USING (source, path) GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        found["problem"] = dict(cursor.execute(sql(query)).fetchall())
    found["tag"], found["auto"] = by_name(index, seen=False), by_name(index, seen=True)
    return found
