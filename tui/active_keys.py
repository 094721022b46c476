"""What keys do on a screen at the moment, by its bindings: nothing, where a field takes them as letters."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.widgets import Input

#: Printable keys whose names say no character to Textual, so that it takes them for none that a field would take.
_LETTERS = frozenset({"slash", "backslash", "minus", "plus", "underscore", "at"})


def active_keys(screen: Screen[object]) -> Iterator[ActiveBinding]:
    """The bindings that do something now, those of the focused widget first."""
    types = isinstance(screen.focused, Input)
    for active in screen.active_bindings.values():
        if active.enabled and not (types and active.binding.key in _LETTERS and active.node is not screen.focused):
            yield active
