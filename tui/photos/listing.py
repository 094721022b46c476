"""What the screen of photos shows: a query, a sort, the order of the answer, and the pages that were looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from lumina_fs.viewing.photos import Key, Listed, Order
from tui.widgets.paged_view import PAGE

#: Pages that are kept.
_KEPT = 40


def key_of(one: Listed) -> Key:
    """By what an original is known."""
    return one.hit.source, one.hit.path


class Listing:
    """The answer to one query in one order. `order` is None until all of it is known."""

    def __init__(self, query: str, sort: str, *, descending: bool) -> None:
        self.query = query
        self.sort = sort
        self.descending = descending
        self.order: Order | None = None
        self.complete = False
        self._pages: OrderedDict[int, list[Listed | None]] = OrderedDict()

    def same_as(self, other: Listing) -> bool:
        """True for the same question."""
        return (self.query, self.sort, self.descending) == (other.query, other.sort, other.descending)

    @property
    def total(self) -> int:
        """How many there are, as far as it is known."""
        return len(self.order) if self.order is not None else len(self._pages.get(0, ()))

    @property
    def size(self) -> int | None:
        """Bytes of all; None while it is not known."""
        if self.order is not None:
            return self.order.size
        return sum(one.hit.size for one in self._pages.get(0, ()) if one) if self.complete else None

    def put(self, number: int, rows: list[Listed | None]) -> None:
        """Keep a page."""
        self._pages[number] = rows
        self._pages.move_to_end(number)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)

    def page(self, number: int) -> list[Listed | None] | None:
        """A page that is kept."""
        return self._pages.get(number)

    def row(self, number: int) -> Listed | None:
        """An original by its place, None while it is not there."""
        page = self._pages.get(number // PAGE)
        at = number % PAGE
        return page[at] if page is not None and at < len(page) else None

    def kept(self) -> Iterator[tuple[int, Listed]]:
        """(place, original) of all that is kept."""
        for number, rows in self._pages.items():
            for at, one in enumerate(rows):
                if one is not None:
                    yield number * PAGE + at, one

    def replace(self, fresh: dict[Key, Listed]) -> None:
        """What was read again takes the place of what was kept."""
        for rows in self._pages.values():
            rows[:] = [fresh.get(key_of(one), one) if one is not None else None for one in rows]
