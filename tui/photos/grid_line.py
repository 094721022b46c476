"""A line of the grid: so many photos side by side, each in exactly its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from tui.photos.photo_cell import Form, GridCell, caption, middle, worded
from tui.widgets.picture_lines import JoinedLine, Lines, PictureLine


class Looks(NamedTuple):
    """What all lines of one drawing have in common."""

    form: Form
    across: int
    width: int
    filters: Sequence[LineFilter]
    background: Color
    plain: Style
    cursor: Style
    marked: Style
    dim: Style


class DrawnCell(NamedTuple):
    """A photo (None while it is not there), its picture (None on its way; a text: why there is none), and its state."""

    cell: GridCell | None
    picture: Lines | str | None
    here: bool
    marked: bool


def grid_line(now: Looks, photos: Sequence[DrawnCell], line: int) -> Strip:
    """The line with this number of a row of photos."""
    parts: list[PictureLine | Segment] = []
    for one in photos:
        parts += _piece(now, one, line)
    left = now.width - len(photos) * now.form.columns
    if left > 0:
        parts.append(Segment(" " * left, now.plain))
    strip: Strip = JoinedLine(parts, now.width)
    for one_filter in now.filters:
        strip = strip.apply_filter(one_filter, now.background)
    return strip


def _piece(now: Looks, one: DrawnCell, line: int) -> list[PictureLine | Segment]:
    style = now.cursor if one.here else now.marked if one.marked else now.plain
    if line >= now.form.picture:
        return [Segment(caption(now.form, one.cell, line, here=one.here, marked=one.marked), style)]
    left, right = ("▌", "▐") if one.here else ("┃", "┃") if one.marked else (" ", " ")
    return [Segment(left, style), _picture(now, one, line), Segment(right, style)]


def _picture(now: Looks, one: DrawnCell, line: int) -> PictureLine | Segment:
    width, high = now.form.columns - 2, now.form.picture
    if one.cell is None:
        return Segment(middle("…" if line == high // 2 else "", width), now.dim)
    if one.picture is not None and not isinstance(one.picture, str):
        return one.picture[line]
    words = one.cell.words if one.picture is None else f"{one.cell.words}\n{one.picture}"
    return Segment(worded(words, line, width, high), now.dim)
