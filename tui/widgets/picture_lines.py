"""Lines of pictures: what they send to the terminal, what stands for them elsewhere, and several side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_PLAIN = Style()


class Ground(NamedTuple):
    """What pictures are drawn on: the colour around them, whether there are but the colours of a palette, and the
    pixels of a character, wide and high."""

    color: tuple[int, int, int]
    few: bool
    cell: tuple[int, int] = (10, 20)


class PictureLine(Protocol):
    """A line of a picture. It is never changed."""

    @property
    def cells(self) -> int:
        """How many characters wide it is."""

    def sent(self, console: Console) -> str:
        """What the terminal gets. The cursor is behind the line afterwards, and no colour is left."""

    def segments(self) -> list[Segment]:
        """Characters that look like it, for who wants another look of them, as a window before them does."""

    def cropped(self, start: int, end: int) -> PictureLine:
        """The part from one character up to, without, another."""


Lines = Sequence[PictureLine]


class Drawn(NamedTuple):
    """A picture, ready to be shown."""

    lines: Lines
    weight: int
    """What it costs to keep it: bytes here, or pixels in the terminal."""
    arrives: str = ""
    """What the terminal is told before any line of it."""
    leaves: str = ""
    """What the terminal is told when the picture is not kept any more."""


class JoinedLine(Strip):
    """Pictures and texts side by side. What a picture sends is there already, so that a line costs next to nothing."""

    __slots__ = ("_made", "_parts")

    def __init__(self, parts: Sequence[PictureLine | Segment], cells: int) -> None:
        self._made: list[Segment] = []
        self._parts = parts
        super().__init__((), cells)

    @property
    def _segments(self) -> list[Segment]:
        """Made only for who wants another look."""
        if not self._made:
            for part in self._parts:
                self._made += [part] if isinstance(part, Segment) else part.segments()
        return self._made

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        self._made = segments

    def render(self, console: Console) -> str:
        """The bytes for the terminal."""
        if self._render_cache is None:
            system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
            self._render_cache = "".join(
                self.render_style(part.style or _PLAIN, part.text, system)
                if isinstance(part, Segment)
                else part.sent(console)
                for part in self._parts
            )
        return self._render_cache

    def crop(self, start: int, end: int | None = None) -> Strip:
        """A part of the line, in which pictures stay pictures."""
        start, end = max(0, start), self.cell_length if end is None else min(self.cell_length, end)
        if (start, end) == (0, self.cell_length):
            return self
        if end <= start:
            return Strip([], 0)
        found = self._crop_cache.get((start, end))
        if found is None:
            found = self._crop_cache[start, end] = JoinedLine(list(self._between(start, end)), end - start)
        return found

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The parts up to each of the cuts."""
        found, begun = [], 0
        for cut in cuts:
            if cut <= self.cell_length:
                found.append(self.crop(begun, cut))
                begun = cut
        return found

    def _between(self, start: int, end: int) -> Iterable[PictureLine | Segment]:
        at = 0
        for part in self._parts:
            cells = part.cell_length if isinstance(part, Segment) else part.cells
            first, last = max(start - at, 0), min(end - at, cells)
            at += cells
            if first >= last:
                continue
            if (first, last) == (0, cells):
                yield part
            elif isinstance(part, Segment):
                yield part.split_cells(first)[1].split_cells(last - first)[0]
            else:
                yield part.cropped(first, last)
