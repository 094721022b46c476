"""What is recorded of many originals, in columns of numbers and bytes; values are made of those that are asked for.

A value for each field would be some million objects, which take longer to come and to go than the server to find them.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.contents import Twin, recorded
from index.parts import Keys, of_parts
from index.postgres import PostgresIndex

#: More than so many lie all over the table.
_MANY = 5_000

#: What stands behind each text, and for one that is None. Nobody knows them before, so no text holds one.
_END, _NONE = (f"{mark}{os.urandom(2).hex()}" for mark in "\x1f\x1e")
#: Zeros behind all texts, so that what begins in the last one can be looked at in arrays.
_ROOM = 64

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in UTF-8, one behind the other in `data`. None has the length -1."""

    data: bytes
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Iterable[bytes], count: int) -> Texts:
        """So many, in parts, with `_END` between the texts of each."""
        data = b"".join([*(part + _END.encode() for part in parts), bytes(_ROOM)])
        marks = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(marks == ord(_END[0]))
        if len(ends) > count:  # texts hold some of its first character
            ends = ends[_holds(marks, ends, _END)]
        starts = np.append(np.zeros(1, np.int64), ends + len(_END))[:-1]
        lengths = ends - starts
        short = np.flatnonzero(lengths == len(_NONE))
        lengths[short[_holds(marks, starts[short], _NONE)]] = -1
        return cls(data, lengths, starts)

    def __len__(self) -> int:
        return len(self.lengths)

    def some(self, rows: Rows) -> list[str]:
        """Those of these rows, "" for None."""
        data, starts, lengths = self.data, self.starts[rows], np.maximum(self.lengths[rows], 0)
        ends = starts + lengths
        return [data[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def told(self, rows: Rows) -> Iterator[str | None]:
        """The same, with None."""
        for text, length in zip(self.some(rows), self.lengths[rows].tolist(), strict=True):
            yield None if length < 0 else text

    def fixed(self, rows: Rows, width: int) -> NDArray[np.uint8]:
        """(n, width): their first bytes, 64 at most, and zeros behind the last one."""
        data = np.frombuffer(self.data, np.uint8)
        found = np.lib.stride_tricks.sliding_window_view(data, width)[self.starts[rows]]
        found[np.arange(width) >= self.lengths[rows][:, None]] = 0
        return found

    def alike(self, one: Rows, other: Rows, *, unsure: bool) -> NDArray[np.bool_]:
        """Whether they are equal, for each two of these rows; `unsure` of those that begin with the same 64 bytes."""
        lengths = self.lengths[one]
        same = np.asarray(lengths == self.lengths[other])
        maybe = np.flatnonzero(same)
        width = int(min(_ROOM, max(1, lengths[maybe].max(initial=0))))
        begin = (self.fixed(one[maybe], width) == self.fixed(other[maybe], width)).all(1)
        same[maybe] = begin & (unsure | (lengths[maybe] <= _ROOM))
        return same

    def heads(self, rows: Rows, mark: str) -> Texts:
        """Of these rows what stands before the last such mark, nothing where there is none."""
        starts = self.starts[rows]
        marks = np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord(mark))
        before = np.searchsorted(marks, starts + np.maximum(self.lengths[rows], 0))
        return Texts(self.data, np.maximum(np.append(-1, marks)[before] - starts, 0), starts)


def _holds(data: NDArray[np.uint8], at: Rows, mark: str) -> NDArray[np.bool_]:
    """True where these bytes are."""
    windows = np.lib.stride_tricks.sliding_window_view(data, len(mark))
    return np.asarray((windows[at] == np.frombuffer(mark.encode(), np.uint8)).all(1))


class Columns(NamedTuple):
    """What `Twin` has, but for the parts of the quality, of many present originals in no order: of one length."""

    sha256: NDArray[np.void]
    """32 bytes each."""
    source: Texts
    path: Texts
    media: Texts
    format: Texts
    size: NDArray[np.int64]
    width: NDArray[np.int64]
    """0 where it is not known."""
    height: NDArray[np.int64]
    duration: NDArray[np.float64]
    """Not a number where it is not known, as the quality."""
    quality: NDArray[np.float32]
    taken: Texts
    recorded: Texts
    offset: Texts
    camera: Texts
    serial: Texts
    orientation: NDArray[np.int64]
    formats: NDArray[np.int64]
    """A number that equal texts share, and others do not, 0 for None; so for three more."""
    cameras: NDArray[np.int64]
    serials: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def alike(self, one: Rows, other: Rows) -> NDArray[np.bool_]:
        """Whether two rows say the same, but for where they lie and their date, for each two of these; or False."""
        same = self.recorded.alike(one, other, unsure=False)
        for column in (
            self.size, self.width, self.height, self.duration, self.quality, self.orientation, self.formats,
            self.cameras, self.serials, self.offsets,
        ):  # fmt: skip
            mine, its = column[one], column[other]
            same &= (mine == its) | ((mine != mine) & (its != its))  # neither is a number
        return same

    def twins(self, rows: Rows) -> Iterator[Twin]:
        """The originals in these rows, without the parts of their quality."""
        quality = (float(str(one)) for one in self.quality[rows])  # by the digits of a real, as everybody else
        return map(
            Twin,
            self.source.some(rows),
            self.path.some(rows),
            (key.hex() for key in self.sha256[rows].tolist()),
            self.media.some(rows),
            self.format.some(rows),
            self.size[rows].tolist(),
            *([one or None for one in sides[rows].tolist()] for sides in (self.width, self.height)),
            *([None if one != one else one for one in floats] for floats in (self.duration[rows].tolist(), quality)),
            itertools.repeat(None),
            *(texts.told(rows) for texts in (self.taken, self.recorded, self.offset, self.camera, self.serial)),
            self.orientation[rows].tolist(),
        )


#: How each field of an original is asked for, and what comes: a column of texts where nothing is said of that.
_NUMBERS = {
    "sha256": ("sha256", "V32"),
    "size": ("int8send(size)", ">i8"),
    "width": ("int8send(coalesce(width, 0))", ">i8"),
    "height": ("int8send(coalesce(height, 0))", ">i8"),
    "duration": ("float8send(coalesce(duration, 'NaN'))", ">f8"),
    "quality": ("float4send(coalesce(quality, 'NaN'))", ">f4"),
    "orientation": ("int4send(coalesce(orientation, 1))", ">i4"),
    "formats": ("int8send(hashtextextended(format, 0))", ">i8"),
    "cameras": ("int8send(coalesce(hashtextextended(camera, 0), 0))", ">i8"),
    "serials": ("int8send(coalesce(hashtextextended(serial, 0), 0))", ">i8"),
    "offsets": ("int8send(coalesce(hashtextextended(utc_offset, 0), 0))", ">i8"),
}
#: The contents of which `_marks` has a bit.
_MARKED = "get_bit(%s::bytea, (get_byte(sha256, 0) << 16) | (get_byte(sha256, 1) << 8) | get_byte(sha256, 2)) = 1"
_TEXTS = {"taken": "taken_text", "offset": "utc_offset"}


def columns(index: PostgresIndex, contents: NDArray[np.void]) -> Columns:
    """The present originals with these contents (32 bytes each). Of many contents, a few others come along."""
    wanted = ", ".join(map(_asked, Columns._fields))
    many = len(contents) > _MANY
    # to look whole digests up among so many takes the server longer than what it does with those rows
    question = partial(_question, index, wanted, _MARKED if many else "sha256 = ANY(%s::bytea[])")
    return _made(of_parts(index, question, [_marks(contents) if many else Keys(contents)], many=many))


def _marks(contents: NDArray[np.void]) -> bytes:
    """A bit for each value of the first three bytes, set for those of these contents."""
    first = contents.view(np.uint8).reshape(-1, contents.dtype.itemsize)[:, :3].astype(np.int64)
    bits = np.zeros(1 << 24, np.uint8)
    bits[first @ [1 << 16, 1 << 8, 1]] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def _made(parts: Sequence[Sequence[bytes | None]]) -> Columns:
    """What the server said of each part, put together; with none, columns of no original."""
    said = [[part[at] or b"" for part in parts if part[0] is not None] for at in range(len(Columns._fields))]
    count = sum(map(len, said[0])) // np.dtype(_NUMBERS["sha256"][1]).itemsize
    return Columns._make(_column(name, some, count) for name, some in zip(Columns._fields, said, strict=True))


def _asked(name: str) -> str:
    """What is put together for a column: numbers side by side, or texts with something between them."""
    if name in _NUMBERS:
        return f"string_agg({_NUMBERS[name][0]}, NULL)"
    text = f"coalesce({_TEXTS.get(name, name)}, E'\\x1e{_NONE[1:]}')"
    return f"textsend(string_agg({text}, E'\\x1f{_END[1:]}'))"


def _column(name: str, said: Sequence[bytes], count: int) -> Any:
    if name not in _NUMBERS:
        return Texts.of(said, count)
    kind = np.dtype(_NUMBERS[name][1])
    return np.frombuffer(b"".join(said), kind).astype(kind.newbyteorder("="))


def _question(index: PostgresIndex, wanted: str, which: str, part: str) -> str:
    """Each step looks once for what the next ones use: without OFFSET the server looks anew for each use."""
    row = (
        "source, path, sha256, media, format, size, width, height, duration, quality, taken_text, camera, "
        "(rest -> 'capture' ->> 'orientation')::int orientation, rest -> 'capture' -> 'camera' ->> 'serial' serial, "
        "rest -> 'capture' -> 'taken' date"
    )
    condition = f"NOT missing AND {which}{part}"
    return (
        f"SELECT {wanted} FROM (SELECT *, {recorded('date')} recorded, date ->> 'offset' utc_offset FROM "
        f"(SELECT {row} FROM {index.schema}.original WHERE {condition} OFFSET 0) x OFFSET 0) y"
    )


NOTHING = _made([])
