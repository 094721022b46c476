"""The audit from its end: as many lines as somebody looks at, the newest first, however long it is.

Where lines lie is remembered, not what they say: a million of them take 14 MB.
"""

from __future__ import annotations

import json
import os
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field

from lumina_fs.audit import AUDIT, Line, concerns, parsed
from lumina_fs.catalog import Catalog

#: Bytes that are read at once, and that are looked through in one call.
_BLOCK, _STRETCH = 1 << 18, 1 << 21
#: What a killed run told twice lies so near together.
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: dates as exact as wished (2026, 2026-11, 2026-11-21), both included; kinds; a part of a path,
    a digest or the id of a plan.
    """

    since: str = ""
    until: str = ""
    kinds: tuple[str, ...] = ()
    about: str = ""


@dataclass(slots=True)
class _Month:
    """A file, from whose end is read: `end` is where what was not looked at yet ends."""

    name: str
    end: int


@dataclass(slots=True)
class AuditLines:
    """What was found so far. `whole`: there is no more. One thread looks for more, while others may read pages."""

    wanted: Wanted
    whole: bool = False
    looked_at: int = 0
    _months: list[_Month] | None = None
    _now: int = 0
    _files: array[int] = field(default_factory=lambda: array("h"))
    _starts: array[int] = field(default_factory=lambda: array("q"))
    _lengths: array[int] = field(default_factory=lambda: array("i"))
    _told: OrderedDict[tuple[object, ...], None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._lengths)  # what a line gets last

    def more(self, catalog: Catalog, count: int) -> int:
        """Look for lines until there are `count`, at most through 2 MiB; how many there are now. Raises OSError."""
        if self._months is None:
            self._months = _months(catalog, self.wanted)
        left = _STRETCH
        while len(self) < count and left > 0:
            if self._now >= len(self._months):
                self.whole = True
                break
            month = self._months[self._now]
            if month.end <= 0:
                self._now += 1
                continue
            left -= self._stretch(catalog, month)
        return len(self)

    def page(self, catalog: Catalog, first: int, count: int) -> list[Line]:
        """The lines from the `first` on, the newest being 0. Raises OSError."""
        found: list[Line] = []
        open_: dict[int, int] = {}
        months = self._months or []  # nothing was looked for yet
        try:
            for at in range(first, min(first + count, len(self))):
                number = self._files[at]
                if number not in open_:
                    open_[number] = catalog.root.open_file(f"{AUDIT}/{months[number].name}")
                text = os.pread(open_[number], self._lengths[at], self._starts[at])
                found.append(parsed(text) or {})
        finally:
            for fd in open_.values():
                os.close(fd)
        return found

    def _stretch(self, catalog: Catalog, month: _Month) -> int:
        """Look through the last block of a file; how many bytes that were."""
        fd = catalog.root.open_file(f"{AUDIT}/{month.name}")
        try:
            start, size = max(0, month.end - _BLOCK), _BLOCK
            data = os.pread(fd, month.end - start, start)
            while start and b"\n" not in data[:-1]:  # a line longer than a block
                size *= 2
                start = max(0, month.end - size)
                data = os.pread(fd, month.end - start, start)
        finally:
            os.close(fd)
        first = 0 if not start else data.index(b"\n") + 1
        end = len(data)
        while end > first:
            begin = data.rfind(b"\n", first, end - 1) + 1
            begin = begin or first
            self._look(data[begin:end].rstrip(b"\n"), start + begin)
            end = begin
        month.end = start + first
        return len(data)

    def _look(self, text: bytes, start: int) -> None:
        """Take a line, if it is one that is wanted."""
        self.looked_at += 1
        about = self.wanted.about
        if about and json.dumps(about)[1:-1].encode() not in text:
            return
        line = parsed(text)
        if line is None or not self._fits(line):
            return
        key = (line.get("plan"), line.get("action"), line.get("what"))
        if line.get("action") is not None:
            if key in self._told:
                return
            self._told[key] = None
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        self._files.append(self._now)
        self._starts.append(start)
        self._lengths.append(len(text))

    def _fits(self, line: Line) -> bool:
        wanted, when = self.wanted, str(line.get("when", ""))
        if (wanted.since and when[: len(wanted.since)] < wanted.since) or (
            wanted.until and when[: len(wanted.until)] > wanted.until
        ):
            return False
        if wanted.kinds and line.get("what") not in wanted.kinds:
            return False
        return not wanted.about or concerns(line, wanted.about)


def _months(catalog: Catalog, wanted: Wanted) -> list[_Month]:
    """The files that may hold what is wanted, the newest first."""
    try:
        names = os.listdir(catalog.root.directory(AUDIT))
    except FileNotFoundError:
        return []
    first, last = wanted.since[:7], wanted.until[:7]
    found = []
    for name in sorted((name for name in names if name.endswith(".jsonl")), reverse=True):
        month = name.removesuffix(".jsonl")
        if month[: len(first)] < first or (last and month[: len(last)] > last):
            continue
        fd = catalog.root.open_file(f"{AUDIT}/{name}")
        try:
            found.append(_Month(name, os.fstat(fd).st_size))
        finally:
            os.close(fd)
    return found
