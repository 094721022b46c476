"""What the screen of photos asks the index: pages of an answer, places in it, what there is to choose."""

from __future__ import annotations

from collections.abc import Sequence

from index.order import KEYS, Listed, Order, Sort
from index.protocol import QueryError
from lumina_fs.viewing.access import Access
from schemas.partial_date import first_instant, split_date

__all__ = ["Listed", "Order", "QueryError", "Sort"]

#: (source, path) of an original; the path is encoded.
Key = tuple[str, str]

#: Names of the sorts that there are.
SORTS = tuple(KEYS)


def sort_of(key: str, descending: bool) -> Sort:
    """A sort by its name; by date where there is no such."""
    return Sort(key if key in KEYS else "date", descending)


def first_page(access: Access, query: str, sort: Sort, limit: int) -> list[Listed]:
    """The first originals that fit. Raises QueryError."""
    from index import pages

    return pages.first(access.index, query, sort, limit)


def whole_order(access: Access, query: str, sort: Sort) -> Order:
    """All that fits, in order, by addresses. Takes a moment where there are many. Raises QueryError."""
    from index import pages

    return pages.order(access.index, query, sort)


def page(access: Access, order: Order, start: int, end: int) -> list[Listed | None]:
    """The originals at these places; None for what changed since."""
    from index import pages

    return pages.page(access.index, order, start, end)


def place_of(access: Access, order: Order, key: Key) -> int | None:
    """Where an original is in an order."""
    from index import pages

    return pages.place_of(access.index, order, *key)


def place_of_date(access: Access, order: Order, text: str) -> int:
    """Where the originals of a day, month or year begin in an order by date. Raises ValueError for what is no date."""
    from index import pages

    wall, _ = split_date(text)
    moment = first_instant(wall)
    if order.sort.descending:  # the last moment of the period comes first
        moment = first_instant(wall[:4] + "-12-31") if len(wall) == 4 else moment
        moment = moment if len(wall) == 4 else _month_end(moment) if len(wall) == 7 else moment
        moment = moment[:10] + "T23:59:59.999999" if len(wall) <= 10 else moment
    return pages.place_of_date(access.index, order, moment)


def _month_end(moment: str) -> str:
    from calendar import monthrange

    year, month = int(moment[:4]), int(moment[5:7])
    return f"{moment[:8]}{monthrange(year, month)[1]:02}"


def everything(access: Access, query: str) -> dict[Key, int]:
    """All that fits, with the bytes of each. Raises QueryError."""
    from index import pages

    return {(source, path): size for source, path, size in pages.keys(access.index, query)}


def listed(access: Access, keys: Sequence[Key]) -> list[Listed]:
    """These originals, in no order; those that are gone are left out."""
    from index import pages

    return pages.listed(access.index, keys)


def choices(access: Access) -> dict[str, dict[str, int]]:
    """By field of the query language the values that there are, with how many originals have each."""
    from index.facets import facets

    return facets(access.index)
