"""The text of a query as something to edit: one field of it read or replaced, completed where it ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from index.query import EXACT, FIELDS, TYPE_NAMES, Term, terms

#: Values of fields that are the same in every catalog.
_FIXED = {
    "type": ("image", "video"),
    "rating": ("5", ">=4", ">=3", ">=1", "0"),
    "quality": (">=80", ">=60", "<40"),
    "label": ("red", "orange", "yellow", "green", "blue", "purple", "pink", "grey"),
    "pick": ("pick", "reject"),
    "flag": ("filename_disagrees", "future", "before_1970", "century_old", "filesystem_only"),
    "has": tuple(FIELDS["has"].removeprefix("has:").split()),
    "is": ("missing", "duplicate", "stale"),
    "size": (">10MB", ">1MB", "<100kB"),
    "iso": (">=1600", "<=200"),
}


def quoted_value(value: str) -> str:
    """A value as it has to be written: in quotation marks where it has spaces or brackets.

    One that begins with `=` is meant exactly, and may have quotation marks in it.
    """
    if value.startswith("="):
        inner = value[1:].replace('"', '""')
        return f'="{inner}"' if re.search(r'[\s()"]', inner) else value
    plain = value.replace('"', " ").strip()
    return f'"{plain}"' if re.search(r"[\s()]", plain) else plain


def exactly(field: str, value: str) -> str:
    """A value of a list of choices as what finds exactly the originals that have it."""
    plain = field == "type" and value not in TYPE_NAMES
    return value if plain or field not in EXACT else f"={value}"


def values_of(text: str, field: str) -> list[str]:
    """The values of a field that all of the answer has to fit: not what is negated, in brackets or one of several."""
    return [term.value for term in _firm(text) if term.field == field and not term.negated]


def with_value(text: str, field: str, value: str | None) -> str:
    """The query with this one value of a field in the place of those it had; None or "" takes the field away."""
    return with_values(text, field, [value] if value else [])


def with_values(text: str, field: str, values: Iterable[str]) -> str:
    """The query with these values of a field, all of which have to fit. All else stays as it was written."""
    wanted = [f"{field}:{quoted_value(value)}" for value in values]
    mine = [term for term in _firm(text) if term.field == field and not term.negated]
    kept = [term for term in mine if term.text in wanted]
    added = [piece for piece in wanted if piece not in [term.text for term in kept]]
    gone = [term for term in mine if term not in kept]
    for term in reversed(gone):
        replacement = added.pop(0) if added and term is gone[0] else ""
        text = text[: term.start] + replacement + text[term.end :]
        if not replacement:
            text = re.sub(r" +", " ", text[: term.start].rstrip() + " " + text[term.start :].lstrip())
    if not added:
        return text.strip()
    if _has_choice(text):
        text = f"({text.strip()})"
    return " ".join([*([text.strip()] if text.strip() else []), *added])


def _has_choice(text: str) -> bool:
    """True where the query as a whole is one of several."""
    return any(term.text in ("OR", "|") for term, depth in _depths(text) if depth == 0)


def _firm(text: str) -> list[Term]:
    """The terms that the whole answer has to fit."""
    if _has_choice(text):
        return []
    found = [(term, depth) for term, depth in _depths(text)]
    outside = [term for term, depth in found if depth == 0 and term.text not in ("(", ")", "AND")]
    negated = {after.start for before, after in pairwise([term for term, _ in found]) if before.text.endswith("-(")}
    return [term for term in outside if term.start not in negated]


def _depths(text: str) -> list[tuple[Term, int]]:
    depth, found = 0, []
    for term in terms(text):
        if term.text.endswith(")") and term.field is None and len(term.text) == 1:
            depth -= 1
        found.append((term, max(0, depth)))
        if term.text in ("(", "-("):
            depth += 1
    return found


def completed(text: str, choices: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What the query may go on to, the likeliest first: fields, or values of the field it ends with."""
    last = terms(text)[-1] if terms(text) and not text.endswith(" ") else None
    if last is None:
        return []
    head = text[: last.start]
    piece = last.text.lstrip("-")
    sign = last.text[: len(last.text) - len(piece)]
    field, colon, begun = piece.partition(":")
    field = field.lower()
    if not colon:
        return [f"{head}{sign}{name}:" for name in FIELDS if name.startswith(field) and field]
    if field not in FIELDS:
        return []
    begun = begun.lstrip('"').casefold()
    values = [
        *choices.get(field, ()),
        *(value for value in _FIXED.get(field, ()) if value not in choices.get(field, ())),
    ]
    starts = [value for value in values if value.casefold().startswith(begun)]
    within = [value for value in values if begun in value.casefold() and value not in starts] if begun else []
    return [f"{head}{sign}{field}:{quoted_value(value)}" for value in [*starts, *within]][:50]
