"""Numbers, kinds of twins and cut texts as a person reads them, in commands and on screens."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable

#: Kinds of twins that are written otherwise than by blanks in their names.
_TWINS = {"re_encoded": "re-encoded", "raw_jpeg": "RAW+JPEG", "live_photo": "Live Photo"}


def size(count: int | float) -> str:
    """A number of bytes for people: 0 B, 1.2 kB, 3.4 GB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """A duration for people: 0.4 s, 12 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`3 photos`, `1 photo`, with thousands apart."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share of one for people: 93 %."""
    return f"{100 * share:.0f} %"


def in_words(code: str) -> str:
    """A code of documents for people: `not_written` as not written."""
    return code.replace("_", " ")


def twin_kind(kind: str) -> str:
    """A kind of twins for people: same pixels, re-encoded, RAW+JPEG."""
    return _TWINS.get(kind, in_words(kind))


def width(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    marks = sum(unicodedata.combining(c) != 0 for c in text)
    return len(text) + wide - marks


def fit(text: str, columns: int) -> str:
    """`text` cut to `columns` with an ellipsis, and padded to them."""
    if width(text) > columns:
        text = text[: max(0, columns - 1)] if text.isascii() else text
        while text and width(text) > columns - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (columns - width(text))


def wrapped(text: str, columns: int) -> list[str]:
    """`text` in lines of at most so many columns, broken between words, and within one that is longer than a line."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and width(lines[-1]) + 1 + width(word) <= columns:
            lines[-1] += f" {word}"
            continue
        if not lines[-1]:
            lines.pop()
        lines += _pieces(word, columns)
    return lines


def _pieces(word: str, columns: int) -> list[str]:
    """A word in parts that fit; one part where all of it does."""
    parts = [""]
    for character in word:
        if parts[-1] and width(parts[-1] + character) > columns:
            parts.append("")
        parts[-1] += character
    return parts


def fit_apart(text: str, others: Iterable[str], columns: int) -> str:
    """`text` cut in its middle. Where another that stands beside it would be cut to the same, what both begin with is
    left out, so that each shows what is its own."""
    cut = fit_middle(text, columns)
    for other in others:
        if other != text and fit_middle(other, columns) == cut:
            alike = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False)))
            start = min(alike - 1, len(text) - columns + 1)  # one letter before they differ
            return fit_middle("…" + text[max(0, start) :], columns)
    return cut


def fit_middle(text: str, columns: int) -> str:
    """`text` cut in its middle, so that the start of a path and the name at its end are seen."""
    if width(text) <= columns:
        return text
    end = text[-(2 * columns // 3) :]
    while end and width(end) > 2 * columns // 3:
        end = end[1:]
    return fit(text, columns - width(end)).rstrip() + end
