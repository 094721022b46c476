"""One photo of the grid: how large it is, and the words in it and below it, in exactly its columns."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from lumina_fs.terminal import visible
from lumina_fs.wording import wrapped


class Form(NamedTuple):
    """How large a photo is in the grid: columns, lines of its picture, lines of words below."""

    columns: int
    picture: int
    words: int

    @property
    def lines(self) -> int:
        """All lines."""
        return self.picture + self.words


FORMS = (Form(16, 5, 1), Form(24, 8, 2), Form(36, 13, 2), Form(52, 19, 2))


class GridCell(NamedTuple):
    """A photo as the grid shows it. Texts are foreign: they are escaped here. `thumbnail`: source, path, digest."""

    thumbnail: tuple[str, str, str | None]
    name: str
    facts: str
    words: str
    changed: bool = False
    absent: bool = False


def caption(form: Form, cell: GridCell | None, line: int, *, here: bool, marked: bool) -> str:
    """A line below the picture: the name with its signs, or facts."""
    if cell is None:
        return " " * form.columns
    if line > form.picture:
        text = f"   {visible(cell.facts)}"
    else:
        sign = "›" if here else " "
        text = f"{sign}{'✓' if marked else ' '}{'*' if cell.changed else ' '}{visible(cell.name)}"
    wide = cell_len(text)
    room = form.columns - 1
    fitted = set_cell_size(text, room - 1) + "…" if wide > room else text + " " * (room - wide)
    return fitted + " "


def middle(text: str, width: int) -> str:
    """`text` in the middle of `width` columns."""
    wide = cell_len(text)
    if wide >= width:
        return set_cell_size(text, width)
    left = (width - wide) // 2
    return " " * left + text + " " * (width - wide - left)


def worded(words: str, line: int, width: int, lines: int) -> str:
    """A line of words in the middle of a field."""
    broken = [text for part in words.split("\n") for text in wrapped(visible(part), max(1, width - 2))]
    top = max(0, (lines - len(broken)) // 2)
    return middle(broken[line - top] if 0 <= line - top < len(broken) else "", width)
