"""The edge where text that is not ours enters a screen: names, metadata, captions, messages of files."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from lumina_fs.terminal import visible
from schemas.names import decode_name


def foreign(text: str, style: str = "") -> Content:
    """Foreign text to show: no markup is read in it, and nothing in it acts on the terminal."""
    return Content.styled(visible(text), style) if style else Content(visible(text))


def foreign_lines(lines: Iterable[str]) -> Content:
    """Foreign text in lines of its own; a line feed inside of one is none."""
    return Content("\n").join([foreign(line) for line in lines])


def named(path: str) -> str:
    """An encoded path, as documents and the index hold it, as a person reads it."""
    return visible(decode_name(path))
