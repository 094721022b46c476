"""Words for full-text search: how a text is cut into lexemes, the same for what is stored and what is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

#: Postgres refuses lexemes of 2 kB and positions above 16383.
_LONGEST = 120
_POSITIONS = 16_000
#: Characters of a tsvector literal; Postgres takes a megabyte of lexemes.
_LARGEST = 250_000

# a run of letters and digits, or a single character of a script that is written without spaces
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\u0e00-\u0e7f]"
    r"|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\u0e00-\u0e7f]+"
)
_ASCII_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """`text` in lower case, without accents and ligatures: "Ünïcode" -> "unicode"."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def words(text: str) -> list[str]:
    """The words of `text`, folded, in order; none longer than Postgres takes."""
    folded = fold(text)
    found: list[str] = _ASCII_WORD.findall(folded) if folded.isascii() else _WORD.findall(folded)
    return found if len(folded) <= _LONGEST else [word[:_LONGEST] for word in found]


#: The same for texts that many photos share: folders, cameras, captions of a series.
shared_words = lru_cache(maxsize=4096)(words)


@lru_cache(maxsize=4096)
def field_marks(name: str, value: str) -> tuple[str, ...]:
    """The marks of a field, quoted: `camera:canon` for each word, and `camera:=canon eos r6` for the whole.

    A library has few cameras, lenses and tags, and many photos of each.
    """
    return (*(quoted(f"{name}:{word}") for word in words(value)), quoted(f"{name}:={phrase_of(value)}"))


def phrase_of(text: str) -> str:
    """One lexeme for a whole value, for a field search: "NIKON  D90" -> "nikon d90"."""
    return " ".join(fold(text).split())[:_LONGEST]


class Lexemes:
    """Collects the lexemes of one document and writes them as a tsvector literal."""

    def __init__(self) -> None:
        self._positions: dict[str, str] = {}
        self._marks: list[str] = []
        self._next = 1

    def text(self, *parts: Iterable[str]) -> None:
        """Add running text, cut into words: each with its place, so that phrases can be found."""
        positions, place = self._positions, self._next
        for word in chain.from_iterable(parts):
            places = positions.get(word)
            if places is None:
                positions[word] = str(place if place < _POSITIONS else _POSITIONS)
            elif place < _POSITIONS and places.count(",") < 199:
                positions[word] = f"{places},{place}"
            place += 1
        self._next = place + 8  # no phrase reaches from one text into the next

    def field(self, name: str, values: Iterable[str]) -> None:
        """Add marks for the values of a field."""
        for value in values:
            self._marks.extend(field_marks(name, value))

    def marks(self, *marks: str) -> None:
        """Add marks as they are: quoted, or several that are, with blanks between."""
        self._marks += marks

    def literal(self) -> str:
        """The tsvector's text form, which Postgres sorts; no larger than it takes."""
        # a word holds letters and digits, so it needs no escape
        parts = [*self._marks, *[f"'{word}':{places}" for word, places in self._positions.items()]]
        text = " ".join(parts)
        return text if len(text) < _LARGEST else " ".join(_fitting(parts))


def _fitting(parts: list[str]) -> Iterator[str]:
    """As many lexemes as Postgres takes in one value: the marks, and the words that come first."""
    room = _LARGEST
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            return
        yield part


def quoted(lexeme: str) -> str:
    """A lexeme as Postgres reads it in a tsvector or tsquery."""
    if "'" in lexeme or "\\" in lexeme:
        lexeme = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{lexeme}'"
