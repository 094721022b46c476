"""The orders in which originals are listed, and an answer in such an order as addresses of its rows."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

from index.protocol import Hit

#: Bytes of one address: block and place in it.
_ADDRESS = struct.Struct(">IH")


class Key(NamedTuple):
    """What originals are sorted by: a column, None for the path alone; True where some have no value."""

    column: str | None
    gaps: bool


#: By the name of the sort.
KEYS = {
    "date": Key("taken", gaps=True),
    "name": Key(None, gaps=False),
    "size": Key("size", gaps=False),
    "quality": Key("quality", gaps=True),
    "rating": Key("rating", gaps=True),
}


class Sort(NamedTuple):
    """A total order: by a key, ties by source and path. Descending turns all of it; rows without a value come last."""

    key: str = "date"
    descending: bool = True

    def order(self, *, valued: bool = False) -> str:
        """As SQL over `original o`; `valued` where all rows have a value, in the form that an index serves."""
        column, gaps = KEYS[self.key]
        if column is None:
            way = "DESC" if self.descending else "ASC"
            return f"o.source {way}, o.path {way}"
        way = "DESC" if self.descending else "ASC"
        nulls = " NULLS LAST" if gaps and not valued else ""
        ties = "ASC"
        if self.key == "date":  # an index has this order, and its reverse
            ties = "ASC" if self.descending else "DESC"
            nulls = nulls or (" NULLS LAST" if self.descending else " NULLS FIRST")
        return f"o.{column} {way}{nulls}, o.source {ties}, o.path {ties}"


@dataclass(frozen=True, slots=True)
class Listed:
    """An original in a list: its row, the ETag of its sidecar as hex, and what its person says of it."""

    hit: Hit
    etag: str
    curation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """All originals that fit a query, in order. `size`: bytes of all of them; `addresses`: six bytes each."""

    sort: Sort
    size: int
    addresses: bytes

    def __len__(self) -> int:
        return len(self.addresses) // _ADDRESS.size

    def address(self, at: int) -> str:
        """The address of a place, as Postgres writes it."""
        block, offset = _ADDRESS.unpack_from(self.addresses, at * _ADDRESS.size)
        return f"({block},{offset})"

    def place(self, address: str) -> int | None:
        """Where an address is."""
        block, offset = address.strip("()").split(",")
        wanted = _ADDRESS.pack(int(block), int(offset))
        at = self.addresses.find(wanted)
        while at >= 0 and at % _ADDRESS.size:
            at = self.addresses.find(wanted, at + 1)
        return at // _ADDRESS.size if at >= 0 else None
